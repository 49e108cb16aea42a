-- name: try.insert
-- Records tries that failed. The nonce finds the try whose outcome was just stored. Index: primary
-- keys.
INSERT INTO delivery_tries (edition, subscriber, try, state, reason, code, reply, relay, at)
SELECT d.edition, d.subscriber, d.tries, r.st, r.why, r.code, r.reply, r.relay, r.ms
FROM (SELECT $1 AS e, $2 AS s, $3 AS a, $4 AS st, $5 AS why, $6 AS code, $7 AS reply, $8 AS relay, $9 AS ms) AS r -- sqlite only
FROM unnest(CAST($1 AS bigint[]), CAST($2 AS bigint[]), CAST($3 AS bigint[]), CAST($4 AS text[]), CAST($5 AS text[]), CAST($6 AS bigint[]), CAST($7 AS text[]), CAST($8 AS text[]), CAST($9 AS bigint[])) AS r(e, s, a, st, why, code, reply, relay, ms) -- postgres only
JOIN deliveries d ON d.edition = r.e AND d.subscriber = r.s AND d.attempt = r.a
WHERE true
ON CONFLICT (edition, subscriber, try) DO NOTHING
RETURNING edition, subscriber -- postgres only
;

-- name: try.list
-- The failed tries of one mail, the first one first. Index: primary key.
SELECT try, state, reason, code, reply, relay, at FROM delivery_tries WHERE edition = $1 AND subscriber = $2 ORDER BY try LIMIT $3;

-- name: try.reasons
-- The last failed tries of some mails of an edition that are still in the state that followed.
-- OFFSET 0 makes PostgreSQL look up one mail after the other. Index: primary keys.
SELECT t.state, t.code, t.reply, t.reason
FROM delivery_tries t
JOIN deliveries d ON d.edition = t.edition AND d.subscriber = t.subscriber AND d.tries = t.try AND d.state = t.state -- sqlite only
JOIN LATERAL (SELECT 1 FROM deliveries x WHERE x.edition = t.edition AND x.subscriber = t.subscriber AND x.tries = t.try AND x.state = t.state OFFSET 0) d ON true -- postgres only
WHERE t.edition = $1 LIMIT $2;

-- name: try.forget
-- Index: primary key, for each edition.
DELETE FROM delivery_tries WHERE edition IN (SELECT seq FROM editions) AND subscriber = $1;

-- name: try.chunks
-- The chunks of an edition with subscribers after $2 that may have deliveries in a state; any if it is
-- empty. The counters of a leased chunk lag behind. Index: primary key.
SELECT first_id, last_id FROM chunks
WHERE edition = $1 AND last_id > $2 AND ($3 = '' OR state = 'leased' OR $3 = 'refused' AND refused > 0 OR $3 = 'skipped' AND skipped > 0 OR $3 = 'sent' AND sent > 0
    OR $3 = 'deferred' AND deferred > 0 OR $3 = 'uncertain' AND uncertain > 0 OR $3 IN ('queued', 'attempting') AND state <> 'done')
ORDER BY number LIMIT $4;

-- name: try.range
-- Deliveries of subscribers in a range, in a state (any if empty) and with a reply code from $5 to $6.
-- Index: primary keys.
SELECT columns(delivery of d), coalesce(s.address, ''), coalesce(s.state, '')
FROM deliveries d LEFT JOIN subscribers s ON s.id = d.subscriber
WHERE d.edition = $1 AND d.subscriber BETWEEN $2 AND $3 AND ($4 = '' OR d.state = $4) AND d.code BETWEEN $5 AND $6
ORDER BY d.subscriber LIMIT $7;

-- name: try.of
-- The deliveries of some subscribers. Index: primary keys.
SELECT columns(delivery of d), coalesce(s.address, ''), coalesce(s.state, '')
FROM deliveries d LEFT JOIN subscribers s ON s.id = d.subscriber
WHERE d.edition = $1 AND d.subscriber IN numbers($2) ORDER BY d.subscriber;

-- name: retry.refused
-- Queues refused mails again, for some subscribers or, without any, for all. Those who are not active
-- are left out: their addresses are suppressed, or they unsubscribed. The time limit for retries starts
-- again. Index: primary keys.
UPDATE deliveries SET state = 'queued', reason = $3, at = $4, first_try = 0, next_try = 0
WHERE edition = $1 AND state = 'refused' AND ($2 = '[]' OR subscriber IN numbers($2))
    AND EXISTS (SELECT 1 FROM subscribers s WHERE s.id = deliveries.subscriber AND s.state = 'active');

-- name: retry.chunks
-- Reopens the chunks that have refused mails, of which some were queued again. Index: primary key.
UPDATE chunks SET state = CASE WHEN state = 'leased' THEN state ELSE 'waiting' END, not_before = 0,
    part(countedDeliveries)
WHERE edition = $1 AND refused > 0;

-- name: retry.edition
-- An edition that was sent is being sent again while mails are retried. Index: primary key.
UPDATE editions SET state = 'sending', finished = 0 WHERE seq = $1 AND state = 'sent';

-- name: retention.tries
-- Index: primary key.
DELETE FROM delivery_tries WHERE edition = $1 AND subscriber IN (SELECT subscriber FROM delivery_tries WHERE edition = $1 ORDER BY subscriber LIMIT $2);
