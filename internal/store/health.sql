-- name: probe.put
-- A small write that shows that the store takes one. Index: primary key.
INSERT INTO probes (node, at) VALUES ($1, $2) ON CONFLICT (node) DO UPDATE SET at = excluded.at;

-- name: probe.prune
-- Nodes that have not been here for long. Index: none, there are few.
DELETE FROM probes WHERE at < $1;

-- name: alert.take
-- Of all nodes that find the same cause, one gets to tell of it, and again only when
-- it was last told before $3. Index: primary key.
INSERT INTO alerts (cause, at) VALUES ($1, $2)
ON CONFLICT (cause) DO UPDATE SET at = excluded.at WHERE alerts.at <= $3
RETURNING at;

-- name: alert.prune
-- Index: none, there are few.
DELETE FROM alerts WHERE at < $1;

-- name: lag.tick
-- The oldest tick of some digests that is due. Index: primary key.
SELECT coalesce(min(next_run), 0) FROM digests WHERE name IN strings($1) AND next_run > 0 AND next_run <= $2;

-- name: lag.job
-- The oldest job that is due. Index: jobs_due.
SELECT coalesce(min(due), 0) FROM jobs WHERE state = 'open' AND due <= $1;

-- name: lag.chunk
-- Since when the oldest chunk could be sent that no node sends. Index: chunks_open.
SELECT coalesce(min(CASE WHEN c.not_before > e.approved THEN c.not_before ELSE e.approved END), 0)
FROM chunks c JOIN editions e ON e.seq = c.edition
WHERE c.state <> 'done' AND c.lease_until < $1 AND c.not_before <= $1 AND e.state IN ('approved', 'sending');
