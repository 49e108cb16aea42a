-- +goose Up

-- The language in which an editor sees the admin; empty for the one that the browser prefers.
ALTER TABLE editors ADD COLUMN language TEXT NOT NULL DEFAULT '';
