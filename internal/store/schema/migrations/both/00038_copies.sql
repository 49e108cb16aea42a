-- +goose Up

-- Smaller copies of images. A copy is a medium itself, with the hash of its data as its name.
ALTER TABLE media ADD COLUMN copied BIGINT NOT NULL DEFAULT 0; -- 0 for an image without copies yet, else 1
ALTER TABLE media ADD COLUMN animated BIGINT NOT NULL DEFAULT 0;
UPDATE media SET copied = 1 WHERE type NOT LIKE 'image/%';
CREATE INDEX media_waiting ON media (name) WHERE copied = 0;

CREATE TABLE media_copies (
    original TEXT NOT NULL, -- name of the image
    width    BIGINT NOT NULL,
    name     TEXT NOT NULL, -- of the copy; the image itself if no copy of that width would be smaller
    PRIMARY KEY (original, width)
);
