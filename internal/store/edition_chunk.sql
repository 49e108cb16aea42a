-- part: countedDeliveries
-- The counters of chunks of edition $1, computed from their deliveries. Index: primary key of
-- deliveries.
(sent, refused, skipped, deferred, warming, uncertain) = (
    SELECT coalesce(sum(CASE WHEN d.state = 'sent' THEN 1 ELSE 0 END), 0), coalesce(sum(CASE WHEN d.state = 'refused' THEN 1 ELSE 0 END), 0),
        coalesce(sum(CASE WHEN d.state = 'skipped' THEN 1 ELSE 0 END), 0), coalesce(sum(CASE WHEN d.state = 'deferred' THEN 1 ELSE 0 END), 0),
        coalesce(sum(CASE WHEN d.state = 'deferred' AND d.reason LIKE 'warm-up: %' THEN 1 ELSE 0 END), 0), coalesce(sum(CASE WHEN d.state = 'uncertain' THEN 1 ELSE 0 END), 0)
    FROM deliveries d WHERE d.edition = $1 AND d.subscriber BETWEEN chunks.first_id AND chunks.last_id)

-- name: chunk.next
-- The next chunk with work: one that waits and is due, or one whose lease has expired. A node
-- does not take a chunk that it is working on ($2), even if its clock jumped. Times beyond $3
-- and $4 are further in the future than any that is ever set; a clock that was set back since
-- wrote them, so they count as due. An edition that was approved before its time waits for it, and
-- one whose approval can be undone waits until that time is over.
-- Index: chunks_open.
SELECT c.edition, c.number, c.first_id, c.last_id, c.epoch, e.state
FROM chunks c JOIN editions e ON e.seq = c.edition
WHERE c.state <> 'done' AND e.state IN ('approved', 'sending', 'cancelled') AND (e.send_at <= $1 AND (e.undo_until <= $1 OR e.undo_until > $3) OR e.state = 'cancelled') AND NOT EXISTS (SELECT 1 FROM quarantine)
    AND (c.state = 'waiting' AND (c.not_before <= $1 OR c.not_before > $3 AND c.not_before < $5 OR e.state = 'cancelled')
        OR c.state = 'leased' AND (c.lease_until < $1 OR c.lease_until > $4) AND c.edition || '/' || c.number NOT IN strings($2))
ORDER BY c.edition, c.number LIMIT 1
FOR UPDATE OF c SKIP LOCKED -- postgres only
;

-- name: chunk.lease
-- Leases a chunk to node $3. Index: primary key.
UPDATE chunks SET state = 'leased', holder = $3, lease_until = $4, epoch = epoch + 1 WHERE edition = $1 AND number = $2;

-- name: chunk.markUncertain
-- Marks the mails that were being sent when the last holder died as uncertain.
-- Index: primary key of deliveries.
UPDATE deliveries SET state = 'uncertain', at = $4, reason = 'in doubt: the process ended before the server had answered'
WHERE edition = $1 AND subscriber BETWEEN $2 AND $3 AND state = 'attempting';

-- name: chunk.renew
-- Extends a lease that is still ours. Index: primary key.
UPDATE chunks SET lease_until = $4 WHERE edition = $1 AND number = $2 AND epoch = $3 AND state = 'leased';

-- name: chunk.lock
-- Locks a chunk that is still ours before it is released. Index: primary key.
SELECT 1 FROM chunks WHERE edition = $1 AND number = $2 AND epoch = $3 AND state = 'leased'
FOR UPDATE -- postgres only
;

-- name: chunk.lockForCount
-- Locks a chunk that is about to be recounted: of two transactions that count it at once,
-- the later one would not see the changes of the other. Index: primary key.
SELECT 1 FROM chunks WHERE edition = $1 AND number = $2
FOR UPDATE -- postgres only
;

-- name: chunk.open
-- Counts the open deliveries of a chunk by state, with the earliest next try of the deferred
-- ones; the last column counts the uncertain ones that may be sent again.
-- Index: primary key of deliveries.
SELECT coalesce(sum(CASE WHEN state IN ('queued', 'attempting') THEN 1 ELSE 0 END), 0),
    coalesce(sum(CASE WHEN state = 'deferred' THEN 1 ELSE 0 END), 0),
    coalesce(min(CASE WHEN state = 'deferred' THEN next_try END), 0),
    coalesce(sum(CASE WHEN state = 'uncertain' THEN 1 ELSE 0 END), 0),
    coalesce(sum(CASE WHEN state = 'uncertain' AND tries < CASE WHEN reason LIKE 'in doubt: the process%' THEN 50 ELSE 5 END THEN 1 ELSE 0 END), 0)
FROM deliveries WHERE edition = $1 AND subscriber BETWEEN $2 AND $3;

-- name: chunk.release
-- Ends a lease that is still ours. Index: primary key.
UPDATE chunks SET state = $4, not_before = $5, holder = '', lease_until = 0 WHERE edition = $1 AND number = $2 AND epoch = $3;

-- name: chunk.defer
-- Lets no node claim the waiting chunks of an edition before $2. Index: chunks_open.
UPDATE chunks SET not_before = $2 WHERE edition = $1 AND state = 'waiting' AND not_before < $2;

-- name: chunk.recipients
-- The recipients to send to now: queued ones, deferred ones whose next try is due, and, if
-- $5 is 1, uncertain ones. A mail that the server left in doubt five times is not sent again
-- unless an editor decides so; nor is one during which our process ended fifty times. A next
-- try beyond $6 was set by a clock that was set back since, and counts as due. Mails with the
-- fewest tries come first, so that a process that is killed repeatedly still makes progress.
-- Index: primary keys.
SELECT d.subscriber, d.variant, d.tries, d.first_try, CASE WHEN d.code >= 500 THEN d.relay ELSE '' END, d.digest, s.address, s.name, s.uid
FROM deliveries d JOIN subscribers s ON s.id = d.subscriber
WHERE d.edition = $1 AND d.subscriber BETWEEN $2 AND $3
    AND (d.state = 'queued' OR d.state = 'deferred' AND (d.next_try <= $4 OR d.next_try > $6) OR d.state = 'uncertain' AND CAST($5 AS bigint) = 1
        AND d.tries < CASE WHEN d.reason LIKE 'in doubt: the process%' THEN 50 ELSE 5 END)
ORDER BY d.tries, d.subscriber;

-- name: chunk.skipRest
-- Skips the mails that a chunk of a cancelled edition has left. Index: primary key of
-- deliveries.
UPDATE deliveries SET state = 'skipped', reason = 'the edition was cancelled', at = $4
WHERE edition = $1 AND subscriber BETWEEN $2 AND $3 AND state IN ('queued', 'deferred');

-- name: chunk.recount
-- Recomputes the counters of a chunk from its deliveries. Index: primary keys.
UPDATE chunks SET part(countedDeliveries)
WHERE edition = $1 AND number = $2;

-- name: chunk.wake
-- Makes a waiting chunk due now: the outcome that it waited for may have arrived.
-- Index: primary key.
UPDATE chunks SET not_before = 0 WHERE edition = $1 AND number = $2 AND state = 'waiting';
