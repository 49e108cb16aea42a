-- +goose Up

-- The last write of each node that tested whether the store is writable.
CREATE TABLE probes (
    node TEXT PRIMARY KEY,
    at   BIGINT NOT NULL
) WITHOUT ROWID;

-- When owners were last alerted about a cause, so that only one of several nodes alerts them.
CREATE TABLE alerts (
    cause TEXT PRIMARY KEY,
    at    BIGINT NOT NULL
) WITHOUT ROWID;
