-- name: metrics.editions
-- The number of editions of each state; at most 10,000 of one are counted. Index: editions_state.
SELECT s.value, (SELECT count(*) FROM (SELECT 1 AS one FROM editions WHERE state = s.value LIMIT 10000) AS counted)
FROM strings($1) AS s;

-- name: metrics.oldestMail
-- The time since which the oldest edition with waiting mails has been sent. Index: editions_state.
SELECT coalesce(min(CASE WHEN undo_until > approved THEN undo_until ELSE approved END), 0)
FROM editions WHERE state IN ('approved', 'sending') AND undo_until <= $1;

-- name: metrics.jobs
-- The number of jobs that are due; at most 10,000 are counted. Index: jobs_due.
SELECT count(*) FROM (SELECT 1 AS one FROM jobs WHERE state = 'open' AND due <= $1 LIMIT 10000) AS counted;
