-- columns: delivery
-- subscriber bigint, state, reason, tries bigint, code bigint, reply, relay, at bigint, next_try bigint

-- name: delivery.results
-- Stores the outcomes of tries. An outcome must match the stored nonce (attempt), so a node that was
-- frozen and lost its lease changes no delivery that another node has claimed since. A mail
-- that was in doubt once may have arrived twice, so doubted() keeps this in the reason.
-- Index: primary key.
UPDATE deliveries SET state = $4, reason = doubted($5), code = $6, reply = $7, relay = $8, at = $9, next_try = $10 -- sqlite only
WHERE edition = $1 AND subscriber = $2 AND attempt = $3 AND state = 'attempting' -- sqlite only
UPDATE deliveries SET state = r.st, reason = doubted(r.why), code = r.code, reply = r.reply, relay = r.relay, at = r.ms, next_try = r.nxt -- postgres only
FROM unnest(CAST($1 AS bigint[]), CAST($2 AS bigint[]), CAST($3 AS bigint[]), CAST($4 AS text[]), CAST($5 AS text[]), CAST($6 AS bigint[]), CAST($7 AS text[]), CAST($8 AS text[]), CAST($9 AS bigint[]), CAST($10 AS bigint[])) AS r(e, s, a, st, why, code, reply, relay, ms, nxt) -- postgres only
WHERE edition = r.e AND subscriber = r.s AND attempt = r.a AND state = 'attempting' -- postgres only
RETURNING edition, subscriber -- postgres only
;

-- name: delivery.late
-- Stores the outcome of a try that was marked as uncertain meanwhile because the lease of its
-- node had expired. Index: primary key.
UPDATE deliveries SET state = $4, reason = doubted($5), code = $6, reply = $7, relay = $8, at = $9, next_try = $10
WHERE edition = $1 AND subscriber = $2 AND attempt = $3 AND state = 'uncertain' AND state <> $4;

-- name: delivery.intents
-- Records that mails are about to be sent. A mail may be sent only if its row was changed
-- here: this node still holds the chunk, the edition is being sent, and the subscriber is
-- still active and subscribed: to the digest of the edition, or for a message to the one
-- through which they get it. A row that already has this nonce is ours too: it was
-- committed, but the reply to the commit was lost. Index: primary keys.
UPDATE deliveries SET state = 'attempting', attempt = $3, tries = tries + 1, at = $6, first_try = CASE WHEN first_try = 0 THEN $6 ELSE first_try END -- sqlite only
WHERE edition = $1 AND subscriber = $2 AND (state IN ('queued', 'deferred', 'uncertain') OR state = 'attempting' AND attempt = $3) -- sqlite only
    AND EXISTS (SELECT 1 FROM chunks k WHERE k.edition = $1 AND k.number = $4 AND k.epoch = $5 AND k.state = 'leased') -- sqlite only
    AND EXISTS (SELECT 1 FROM subscribers p WHERE p.id = $2 AND p.state = 'active') -- sqlite only
    AND EXISTS (SELECT 1 FROM editions n JOIN subscriptions u ON u.digest = CASE WHEN deliveries.digest = '' THEN n.digest ELSE deliveries.digest END AND u.subscriber = $2 AND u.left_at = 0 WHERE n.seq = $1 AND n.state = 'sending') -- sqlite only
UPDATE deliveries SET state = 'attempting', attempt = r.a, tries = tries + 1, at = r.ms, first_try = CASE WHEN first_try = 0 THEN r.ms ELSE first_try END -- postgres only
FROM unnest(CAST($1 AS bigint[]), CAST($2 AS bigint[]), CAST($3 AS bigint[]), CAST($4 AS bigint[]), CAST($5 AS bigint[]), CAST($6 AS bigint[])) AS r(e, s, a, c, ep, ms) -- postgres only
JOIN chunks k ON k.edition = r.e AND k.number = r.c AND k.epoch = r.ep AND k.state = 'leased' -- postgres only
JOIN editions n ON n.seq = r.e AND n.state = 'sending' -- postgres only
JOIN subscribers p ON p.id = r.s AND p.state = 'active' -- postgres only
CROSS JOIN subscriptions u -- postgres only
WHERE deliveries.edition = r.e AND deliveries.subscriber = r.s -- postgres only
    AND u.digest = CASE WHEN deliveries.digest = '' THEN n.digest ELSE deliveries.digest END AND u.subscriber = r.s AND u.left_at = 0 -- postgres only
    AND (deliveries.state IN ('queued', 'deferred', 'uncertain') OR deliveries.state = 'attempting' AND deliveries.attempt = r.a) -- postgres only
RETURNING deliveries.edition, deliveries.subscriber -- postgres only
;

-- name: delivery.skips
-- Stores the outcomes of mails that need no try, or none now: the subscriber unsubscribed
-- since, or the recipient's domain is throttled. The time limit for retries starts when a mail
-- is first deferred, but not while it waits for a warm-up. Only the node that holds the chunk may change it. Index: primary keys.
UPDATE deliveries SET state = r.st, reason = doubted(r.why), at = r.ms, next_try = r.nxt,
    first_try = CASE WHEN first_try = 0 AND r.st = 'deferred' AND r.why NOT LIKE 'warm-up: %' THEN r.ms ELSE first_try END
FROM (SELECT $1 AS e, $2 AS s, $3 AS c, $4 AS ep, $5 AS st, $6 AS why, $7 AS ms, $8 AS nxt) AS r -- sqlite only
FROM unnest(CAST($1 AS bigint[]), CAST($2 AS bigint[]), CAST($3 AS bigint[]), CAST($4 AS bigint[]), CAST($5 AS text[]), CAST($6 AS text[]), CAST($7 AS bigint[]), CAST($8 AS bigint[])) AS r(e, s, c, ep, st, why, ms, nxt) -- postgres only
JOIN chunks k ON k.edition = r.e AND k.number = r.c AND k.epoch = r.ep
WHERE deliveries.edition = r.e AND deliveries.subscriber = r.s AND deliveries.state IN ('queued', 'deferred', 'uncertain')
RETURNING deliveries.edition, deliveries.subscriber -- postgres only
;

