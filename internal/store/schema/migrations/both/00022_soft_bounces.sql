-- +goose Up

-- When the last soft bounce in a row came: a row ends when mail has stayed where it was
-- sent for some time since.
ALTER TABLE subscribers ADD COLUMN soft_at BIGINT NOT NULL DEFAULT 0;
UPDATE subscribers SET soft_at = soft_from;
