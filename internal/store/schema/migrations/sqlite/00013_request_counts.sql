-- +goose Up

-- How many confirmation mails were requested in an hour: for a mailbox (a keyed hash), from a
-- network, and in all. Old rows are removed after some hours.
CREATE TABLE request_counts (
    hour BIGINT NOT NULL, -- hours since 1970
    key  TEXT NOT NULL,
    n    BIGINT NOT NULL,
    PRIMARY KEY (hour, key)
) WITHOUT ROWID;
