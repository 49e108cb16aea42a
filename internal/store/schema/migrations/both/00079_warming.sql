-- +goose Up

-- How many of the deferred mails of a chunk wait for the warm-up of their domain. Chunks that were
-- counted before show them as deferred alone until they are counted again.
ALTER TABLE chunks ADD COLUMN warming BIGINT NOT NULL DEFAULT 0;
