-- +goose Up

-- Until when no node sends the first mail of an approved edition, so that an editor can undo the
-- approval. 0 for no wait.
ALTER TABLE editions ADD COLUMN undo_until BIGINT NOT NULL DEFAULT 0;
