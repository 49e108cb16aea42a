-- +goose Up

-- Since when no document of the store names a medium, in milliseconds; 0 while one does, or before the
-- first search. -1 for one that is kept, since a sent mail names it whose text is no longer stored.
ALTER TABLE media ADD COLUMN unused BIGINT NOT NULL DEFAULT 0;
CREATE INDEX media_unused ON media (unused) WHERE unused > 0;
CREATE INDEX media_copies_name ON media_copies (name);
