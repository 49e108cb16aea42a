-- name: job.insert
-- A new job, unless one of its kind and key is open. Index: jobs_open.
INSERT INTO jobs (kind, key, payload, state, due, epoch, tries, error, created, finished)
VALUES ($1, $2, $3, 'open', $4, 0, 0, '', $5, 0)
ON CONFLICT (kind, key) WHERE state = 'open' DO NOTHING
RETURNING id;

-- name: job.claim
-- Takes up to $4 jobs that are due by moving their due time to the end of the
-- lease. Index: jobs_due.
UPDATE jobs SET due = $3, epoch = epoch + 1, tries = tries + 1
WHERE id IN (
SELECT id FROM jobs WHERE state = 'open' AND kind IN strings($1) AND due <= $2
ORDER BY due, id LIMIT $4
FOR UPDATE SKIP LOCKED -- postgres only
)
RETURNING id, kind, key, payload, epoch, tries, created;

-- name: job.finish
-- Ends a job that is still ours. Index: primary key.
UPDATE jobs SET state = $3, error = $4, finished = $5 WHERE id = $1 AND epoch = $2 AND state = 'open';

-- name: job.retry
-- Gives a job that is still ours back for later. Index: primary key.
UPDATE jobs SET due = $3, error = $4 WHERE id = $1 AND epoch = $2 AND state = 'open';

-- name: job.renew
-- A longer lease on a job that is still ours. Index: primary key.
UPDATE jobs SET due = $3 WHERE id = $1 AND epoch = $2 AND state = 'open';

-- name: job.nextDue
-- When the next job is due. Index: jobs_due.
SELECT due FROM jobs WHERE state = 'open' AND kind IN strings($1) ORDER BY due LIMIT 1;

-- name: job.counts
-- Index: jobs_due.
SELECT kind, state, count(*) FROM jobs GROUP BY kind, state;

-- name: job.failed
-- The newest jobs that were given up, for people. Index: jobs_finished.
SELECT id, kind, key, payload, epoch, tries, created, error, finished FROM jobs
WHERE state = 'failed' ORDER BY finished DESC, id DESC LIMIT $1;

-- name: job.prune
-- Index: jobs_finished.
DELETE FROM jobs WHERE state IN ('done', 'failed') AND finished < $1;
