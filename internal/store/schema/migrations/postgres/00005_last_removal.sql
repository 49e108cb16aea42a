-- +goose Up

-- The last time at which an article may have left a feed without a trace in the document,
-- because an article was edited, removed or restored. It only grows. Earlier changes are not
-- known, so an existing store starts with the current time.
ALTER TABLE revision ADD COLUMN departed BIGINT NOT NULL DEFAULT 0;
UPDATE revision SET departed = CAST(extract(epoch FROM now()) * 1000 AS BIGINT) WHERE value > 0;
