-- +goose Up

-- What each node wrote last to see that the store can be written to.
CREATE TABLE probes (
    node TEXT PRIMARY KEY,
    at   BIGINT NOT NULL
) WITHOUT ROWID;

-- When owners were last told of something, so that several nodes tell them once.
CREATE TABLE alerts (
    cause TEXT PRIMARY KEY,
    at    BIGINT NOT NULL
) WITHOUT ROWID;
