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
