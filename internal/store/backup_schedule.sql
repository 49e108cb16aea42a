-- name: backup.claim
-- Claims the backup of a scheduled time: a new one, one whose process has ended, or a failed one
-- that is due again. Index: primary key.
INSERT INTO backups (tick, state, holder, lease_until, tries, started, finished, name, bytes, error) VALUES ($1, 'running', $2, $3, 1, $4, 0, '', 0, '')
ON CONFLICT (tick) DO UPDATE SET state = 'running', holder = excluded.holder, lease_until = excluded.lease_until, tries = backups.tries + 1, started = excluded.started
WHERE backups.state <> 'done' AND backups.lease_until < CAST($4 AS bigint)
RETURNING tries;

-- name: backup.renew
-- Index: primary key.
UPDATE backups SET lease_until = $3 WHERE tick = $1 AND holder = $2 AND state = 'running';

-- name: backup.finish
-- Records the result of a try. Index: primary key.
UPDATE backups SET state = $3, lease_until = $4, finished = $5, name = $6, bytes = $7, error = $8 WHERE tick = $1 AND holder = $2 AND state = 'running';

-- name: backup.latest
-- Index: primary key.
SELECT tick, state, tries, started, finished, name, bytes, error FROM backups ORDER BY tick DESC LIMIT $1;

-- name: backup.prune
-- Index: primary key.
DELETE FROM backups WHERE tick < $1;
