-- +goose Up

-- The backups on schedule. A row makes sure that one node makes the backup of a scheduled time.
CREATE TABLE backups (
    tick        BIGINT PRIMARY KEY, -- the scheduled time
    state       TEXT NOT NULL, -- running, done or failed
    holder      TEXT NOT NULL, -- a random word of the process that makes or made it
    lease_until BIGINT NOT NULL, -- of running ones; of failed ones the time of the next try
    tries       BIGINT NOT NULL,
    started     BIGINT NOT NULL,
    finished    BIGINT NOT NULL, -- 0 while it is running for the first time
    name        TEXT NOT NULL, -- of the file
    bytes       BIGINT NOT NULL,
    error       TEXT NOT NULL -- of the last try
);
