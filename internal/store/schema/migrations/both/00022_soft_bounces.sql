-- +goose Up

-- The time of the last soft bounce of a series. A series ends when a later mail has not
-- bounced for some time.
ALTER TABLE subscribers ADD COLUMN soft_at BIGINT NOT NULL DEFAULT 0;
UPDATE subscribers SET soft_at = soft_from;
