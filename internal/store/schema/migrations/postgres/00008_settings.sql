-- +goose Up

-- What the newest node serves feeds with, and since when: other settings give other
-- bytes of the same articles.
ALTER TABLE revision ADD COLUMN settings TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE revision ADD COLUMN settled BIGINT NOT NULL DEFAULT 0;
