-- name: request.count
-- One more in this hour. Index: primary key.
INSERT INTO request_counts (hour, key, n) VALUES ($1, $2, 1)
ON CONFLICT (hour, key) DO UPDATE SET n = request_counts.n + 1 RETURNING n;

-- name: request.before
-- How many there were in an hour. Index: primary key.
SELECT n FROM request_counts WHERE hour = $1 AND key = $2;

-- name: request.prune
-- Index: primary key.
DELETE FROM request_counts WHERE hour < $1;

-- name: attempt.get
-- Index: primary key.
SELECT until FROM attempts WHERE hash = $1;

-- name: attempt.take
-- Moves a bucket ahead by $3, unless it is more than $4 ahead of now already. Index:
-- primary key.
INSERT INTO attempts (hash, until) VALUES ($1, CAST($2 AS bigint) + CAST($3 AS bigint))
ON CONFLICT (hash) DO UPDATE SET until = CASE WHEN attempts.until > $2 THEN attempts.until ELSE $2 END + $3
WHERE attempts.until <= CAST($2 AS bigint) + CAST($4 AS bigint)
RETURNING until;

-- name: attempt.giveBack
-- Index: primary key.
UPDATE attempts SET until = until - CAST($2 AS bigint) WHERE hash = $1;

-- name: attempt.prune
-- Those that have all their tries again. Index: attempts_until.
DELETE FROM attempts WHERE until <= $1;
