-- name: unused.all
-- The media, with the time since when no document names them. Index: primary key.
SELECT name, bytes, unused FROM media;

-- name: unused.copies
-- The images with their copies. Index: primary key.
SELECT original, name FROM media_copies;

-- name: unused.set
-- Records that no document names some media since a time. Index: primary key.
UPDATE media SET unused = $2 WHERE name IN strings($1) AND unused = 0;

-- name: unused.clear
-- Records that documents name some media. Index: primary key.
UPDATE media SET unused = 0 WHERE name IN strings($1) AND unused > 0;

-- name: unused.touch
-- Records that a new document names some media, with the copies of images and the images of copies.
-- Indexes: primary keys of both tables, media_copies_name.
UPDATE media SET unused = 0 WHERE unused > 0 AND (name IN strings($1)
    OR name IN (SELECT name FROM media_copies WHERE original IN strings($1))
    OR name IN (SELECT original FROM media_copies WHERE name IN strings($1)));

-- name: unused.keep
-- Keeps media that a sent mail names whose text is about to be removed. Index: primary key.
UPDATE media SET unused = -1 WHERE name IN strings($1);

-- name: unused.variants
-- The variants that retention.variants removes. Index: primary key.
SELECT data FROM variants WHERE edition = $1 AND number <> (SELECT number FROM variants WHERE edition = $1 ORDER BY length(data) DESC, number LIMIT 1);

-- name: unused.count
-- How many of some media no document has named since a time. Index: primary key.
SELECT count(*) FROM media WHERE name IN strings($1) AND unused > 0 AND unused < $2;

-- name: unused.delete
-- Index: primary key.
DELETE FROM media WHERE name IN strings($1);

-- name: unused.deleteCopies
-- Index: primary key.
DELETE FROM media_copies WHERE original IN strings($1);
