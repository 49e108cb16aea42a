-- name: subscription.put
-- Subscribes, resubscribes, or changes the topics. Index: primary key.
INSERT INTO subscriptions (digest, subscriber, topics, since, left_at) VALUES ($1, $2, $3, $4, 0)
ON CONFLICT (digest, subscriber) DO UPDATE SET topics = excluded.topics,
    since = CASE WHEN subscriptions.left_at = 0 THEN subscriptions.since ELSE excluded.since END, left_at = 0;

-- name: subscription.addNew
-- Subscribes only those who never were: an import does not bring back those who left.
-- Index: primary key.
INSERT INTO subscriptions (digest, subscriber, topics, since, left_at) VALUES ($1, $2, $3, $4, 0)
ON CONFLICT (digest, subscriber) DO NOTHING;

-- name: subscription.addRange
-- Subscribes those whom an import just inserted. Index: primary key of subscribers.
INSERT INTO subscriptions (digest, subscriber, topics, since, left_at)
SELECT CAST($1 AS text), id, '', CAST($2 AS bigint), 0 FROM subscribers WHERE id BETWEEN $3 AND $4;

-- name: subscription.leave
-- Unsubscribes from a digest. The row stays, with the date, so that no import undoes it.
-- Index: primary key.
UPDATE subscriptions SET left_at = $3 WHERE digest = $1 AND subscriber = $2 AND left_at = 0;

-- name: subscription.leaveAll
-- Index: subscriptions_subscriber.
UPDATE subscriptions SET left_at = $2 WHERE subscriber = $1 AND left_at = 0;

-- name: subscription.dropAll
-- Index: subscriptions_subscriber.
DELETE FROM subscriptions WHERE subscriber = $1;

-- name: subscription.count
-- Counts the digests of a subscriber. Index: subscriptions_subscriber.
SELECT count(*) FROM subscriptions WHERE subscriber = $1 AND left_at = 0;

-- name: subscription.get
-- Index: primary key.
SELECT subscriber, digest, topics, since FROM subscriptions WHERE digest = $1 AND subscriber = $2 AND left_at = 0;

-- name: subscription.of
-- The subscriptions of some subscribers. Index: subscriptions_subscriber.
SELECT subscriber, digest, topics, since FROM subscriptions
WHERE subscriber IN numbers($1) AND left_at = 0 ORDER BY subscriber, digest;

-- name: subscription.leftBy
-- The digests that a subscriber left. Index: subscriptions_subscriber.
SELECT digest FROM subscriptions WHERE subscriber = $1 AND left_at > 0 ORDER BY digest;

-- name: subscription.counts
-- Counts the active subscribers of each digest. Index: primary keys.
SELECT p.digest, count(*) FROM subscriptions p JOIN subscribers s ON s.id = p.subscriber
WHERE p.left_at = 0 AND s.state = 'active' GROUP BY p.digest;

-- name: subscription.countActive
-- Counts the active subscribers of a digest. Index: primary keys.
SELECT count(*) FROM subscriptions p JOIN subscribers s ON s.id = p.subscriber
WHERE p.digest = $1 AND p.left_at = 0 AND s.state = 'active';

-- name: feedtoken.insert
-- Inserts the token of a private feed.
INSERT INTO feed_tokens (hash, subscriber, digest, created, revoked) VALUES ($1, $2, $3, $4, 0);

-- name: feedtoken.get
-- Index: primary key.
SELECT subscriber, digest, created FROM feed_tokens WHERE hash = $1 AND revoked = 0;

-- name: feedtoken.revoke
-- Index: feed_tokens_subscriber.
UPDATE feed_tokens SET revoked = $3 WHERE subscriber = $1 AND digest = $2 AND revoked = 0;

-- name: feedtoken.revokeOlder
-- Revokes the token of a private feed if it was made at $4 or earlier. The feed's later tokens
-- stay. Index: feed_tokens_subscriber.
UPDATE feed_tokens SET revoked = $3 WHERE subscriber = $1 AND digest = $2 AND created <= $4 AND revoked = 0;

-- name: feedtoken.count
-- Index: none; it serves a page that is used once after a restore.
SELECT count(*) FROM feed_tokens WHERE revoked = 0;

-- name: feedtoken.dropAll
-- Index: feed_tokens_subscriber.
DELETE FROM feed_tokens WHERE subscriber = $1;
