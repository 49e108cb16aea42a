-- +goose Up

-- The status of an article before it was withdrawn: draft, or published with a future date.
-- Restoring the article restores this status.
ALTER TABLE articles ADD COLUMN former TEXT NOT NULL DEFAULT '';
