-- name: suppression.get
-- Index: primary key.
SELECT reason, detail, since FROM suppressions WHERE hash = $1;

-- name: suppression.put
-- Inserts a suppression, or replaces its reason with a stronger one: a complaint is stronger
-- than a bounce, a bounce than all other reasons, and an editor's decision than the person's own
-- request. The reason determines what can lift the suppression. Index: primary key.
INSERT INTO suppressions (hash, reason, detail, since) VALUES ($1, $2, $3, $4)
ON CONFLICT (hash) DO UPDATE SET reason = excluded.reason, detail = excluded.detail, since = excluded.since
WHERE (excluded.reason = 'complained' AND suppressions.reason <> 'complained')
   OR (excluded.reason = 'bounced' AND suppressions.reason NOT IN ('complained', 'bounced'))
   OR (excluded.reason = 'editor' AND suppressions.reason IN ('unsubscribed', 'erased'));

-- name: suppression.drop
-- Index: primary key.
DELETE FROM suppressions WHERE hash = $1;

-- name: suppression.any
-- Whether there is any suppression. Index: primary key.
SELECT count(*) FROM (SELECT 1 FROM suppressions LIMIT 1) AS one;

-- name: suppression.among
-- Which of these hashes are suppressed; given and returned in hex. Index: primary key.
SELECT lower(hex(hash)), reason FROM suppressions WHERE hash IN (SELECT unhex(value) FROM json_each($1)) -- sqlite only
SELECT encode(hash, 'hex'), reason FROM suppressions WHERE hash IN (SELECT decode(value, 'hex') FROM jsonb_array_elements_text(CAST($1 AS jsonb))) -- postgres only

-- name: suppression.forget
-- Removes the details of a suppression: they may be a server's reply about an erased person.
-- Index: primary key.
UPDATE suppressions SET detail = '' WHERE hash = $1 AND detail <> '';
