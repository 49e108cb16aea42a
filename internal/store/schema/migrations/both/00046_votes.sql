-- +goose Up

-- How many readers found an edition helpful or not, by the links in its mails. Who they are is not stored.
CREATE TABLE edition_votes (
    edition   BIGINT PRIMARY KEY,
    helpful   BIGINT NOT NULL,
    unhelpful BIGINT NOT NULL
);
