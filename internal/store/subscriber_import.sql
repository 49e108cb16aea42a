-- name: import.insert
-- Inserts many subscribers at once, except those whose address is known. PostgreSQL gets one
-- array per column. For SQLite, Go code builds a list of VALUES.
-- Index: subscribers_address.
INSERT INTO subscribers (uid, address_key, columns(subscriber)) -- postgres only
SELECT random_id(), address_key, columns(subscriber) -- postgres only
FROM unnest(CAST($1 AS text[]), arrays(subscriber from 2)) WITH ORDINALITY AS r (address_key, columns(subscriber), n) -- postgres only
ORDER BY n -- postgres only
ON CONFLICT (address_key) DO NOTHING RETURNING id, address_key -- postgres only

-- name: import.lastID
-- The highest row number ever used. There is one writer, so the numbers of the next rows are
-- known before they are inserted.
SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'subscribers' -- sqlite only

-- name: import.inserted
-- The rows that were inserted. Index: primary key.
SELECT id FROM subscribers WHERE id BETWEEN $1 AND $2;

-- name: import.known
-- The known subscribers among some addresses. Index: subscribers_address.
SELECT id, address_key, state FROM subscribers WHERE address_key IN strings($1);

-- name: import.subscribe
-- Subscribes subscribers to a digest to which they never were subscribed. Index: primary keys.
INSERT INTO subscriptions (digest, subscriber, topics, since, left_at)
SELECT CAST($1 AS text), s.id, '', CAST($3 AS bigint), 0 FROM subscribers s WHERE s.id IN numbers($2)
ON CONFLICT (digest, subscriber) DO NOTHING;

-- name: import.unsubscribed
-- Those of some subscribers who were never subscribed to a digest. Index: primary keys.
SELECT s.id FROM subscribers s WHERE s.id IN numbers($2)
    AND NOT EXISTS (SELECT 1 FROM subscriptions x WHERE x.digest = $1 AND x.subscriber = s.id);

-- name: import.labels
-- The labels of some subscribers. Index: primary key.
SELECT id, labels FROM subscribers WHERE state <> 'erased' AND id IN numbers($1);
