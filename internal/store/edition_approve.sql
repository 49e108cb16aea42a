-- name: edition.approve
-- Approves a draft if it is still the one that was rendered: its subject, edits and audience
-- are the same, and no later tick added articles. Index: editions_id.
UPDATE editions SET state = 'approved', approved = $2, audience_count = $3, audience_max = $4, settings = $5, held = '', reason = '', undo_until = $10
WHERE id = $1 AND state = 'draft' AND created = $6 AND subject = $7 AND edits = $8 AND audience = $9;

-- name: variant.insert
-- Stores a rendered variant of a frozen edition.
INSERT INTO variants (edition, number, data) VALUES ($1, $2, $3);

-- name: variant.get
-- Index: primary key.
SELECT data FROM variants WHERE edition = $1 AND number = $2;

-- name: variant.ofSubscriber
-- The variant that a subscriber gets. Index: primary keys.
SELECT v.number, v.data FROM deliveries d JOIN variants v ON v.edition = d.edition AND v.number = d.variant WHERE d.edition = $1 AND d.subscriber = $2;

-- name: variant.longest
-- The largest variant of an edition. Index: primary key.
SELECT data FROM variants WHERE edition = $1 ORDER BY length(data) DESC, number LIMIT 1;

-- name: variant.inLanguage
-- The largest variant of an edition in the language of a lower-case tag $2, whose primary subtag is $3:
-- with the same tag if there is one. Index: primary key.
SELECT data FROM (
    SELECT data, number, lower(data->>'Language') AS language FROM variants WHERE edition = $1 -- sqlite only
    SELECT data, number, lower(CAST(data AS jsonb)->>'Language') AS language FROM variants WHERE edition = $1 -- postgres only
) AS v
WHERE language = $3 OR substr(language, 1, length($3) + 1) = $3 || '-'
ORDER BY CASE WHEN language = $2 THEN 0 ELSE 1 END, length(data) DESC, number LIMIT 1;

-- name: variant.frequent
-- The variant that most of the first $2 recipients of an edition get, the largest of several.
-- Index: primary keys.
SELECT v.data FROM variants v LEFT JOIN (
    SELECT variant, count(*) AS n FROM (SELECT variant FROM deliveries WHERE edition = $1 ORDER BY subscriber LIMIT $2) AS first GROUP BY variant
) AS c ON c.variant = v.number
WHERE v.edition = $1 ORDER BY coalesce(c.n, 0) DESC, length(v.data) DESC, v.number LIMIT 1;

-- name: recipients.preferences
-- The distinct preferences of the next $3 active subscribers of a digest after $2.
-- Index: primary keys of subscriptions and subscribers.
SELECT p.topics, p.language, p.mail_language, count(*), max(p.id)
FROM (
    SELECT u.topics, s.language, s.mail_language, s.id
    FROM subscriptions u CROSS JOIN subscribers s -- sqlite only
    FROM subscriptions u JOIN subscribers s ON true -- postgres only
    WHERE s.id = u.subscriber AND u.digest = $1 AND u.left_at = 0 AND s.state = 'active' AND u.subscriber > $2
    ORDER BY u.subscriber LIMIT $3) AS p
GROUP BY p.topics, p.language, p.mail_language ORDER BY p.topics, p.language, p.mail_language;

-- name: recipients.setVariants
-- Stores which variant each set of preferences gets, or why it gets none, from a JSON array
-- of objects.
INSERT INTO edition_preferences (edition, topics, language, mail_language, variant, reason)
SELECT CAST($1 AS bigint), value->>'t', value->>'l', value->>'m', CAST(value->>'v' AS bigint), value->>'r' FROM json_each($2) -- sqlite only
SELECT CAST($1 AS bigint), t, l, m, v, r FROM jsonb_to_recordset(CAST($2 AS jsonb)) AS w(t text, l text, m text, v bigint, r text) -- postgres only
;

-- name: recipients.clearVariants
-- Removes these rows when the deliveries exist. Index: primary key.
DELETE FROM edition_preferences WHERE edition = $1;

-- name: recipients.freeze
-- Inserts a delivery for each of the next $6 recipients, divided into chunks of $3 from
-- number $7 on. Index: primary keys of subscriptions, subscribers and edition_preferences.
INSERT INTO deliveries (edition, subscriber, chunk, variant, state, reason, tries, attempt, code, reply, relay, first_try, at, next_try)
SELECT CAST($1 AS bigint), p.id, CAST($7 AS bigint) + (row_number() OVER (ORDER BY p.id) - 1) / CAST($3 AS bigint), m.variant,
    CASE WHEN m.variant < 0 THEN 'skipped' ELSE 'queued' END, m.reason,
    0, 0, 0, '', '', 0, CAST($4 AS bigint), 0
FROM (
    SELECT u.topics, s.language, s.mail_language, s.id
    FROM subscriptions u CROSS JOIN subscribers s -- sqlite only
    FROM subscriptions u JOIN subscribers s ON true -- postgres only
    WHERE s.id = u.subscriber AND u.digest = $2 AND u.left_at = 0 AND s.state = 'active' AND u.subscriber > $5
    ORDER BY u.subscriber LIMIT $6) AS p
JOIN edition_preferences m ON m.edition = $1 AND m.topics = p.topics AND m.language = p.language AND m.mail_language = p.mail_language;

-- name: recipients.last
-- The last subscriber who has a delivery so far. Index: primary key of deliveries.
SELECT coalesce(max(subscriber), 0) FROM deliveries WHERE edition = $1;

-- name: recipients.chunks
-- Inserts the chunks of the deliveries after subscriber $2. Index: primary key of deliveries.
INSERT INTO chunks (edition, number, first_id, last_id, state, holder, lease_until, not_before, epoch, total, sent, refused, skipped, deferred, uncertain)
SELECT edition, chunk, min(subscriber), max(subscriber), 'waiting', '', 0, 0, 0, count(*), 0, 0,
    sum(CASE WHEN state = 'skipped' THEN 1 ELSE 0 END), 0, 0
FROM deliveries WHERE edition = $1 AND subscriber > $2 GROUP BY edition, chunk;

-- name: recipients.others
-- Counts the present and former subscribers of a digest who are sent no edition of it, by
-- state; an active one who left only this digest counts as 'left this digest'.
-- Index: primary keys.
SELECT CASE WHEN s.state = 'active' THEN 'left this digest' ELSE s.state END, count(*)
FROM subscriptions u JOIN subscribers s ON s.id = u.subscriber
WHERE u.digest = $1 AND (u.left_at > 0 OR s.state <> 'active') AND s.state <> 'erased'
GROUP BY 1 ORDER BY 1;
