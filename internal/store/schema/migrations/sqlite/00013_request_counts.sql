-- +goose Up

-- How many confirmation mails were asked for in an hour: by mailbox (a keyed hash), by
-- network, and in all. Rows older than the last hours are removed.
CREATE TABLE request_counts (
    hour BIGINT NOT NULL, -- hours since 1970
    key  TEXT NOT NULL,
    n    BIGINT NOT NULL,
    PRIMARY KEY (hour, key)
) WITHOUT ROWID;
