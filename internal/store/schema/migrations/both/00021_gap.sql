-- +goose Up

-- Times between a backup and its restore of which no journal tells. Articles that are
-- dated in one count as mailed, since nobody knows which of them were.
CREATE TABLE quarantine_gaps (
    from_at BIGINT PRIMARY KEY, -- not included
    to_at   BIGINT NOT NULL
);
