-- +goose Up

-- The settings that an edition was approved with, as JSON: its sender, list, links and
-- return path stay the same until its last retry. Empty for editions that were approved
-- before this column was there.
ALTER TABLE editions ADD COLUMN settings TEXT NOT NULL DEFAULT '';

-- When editors were told that an article of an approved edition has been withdrawn.
ALTER TABLE edition_articles ADD COLUMN told BIGINT NOT NULL DEFAULT 0;
