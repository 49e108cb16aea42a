-- name: queue.watermark
-- What is known of the queue of a digest. Index: primary key.
SELECT releases, basis, revision, ripe, published, appears FROM queue_marks WHERE digest = $1;

-- name: queue.start
-- Inserts the row of a digest. Index: primary key.
INSERT INTO queue_marks (digest, releases, basis, revision, ripe, published, appears) VALUES ($1, 0, '', 0, 0, 0, 0) ON CONFLICT (digest) DO NOTHING;

-- name: queue.setWatermark
-- Records what a search found, unless articles were returned to the queue since. Index: primary key.
UPDATE queue_marks SET basis = $3, revision = $4, ripe = $5, published = $6, appears = $7 WHERE digest = $1 AND releases = $2;

-- name: queue.released
-- Records that articles were returned to the queue of a digest. Index: primary key.
INSERT INTO queue_marks (digest, releases, basis, revision, ripe, published, appears) VALUES ($1, 1, '', 0, 0, 0, 0)
ON CONFLICT (digest) DO UPDATE SET releases = queue_marks.releases + 1, basis = '';

-- name: queue.releasedBy
-- The same for the digest of edition $1, if it has articles. Indexes: ledger_edition, primary key.
INSERT INTO queue_marks (digest, releases, basis, revision, ripe, published, appears)
SELECT DISTINCT l.digest, 1, '', 0, 0, 0, 0 FROM ledger l WHERE l.edition_id = $1
ON CONFLICT (digest) DO UPDATE SET releases = queue_marks.releases + 1, basis = '';
