-- +goose Up

-- Until when no node sends the first mail of an approved edition, so that an editor can undo the
-- approval. 0 for no wait.
ALTER TABLE editions ADD COLUMN undo_until BIGINT NOT NULL DEFAULT 0;

-- The tries of mails that were not accepted: the conversations behind the last reply, which the row of
-- the delivery has. Accepted mails write nothing here, so that sending costs no more.
CREATE TABLE delivery_tries (
    edition    BIGINT NOT NULL,
    subscriber BIGINT NOT NULL,
    try        BIGINT NOT NULL, -- 1 for the first
    state      TEXT NOT NULL,   -- that followed: deferred, refused or uncertain
    reason     TEXT NOT NULL,
    code       BIGINT NOT NULL, -- 0 if no server answered
    reply      TEXT NOT NULL,
    relay      TEXT NOT NULL,
    at         BIGINT NOT NULL,
    PRIMARY KEY (edition, subscriber, try)
);
