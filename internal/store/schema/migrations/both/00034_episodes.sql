-- +goose Up

-- What podcast feeds say of an article, as JSON; empty for articles that are no episodes.
ALTER TABLE articles ADD COLUMN episode TEXT NOT NULL DEFAULT '';