-- name: delivery.whyNot
-- Why delivery.intents did not change a subscriber's row. Index: primary keys.
SELECT CASE WHEN k.epoch IS NULL THEN 'lost' WHEN n.state <> 'sending' THEN 'stopped' WHEN p.id IS NULL OR p.state <> 'active' THEN coalesce(p.state, 'erased')
    WHEN u.subscriber IS NULL THEN 'unsubscribed' ELSE 'taken' END
FROM editions n
LEFT JOIN chunks k ON k.edition = n.seq AND k.number = $2 AND k.epoch = $3 AND k.state = 'leased'
LEFT JOIN subscribers p ON p.id = $4
LEFT JOIN deliveries d ON d.edition = n.seq AND d.subscriber = $4
LEFT JOIN subscriptions u ON u.digest = coalesce(nullif(d.digest, ''), n.digest) AND u.subscriber = $4 AND u.left_at = 0
WHERE n.seq = $1;

-- name: delivery.count
-- Adds outcomes to a chunk's counters, if this node still holds it. Index: primary key.
UPDATE chunks SET sent = sent + $4, refused = refused + $5, skipped = skipped + $6
WHERE edition = $1 AND number = $2 AND epoch = $3 AND state = 'leased';

-- name: delivery.list
-- Deliveries of an edition in some states, after a subscriber. Chunks without refused or deferred mails
-- are left out if only these are asked for; the counters of a leased chunk lag behind. OFFSET 0 makes
-- PostgreSQL read one chunk after the other. Indexes: primary keys.
SELECT columns(delivery of d), coalesce(s.address, '')
FROM chunks c CROSS JOIN deliveries d -- sqlite only
FROM chunks c JOIN LATERAL (SELECT * FROM deliveries x WHERE x.edition = c.edition AND x.subscriber BETWEEN c.first_id AND c.last_id AND x.state IN strings($3) OFFSET 0) d ON true -- postgres only
LEFT JOIN subscribers s ON s.id = d.subscriber
WHERE c.edition = $1 AND c.last_id > $2 AND d.subscriber > $2
    AND d.edition = c.edition AND d.subscriber BETWEEN c.first_id AND c.last_id AND d.state IN strings($3) -- sqlite only
    AND (c.state = 'leased' OR c.refused > 0 AND 'refused' IN strings($3) OR c.deferred > 0 AND 'deferred' IN strings($3)
        OR EXISTS (SELECT 1 FROM strings($3) AS v WHERE v.value NOT IN ('refused', 'deferred')))
ORDER BY c.number, d.subscriber LIMIT $4;

-- name: delivery.doubted
-- Deliveries of an edition that are or were in doubt, after a subscriber. Index: deliveries_doubted.
SELECT columns(delivery of d), coalesce(s.address, '')
FROM deliveries d INDEXED BY deliveries_doubted -- sqlite only
FROM deliveries d -- postgres only
LEFT JOIN subscribers s ON s.id = d.subscriber
WHERE d.edition = $1 AND d.subscriber > $2 AND d.reason LIKE 'in doubt%' ORDER BY d.subscriber LIMIT $3;

-- name: delivery.decide
-- Applies an editor's decision about the uncertain mails to some subscribers, or without any to all:
-- send them again or not. Index: primary key.
UPDATE deliveries SET state = $2, reason = CASE WHEN $3 = '' THEN reason ELSE $3 END, at = $4, next_try = 0
WHERE edition = $1 AND state = 'uncertain' AND ($5 = '[]' OR subscriber IN numbers($5));

-- name: delivery.reopen
-- Reopens the chunks with uncertain mails. Leased chunks are included, since their counters
-- may not be up to date; the update waits for one that is being released. Index: primary key.
UPDATE chunks SET state = CASE WHEN state = 'leased' THEN state ELSE 'waiting' END, not_before = 0
WHERE edition = $1 AND (uncertain > 0 OR state = 'leased');

-- name: delivery.forget
-- Removes the servers' replies about an erased person. Index: primary key, for each edition.
UPDATE deliveries SET reply = '',
    reason = CASE WHEN state = 'skipped' THEN reason WHEN reason LIKE 'in doubt%' THEN 'in doubt: the reader was erased since' ELSE '' END
WHERE edition IN (SELECT seq FROM editions) AND subscriber = $1 AND (reply <> '' OR reason <> '');

-- name: delivery.historyOfSubscriber
-- The deliveries of a subscriber with what names their edition, the newest edition first. The
-- cross join makes SQLite look into each edition, and not through all deliveries. Index: primary keys.
SELECT e.id, e.subject, e.digest, d.state, d.reason, d.tries, d.code, d.reply, d.relay, d.at
FROM editions e CROSS JOIN deliveries d -- sqlite only
FROM editions e JOIN deliveries d ON true -- postgres only
WHERE d.edition = e.seq AND d.subscriber = $1 ORDER BY e.seq DESC LIMIT $2;

-- name: delivery.ofSubscriber
-- The deliveries of a subscriber, the newest edition first. Index: primary keys.
SELECT e.id, d.state, d.reason, d.tries, d.code, d.reply, d.at
FROM editions e CROSS JOIN deliveries d -- sqlite only
FROM editions e JOIN deliveries d ON true -- postgres only
WHERE d.edition = e.seq AND d.subscriber = $1 ORDER BY e.seq DESC LIMIT $2;
