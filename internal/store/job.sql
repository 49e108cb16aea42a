-- columns: job
-- kind, key, payload bytea, state, due bigint, epoch bigint, tries bigint, error, created bigint, finished bigint, about bytea

-- name: job.insert
-- Inserts a job, unless one of the same kind and key is open. Index: jobs_open.
INSERT INTO jobs (columns(job)) VALUES (values(job from 1))
ON CONFLICT (kind, key) WHERE state = 'open' DO NOTHING
RETURNING id;

-- name: job.claim
-- Claims up to $4 due jobs by moving their due time to the end of the lease ($3).
-- Index: jobs_due.
UPDATE jobs SET due = $3, epoch = epoch + 1, tries = tries + 1
WHERE id IN (
SELECT id FROM jobs WHERE state = 'open' AND kind IN strings($1) AND due <= $2
ORDER BY due, id LIMIT $4
FOR UPDATE SKIP LOCKED -- postgres only
)
RETURNING id, columns(job);

-- name: job.replace
-- Inserts a job; an open one of the same kind and key gets the payload and keeps its due
-- time. Index: jobs_open.
INSERT INTO jobs (columns(job)) VALUES (values(job from 1))
ON CONFLICT (kind, key) WHERE state = 'open' DO UPDATE SET payload = excluded.payload
RETURNING id;

-- name: job.finish
-- Marks a job that is still ours as done. If its payload was replaced since it was claimed,
-- it stays open and is due now. The payload of a finished job is replaced by $5, so that no
-- personal data stays in it. Index: primary key.
UPDATE jobs SET state = CASE WHEN payload = $3 THEN 'done' ELSE 'open' END,
    due = CASE WHEN payload = $3 THEN due ELSE CAST($4 AS bigint) END,
    tries = CASE WHEN payload = $3 THEN tries ELSE 0 END,
    finished = CASE WHEN payload = $3 THEN CAST($4 AS bigint) ELSE 0 END, error = '',
    payload = CASE WHEN payload = $3 THEN $5 ELSE payload END
WHERE id = $1 AND epoch = $2 AND state = 'open';

-- name: job.drop
-- Deletes a job that is still ours. Index: primary key.
DELETE FROM jobs WHERE id = $1 AND epoch = $2 AND state = 'open';

-- name: job.fail
-- Marks a job that is still ours as failed. Its payload is replaced by $5, as in job.finish.
-- Index: primary key.
UPDATE jobs SET state = 'failed', error = $3, finished = $4, payload = $5 WHERE id = $1 AND epoch = $2 AND state = 'open';

-- name: job.continue
-- Schedules the next part of a job that is still ours, with its tries reset to 0.
-- Index: primary key.
UPDATE jobs SET due = $3, tries = 0, error = '' WHERE id = $1 AND epoch = $2 AND state = 'open';

-- name: job.open
-- Counts the open jobs of a kind whose key begins with $2, up to $3. Index: jobs_open.
SELECT count(*) FROM (SELECT 1 FROM jobs WHERE kind = $1 AND state = 'open' AND key >= $2 AND key < $2 || CAST($4 AS text) LIMIT $3) AS few;

-- name: job.retry
-- Schedules another try of a job that is still ours. Index: primary key.
UPDATE jobs SET due = $3, error = $4 WHERE id = $1 AND epoch = $2 AND state = 'open';

-- name: job.dropAbout
-- Index: jobs_about.
DELETE FROM jobs WHERE about = $1;

-- name: job.prune
-- Deletes some jobs that ended in state $1 before a time. Failed jobs are kept longer than
-- done ones, so that operators can see them. Index: jobs_finished.
DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE state = $1 AND finished < $2 ORDER BY finished LIMIT $3);
