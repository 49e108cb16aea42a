-- name: medium.get
-- Index: primary key.
SELECT name, type, width, height, data FROM media WHERE name = $1;

-- name: medium.has
-- Index: primary key.
SELECT bytes FROM media WHERE name = $1;

-- name: medium.put
-- The name is a hash of the data, so an existing row has the same data. It is in use again. Index: primary key.
INSERT INTO media (name, type, width, height, bytes, data, copied) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (name) DO UPDATE SET unused = 0 WHERE media.unused > 0;

-- name: medium.waiting
-- The images that have no copies yet. Index: media_waiting.
SELECT name FROM media WHERE copied = 0 ORDER BY name LIMIT $1;

-- name: medium.countWaiting
-- Index: media_waiting.
SELECT count(*) FROM media WHERE copied = 0;

-- name: medium.copied
-- Records that an image has its copies. Index: primary key.
UPDATE media SET copied = 1, animated = $2, width = $3, height = $4 WHERE name = $1 AND copied = 0;

-- name: medium.putCopy
-- Index: primary key.
INSERT INTO media_copies (original, width, name) VALUES ($1, $2, $3)
ON CONFLICT (original, width) DO NOTHING;

-- name: medium.describe
-- Index: primary key.
SELECT name, type, width, height, bytes, animated, copied FROM media WHERE type LIKE 'image/%' AND name IN strings($1);

-- name: medium.describeCopies
-- Indexes: primary keys of both tables.
SELECT c.original, m.name, m.type, m.width, m.height, m.bytes FROM media_copies c JOIN media m ON m.name = c.name
WHERE c.original IN strings($1) ORDER BY c.original, c.width;
