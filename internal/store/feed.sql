-- name: poll.begin
-- Inserts a node's poll counts of a feed on a day, if there are none. Index: primary key.
INSERT INTO feed_polls (feed, day, node, data) VALUES ($1, $2, $3, $4) ON CONFLICT (feed, day, node) DO NOTHING;

-- name: poll.lock
-- Reads and locks a node's poll counts of a feed on a day. Index: primary key.
SELECT data FROM feed_polls WHERE feed = $1 AND day = $2 AND node = $3
FOR UPDATE -- postgres only
;

-- name: poll.set
-- Stores the new sum of the counts. Index: primary key.
UPDATE feed_polls SET data = $4 WHERE feed = $1 AND day = $2 AND node = $3;

-- name: poll.days
-- Index: feed_polls_day.
SELECT feed, day, node, data FROM feed_polls WHERE day BETWEEN $1 AND $2 ORDER BY feed, day, node;

-- name: poll.prune
-- Index: feed_polls_day.
DELETE FROM feed_polls WHERE day < $1;

-- name: websub.put
-- Inserts or renews a verified subscription. Index: primary key.
INSERT INTO websub (topic, callback, secret, expires, created, host, network, sent) VALUES ($1, $2, $3, $4, $5, $6, $7, '')
ON CONFLICT (topic, callback) DO UPDATE SET secret = excluded.secret, expires = excluded.expires, network = excluded.network;

-- name: websub.of
-- The subscriptions of a topic. Index: primary key.
SELECT topic, callback, secret, expires, sent FROM websub WHERE topic = $1 AND expires > $2 ORDER BY callback;

-- name: websub.one
-- Index: primary key.
SELECT topic, callback, secret, expires, sent FROM websub WHERE topic = $1 AND callback = $2 AND expires > $3;

-- name: websub.sent
-- Records which content a subscriber was sent last. Index: primary key.
UPDATE websub SET sent = $3 WHERE topic = $1 AND callback = $2;

-- name: websub.drop
-- Index: primary key.
DELETE FROM websub WHERE topic = $1 AND callback = $2;

-- name: websub.prune
-- Index: websub_expires.
DELETE FROM websub WHERE expires <= $1;

-- name: websub.count
-- Counts the subscriptions of a topic, of a callback host, of a network, and in all.
-- Indexes: primary key, websub_host, websub_network.
SELECT (SELECT count(*) FROM websub WHERE topic = $1), (SELECT count(*) FROM websub WHERE host = $2),
       (SELECT count(*) FROM websub WHERE network = $3 AND network <> ''), (SELECT count(*) FROM websub);
