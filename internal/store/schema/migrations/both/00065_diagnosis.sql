-- +goose Up

-- The last complete run of tidings doctor, and who let the first large edition be sent without a good
-- one. There is at most one row.
CREATE TABLE diagnosis (
    id          BIGINT PRIMARY KEY, -- 1
    at          BIGINT NOT NULL, -- of the run; 0 for none
    errors      BIGINT NOT NULL,
    warnings    BIGINT NOT NULL,
    report      TEXT NOT NULL, -- JSON
    accepted    BIGINT NOT NULL, -- 0 if it was not
    accepted_by TEXT NOT NULL
);

-- Editions that were sent to many subscribers; after the first one, none is held.
CREATE INDEX editions_large ON editions (seq) WHERE audience_count > 1000 AND started > 0;
