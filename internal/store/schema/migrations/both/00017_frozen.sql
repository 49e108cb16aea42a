-- +goose Up

-- The settings that an edition was approved with, as JSON: its sender, list, links and
-- return path stay the same until its last retry. Empty for editions that were approved
-- before this migration.
ALTER TABLE editions ADD COLUMN settings TEXT NOT NULL DEFAULT '';

-- When editors were notified that an article of an approved edition was withdrawn.
ALTER TABLE edition_articles ADD COLUMN told BIGINT NOT NULL DEFAULT 0;
