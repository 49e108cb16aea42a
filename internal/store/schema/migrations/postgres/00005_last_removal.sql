-- +goose Up

-- When an article may last have left a feed without a trace in it: articles were
-- edited, removed or restored then. It only ever grows. What happened before this
-- column was there is not known, so a store in use begins with now.
ALTER TABLE revision ADD COLUMN departed BIGINT NOT NULL DEFAULT 0;
UPDATE revision SET departed = CAST(extract(epoch FROM now()) * 1000 AS BIGINT) WHERE value > 0;
