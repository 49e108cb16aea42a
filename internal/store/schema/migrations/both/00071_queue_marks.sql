-- +goose Up

-- What is known of the articles that wait for a digest: as of a revision, none of those dated before
-- published, or that appeared before appears, waited. So only later ones are searched, and those that
-- changed since.
CREATE TABLE queue_marks (
    digest    TEXT PRIMARY KEY,
    releases  BIGINT NOT NULL, -- counts the changes that returned articles to the queue
    basis     TEXT NOT NULL, -- filter and beginning of the digest; empty if nothing is known
    revision  BIGINT NOT NULL,
    ripe      BIGINT NOT NULL, -- articles that appeared later were not searched
    published BIGINT NOT NULL,
    appears   BIGINT NOT NULL
);
