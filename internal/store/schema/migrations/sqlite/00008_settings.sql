-- +goose Up

-- The settings that the newest node serves feeds with, and since when. Other settings give
-- other bytes for the same articles.
ALTER TABLE revision ADD COLUMN settings TEXT NOT NULL DEFAULT '';
ALTER TABLE revision ADD COLUMN settled BIGINT NOT NULL DEFAULT 0;
