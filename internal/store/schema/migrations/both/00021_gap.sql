-- +goose Up

-- Times between a backup and its restore that no journal covers. Articles that are dated in
-- one count as mailed, because it is not known which of them were.
CREATE TABLE quarantine_gaps (
    from_at BIGINT PRIMARY KEY, -- not included
    to_at   BIGINT NOT NULL
);
