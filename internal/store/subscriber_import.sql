-- name: import.insert
-- Many new people at once; who is there already is left out. The rows come as one
-- array per column. SQLite takes them as a list of VALUES, put together in Go.
-- Index: subscribers_address.
INSERT INTO subscribers (uid, address_key, columns(subscriber)) -- postgres only
SELECT random_id(), address_key, columns(subscriber) -- postgres only
FROM unnest(CAST($1 AS text[]), arrays(subscriber from 2)) WITH ORDINALITY AS r (address_key, columns(subscriber), n) -- postgres only
ORDER BY n -- postgres only
ON CONFLICT (address_key) DO NOTHING RETURNING id, address_key -- postgres only

-- name: import.lastID
-- The highest number ever given, so that the next ones are known before they are
-- inserted. There is one writer.
SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'subscribers' -- sqlite only

-- name: import.inserted
-- Which of the numbers were used. Index: primary key.
SELECT id FROM subscribers WHERE id BETWEEN $1 AND $2;

-- name: import.known
-- Who is there already. Index: subscribers_address.
SELECT id, address_key, state FROM subscribers WHERE address_key IN strings($1);

-- name: import.subscribe
-- Puts people on a digest who never were on it. Index: primary keys.
INSERT INTO subscriptions (digest, subscriber, topics, since, left_at)
SELECT CAST($1 AS text), s.id, '', CAST($3 AS bigint), 0 FROM subscribers s WHERE s.id IN numbers($2)
ON CONFLICT (digest, subscriber) DO NOTHING;
