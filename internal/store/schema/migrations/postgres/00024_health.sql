-- +goose Up

-- The last write of each node that tested whether the store is writable.
CREATE TABLE probes (
    node TEXT COLLATE "C" PRIMARY KEY,
    at   BIGINT NOT NULL
);

-- When owners were last alerted about a cause, so that only one of several nodes alerts them.
CREATE TABLE alerts (
    cause TEXT COLLATE "C" PRIMARY KEY,
    at    BIGINT NOT NULL
);
