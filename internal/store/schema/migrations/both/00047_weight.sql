-- +goose Up

-- Where digests ordered by weight show an article: lower weights come first, 0 is none.
ALTER TABLE articles ADD COLUMN weight BIGINT NOT NULL DEFAULT 0;
