-- name: medium.get
-- Index: primary key.
SELECT name, type, width, height, data FROM media WHERE name = $1;

-- name: medium.has
-- Index: primary key.
SELECT bytes FROM media WHERE name = $1;

-- name: medium.put
-- Its name is a hash of it, so one that is there is the same. Index: primary key.
INSERT INTO media (name, type, width, height, bytes, data) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (name) DO NOTHING;
