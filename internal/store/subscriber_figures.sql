-- name: figures.joined
-- Who joined since $1, by day and source. A subscription that was confirmed counts from then, an
-- imported one from the import. Index: none; it runs once a day, or with few subscribers.
SELECT CASE WHEN consent_at > created THEN consent_at ELSE created END / 86400000, consent_source, count(*) FROM subscribers
WHERE state NOT IN ('pending', 'erased') AND CASE WHEN consent_at > created THEN consent_at ELSE created END >= $1
GROUP BY 1, 2;

-- name: figures.left
-- Who left since $1, by day and state. Index: subscribers_state, for the rows of these states; it
-- runs once a day, or with few subscribers.
SELECT changed / 86400000, state, count(*) FROM subscribers WHERE state IN ('unsubscribed', 'bounced', 'complained') AND changed >= $1
GROUP BY 1, 2;

-- name: figures.lastDay
-- The last day with figures, and -1 without any. Index: primary key.
SELECT coalesce(max(day), -1) FROM subscriber_days;

-- name: figures.totals
-- Index: none, there are few.
SELECT kind, name, number, at FROM subscriber_totals;

-- name: figures.dropTotals
-- Index: none, there are few.
DELETE FROM subscriber_totals;

-- name: figures.putTotal
-- Inserts a total.
INSERT INTO subscriber_totals (kind, name, number, at) VALUES ($1, $2, $3, $4);

-- name: figures.dropDays
-- Removes the figures from a day on. Index: primary key.
DELETE FROM subscriber_days WHERE day >= $1;

-- name: figures.putDay
-- Inserts or replaces a figure of a day.
INSERT INTO subscriber_days (day, kind, name, number) VALUES ($1, $2, $3, $4)
ON CONFLICT (day, kind, name) DO UPDATE SET number = excluded.number;

-- name: figures.days
-- The figures from a day on, in order. Index: primary key.
SELECT day, kind, name, number FROM subscriber_days WHERE day >= $1 ORDER BY day, kind, name;

-- name: figures.before
-- How many were subscribed at the end of the last day before $1 that has figures. Index: primary key.
SELECT number FROM subscriber_days WHERE day < $1 AND kind = 'members' ORDER BY day DESC LIMIT 1;

-- name: figures.digest
-- The subscribers of a digest as they were counted last. Index: primary key.
SELECT reason, topics, language, mail_language, number FROM digest_counts WHERE digest = $1 ORDER BY reason, topics, language, mail_language;

-- name: figures.dropDigests
-- Removes the numbers of all digests. Index: none, they are few.
DELETE FROM digest_counts;

-- name: figures.putDigest
-- Inserts a number of subscribers of a digest.
INSERT INTO digest_counts (digest, reason, topics, language, mail_language, number) VALUES ($1, $2, $3, $4, $5, $6);
