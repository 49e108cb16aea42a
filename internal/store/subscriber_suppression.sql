-- name: suppression.get
-- Index: primary key.
SELECT reason, detail, since FROM suppressions WHERE hash = $1;

-- name: suppression.put
-- A complaint outranks a bounce, and a bounce outranks the other reasons: the reason
-- decides what lifts it. Index: primary key.
INSERT INTO suppressions (hash, reason, detail, since) VALUES ($1, $2, $3, $4)
ON CONFLICT (hash) DO UPDATE SET reason = excluded.reason, detail = excluded.detail, since = excluded.since
WHERE (excluded.reason = 'complained' AND suppressions.reason <> 'complained')
   OR (excluded.reason = 'bounced' AND suppressions.reason NOT IN ('complained', 'bounced'));

-- name: suppression.drop
-- Index: primary key.
DELETE FROM suppressions WHERE hash = $1;

-- name: suppression.any
-- Counts at most one suppression, to know whether there is any. Index: primary key.
SELECT count(*) FROM (SELECT 1 FROM suppressions LIMIT 1) AS one;

-- name: suppression.among
-- Which of these hashes are suppressed; given and returned in hex. Index: primary key.
SELECT lower(hex(hash)), reason FROM suppressions WHERE hash IN (SELECT unhex(value) FROM json_each($1)) -- sqlite only
SELECT encode(hash, 'hex'), reason FROM suppressions WHERE hash IN (SELECT decode(value, 'hex') FROM jsonb_array_elements_text(CAST($1 AS jsonb))) -- postgres only

-- name: suppression.forget
-- Removes the detail of the reason: it may be a server's reply about an erased
-- subscriber. Index: primary key.
UPDATE suppressions SET detail = '' WHERE hash = $1 AND detail <> '';
