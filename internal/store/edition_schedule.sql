-- name: digest.ensure
-- Inserts a digest's row when the digest is first seen. Index: primary key.
INSERT INTO digests (name, spec, since, next_run, next_key) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (name) DO NOTHING;

-- name: digest.get
-- Index: primary key.
SELECT name, spec, since, began, next_run, next_key FROM digests WHERE name = $1;

-- name: digest.respec
-- Stores a changed schedule and its next tick. Index: primary key.
UPDATE digests SET spec = $2, next_run = $3, next_key = $4 WHERE name = $1 AND spec <> $2;

-- name: digest.setSince
-- Changes the date from which a digest takes articles. The articles in the store now are
-- judged by their own dates again. Index: primary key.
UPDATE digests SET since = $2, began = CASE WHEN began = 0 THEN began ELSE CAST($3 AS bigint) END WHERE name = $1;

-- name: digest.advance
-- Claims a due tick: only one node's update still finds the old time. A node with an older schedule
-- than the stored one claims none. The first tick also sets when the digest began. Index: primary key.
UPDATE digests SET next_run = $3, next_key = $4, began = CASE WHEN began = 0 THEN CAST($5 AS bigint) ELSE began END
WHERE name = $1 AND next_run = $2 AND (CAST($6 AS TEXT) = '' OR spec = $6);

-- name: digest.lock
-- Serializes the composing of editions of a digest. The first edition also sets when the
-- digest began. Index: primary key.
UPDATE digests SET began = CASE WHEN began = 0 THEN CAST($2 AS bigint) ELSE began END WHERE name = $1;

-- name: digest.lockForMessage
-- Serializes a message with the composing of the digest's editions. Index: primary key.
UPDATE digests SET began = began WHERE name = $1;

-- name: tick.insert
-- Index: primary key.
INSERT INTO ticks (digest, scheduled_for, edition, reason, at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (digest, scheduled_for) DO NOTHING;

-- name: tick.list
-- The newest ticks of a digest. Index: ticks_at.
SELECT digest, scheduled_for, edition, reason, at FROM ticks WHERE digest = $1 ORDER BY at DESC, scheduled_for DESC LIMIT $2;

-- name: edition.nextNumber
-- The next number of a digest's editions. Editions that a restored store lost keep their
-- numbers. Indexes: editions_number, quarantine_editions_digest.
SELECT coalesce(max(n), 0) + 1 FROM (
    SELECT max(number) AS n FROM editions WHERE digest = $1
    UNION ALL SELECT max(number) FROM quarantine_editions WHERE digest = $1) AS numbers;
