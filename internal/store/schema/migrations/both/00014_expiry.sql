-- +goose Up

-- When an article is withdrawn automatically, in Unix milliseconds, or 0 for never.
ALTER TABLE articles ADD COLUMN expires BIGINT NOT NULL DEFAULT 0;
CREATE INDEX articles_expires ON articles (expires) WHERE expires > 0;
