-- name: probe.put
-- A small write that tests whether the store is writable. Index: primary key.
INSERT INTO probes (node, at) VALUES ($1, $2) ON CONFLICT (node) DO UPDATE SET at = excluded.at;

-- name: probe.prune
-- Removes the rows of nodes that stopped long ago. Index: none, there are few.
DELETE FROM probes WHERE at < $1;

-- name: alert.take
-- Claims the alert about a cause. Only one of the nodes that find it succeeds, and only if
-- the last alert about it was sent at $3 or before. Index: primary key.
INSERT INTO alerts (cause, at) VALUES ($1, $2)
ON CONFLICT (cause) DO UPDATE SET at = excluded.at WHERE alerts.at <= $3
RETURNING at;

-- name: alert.prune
-- Index: none, there are few.
DELETE FROM alerts WHERE at < $1;

-- name: lag.tick
-- The time of the oldest due tick of some digests. Index: primary key.
SELECT coalesce(min(next_run), 0) FROM digests WHERE name IN strings($1) AND next_run > 0 AND next_run <= $2;

-- name: lag.job
-- The time of the oldest due job. Index: jobs_due.
SELECT coalesce(min(due), 0) FROM jobs WHERE state = 'open' AND due <= $1;

-- name: lag.chunk
-- The time since which the oldest unclaimed chunk has been due. Index: chunks_open.
SELECT coalesce(min(CASE WHEN c.not_before > e.approved AND c.not_before > e.undo_until THEN c.not_before WHEN e.undo_until > e.approved THEN e.undo_until ELSE e.approved END), 0)
FROM chunks c JOIN editions e ON e.seq = c.edition
WHERE c.state <> 'done' AND c.lease_until < $1 AND c.not_before <= $1 AND e.undo_until <= $1 AND e.state IN ('approved', 'sending');

-- name: lag.claimed
-- Whether a node has claimed a chunk. Index: chunks_open.
SELECT count(*) FROM (SELECT 1 AS one FROM chunks WHERE state <> 'done' AND lease_until >= $1 LIMIT 1) AS claimed;

-- name: clock.read
-- The clock of the database, in Unix milliseconds.
SELECT CAST(unixepoch('subsec') * 1000 AS integer) -- sqlite only
SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint) -- postgres only

-- name: database.size
-- The size of the database in bytes, on SQLite without its log.
SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size() -- sqlite only
SELECT pg_database_size(current_database()) -- postgres only
;
