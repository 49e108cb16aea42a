-- name: request.count
-- Counts one more request in an hour. Index: primary key.
INSERT INTO request_counts (hour, key, n) VALUES ($1, $2, 1)
ON CONFLICT (hour, key) DO UPDATE SET n = request_counts.n + 1 RETURNING n;

-- name: request.before
-- The number of requests in an hour. Index: primary key.
SELECT n FROM request_counts WHERE hour = $1 AND key = $2;

-- name: request.prune
-- Index: primary key.
DELETE FROM request_counts WHERE hour < $1;

-- name: attempt.get
-- Index: primary key.
SELECT until FROM attempts WHERE hash = $1;

-- name: attempt.take
-- Takes an attempt from a leaky bucket: moves its time ahead by $3, unless it is already more
-- than $4 after now ($2). Index: primary key.
INSERT INTO attempts (hash, until) VALUES ($1, CAST($2 AS bigint) + CAST($3 AS bigint))
ON CONFLICT (hash) DO UPDATE SET until = CASE WHEN attempts.until > $2 THEN attempts.until ELSE $2 END + $3
WHERE attempts.until <= CAST($2 AS bigint) + CAST($4 AS bigint)
RETURNING until;

-- name: attempt.return
-- Index: primary key.
UPDATE attempts SET until = until - CAST($2 AS bigint) WHERE hash = $1;

-- name: attempt.prune
-- Deletes the buckets that have all their attempts again. Index: attempts_until.
DELETE FROM attempts WHERE until <= $1;
