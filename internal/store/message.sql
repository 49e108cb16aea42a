-- part: audience
-- The digests of the JSON array $1, by position, and the conditions of the JSON array $2.
WITH picked AS MATERIALIZED (SELECT key AS position, value AS digest FROM json_each($1)), -- sqlite only
conditions AS MATERIALIZED (SELECT value->>'kind' AS kind, value->>'not' AS negated, value->'values' AS accepted, value->>'at' AS at FROM json_each($2)) -- sqlite only
WITH picked AS MATERIALIZED (SELECT position, digest FROM jsonb_array_elements_text(CAST($1 AS jsonb)) WITH ORDINALITY AS d(digest, position)), -- postgres only
conditions AS MATERIALIZED (SELECT kind, "not" AS negated, "values" AS accepted, at FROM jsonb_to_recordset(CAST($2 AS jsonb)) AS c(kind text, "not" boolean, "values" jsonb, at bigint)) -- postgres only

-- part: throughDigests
-- The live subscriptions of subscriber s to the digests.
FROM picked x CROSS JOIN subscriptions u -- sqlite only
FROM picked x JOIN subscriptions u ON true -- postgres only
WHERE u.digest = x.digest AND u.subscriber = s.id AND u.left_at = 0

-- part: inSegment
-- Whether all conditions hold for subscriber s; $3 is the language of those who have none.
NOT EXISTS (SELECT 1 FROM conditions c WHERE c.negated = CASE c.kind
    WHEN 'label' THEN EXISTS (SELECT 1 FROM json_each(nullif(s.labels, '')) AS l WHERE l.value IN strings(c.accepted)) -- sqlite only
    WHEN 'label' THEN EXISTS (SELECT 1 FROM jsonb_array_elements_text(CAST(nullif(s.labels, '') AS jsonb)) AS l(value) WHERE l.value IN strings(c.accepted)) -- postgres only
    WHEN 'lang' THEN EXISTS (SELECT 1 FROM strings(c.accepted) AS v
        WHERE lower(coalesce(nullif(s.mail_language, ''), nullif(s.language, ''), CAST($3 AS text))) || '-' LIKE v.value || '-%')
    WHEN 'topic' THEN EXISTS (SELECT 1 part(throughDigests) AND (u.topics = ''
        OR EXISTS (SELECT 1 FROM json_each(nullif(u.topics, '')) AS t WHERE t.value IN strings(c.accepted)))) -- sqlite only
        OR EXISTS (SELECT 1 FROM jsonb_array_elements_text(CAST(nullif(u.topics, '') AS jsonb)) AS t(value) WHERE t.value IN strings(c.accepted)))) -- postgres only
    WHEN 'joined-since' THEN s.created >= c.at
    ELSE s.created < c.at END)

-- part: messageRecipients
-- The next $5 subscribers after $4 who get the message.
FROM subscribers s
WHERE s.state = 'active' AND s.id > $4 AND EXISTS (SELECT 1 part(throughDigests)) AND part(inSegment)
ORDER BY s.id LIMIT $5

-- part: messageRecipientsOfDigest
-- The same for a message to one digest, whose subscriptions are read in order.
FROM subscriptions v CROSS JOIN subscribers s -- sqlite only
FROM subscriptions v JOIN subscribers s ON true -- postgres only
WHERE s.id = v.subscriber AND v.digest = (SELECT x.digest FROM picked x) AND v.left_at = 0 AND v.subscriber > $4 AND s.state = 'active' AND part(inSegment)
ORDER BY v.subscriber LIMIT $5

-- name: message.preferences
-- The distinct languages of the next $5 recipients of a message after $4. The first column
-- stands for the topics, which select no message. Indexes: subscribers_state, primary key of
-- subscriptions.
part(audience)
SELECT '', p.language, p.mail_language, count(*), max(p.id)
FROM (SELECT s.language, s.mail_language, s.id part(messageRecipients)) AS p
GROUP BY p.language, p.mail_language ORDER BY p.language, p.mail_language;

-- name: message.preferencesOfDigest
-- message.preferences for a message to one digest. Index: primary keys.
part(audience)
SELECT '', p.language, p.mail_language, count(*), max(p.id)
FROM (SELECT s.language, s.mail_language, s.id part(messageRecipientsOfDigest)) AS p
GROUP BY p.language, p.mail_language ORDER BY p.language, p.mail_language;

-- name: message.freeze
-- Inserts a delivery of edition $6 for each of the next $5 recipients after $4, divided into
-- chunks of $7 from number $9 on, with the first of the digests that the subscriber is on.
-- Indexes: subscribers_state, primary keys of subscriptions and edition_preferences.
part(audience)
INSERT INTO deliveries (edition, subscriber, chunk, variant, state, reason, tries, attempt, code, reply, relay, first_try, at, next_try, digest)
SELECT CAST($6 AS bigint), p.id, CAST($9 AS bigint) + (row_number() OVER (ORDER BY p.id) - 1) / CAST($7 AS bigint), m.variant,
    CASE WHEN m.variant < 0 THEN 'skipped' ELSE 'queued' END, m.reason,
    0, 0, 0, '', '', 0, CAST($8 AS bigint), 0, p.digest
FROM (SELECT s.language, s.mail_language, s.id, (SELECT u.digest part(throughDigests) ORDER BY x.position LIMIT 1) AS digest part(messageRecipients)) AS p
JOIN edition_preferences m ON m.edition = $6 AND m.topics = '' AND m.language = p.language AND m.mail_language = p.mail_language;

-- name: message.freezeOfDigest
-- message.freeze for a message to one digest. Index: primary keys.
part(audience)
INSERT INTO deliveries (edition, subscriber, chunk, variant, state, reason, tries, attempt, code, reply, relay, first_try, at, next_try, digest)
SELECT CAST($6 AS bigint), p.id, CAST($9 AS bigint) + (row_number() OVER (ORDER BY p.id) - 1) / CAST($7 AS bigint), m.variant,
    CASE WHEN m.variant < 0 THEN 'skipped' ELSE 'queued' END, m.reason,
    0, 0, 0, '', '', 0, CAST($8 AS bigint), 0, p.digest
FROM (SELECT s.language, s.mail_language, s.id, v.digest part(messageRecipientsOfDigest)) AS p
JOIN edition_preferences m ON m.edition = $6 AND m.topics = '' AND m.language = p.language AND m.mail_language = p.mail_language;

-- name: message.others
-- Counts the present and former subscribers of the digests who do not get the message, by
-- state or other reason. Indexes: primary keys.
part(audience)
SELECT CASE WHEN s.state <> 'active' THEN s.state WHEN EXISTS (SELECT 1 part(throughDigests)) THEN 'not in the segment'
    WHEN (SELECT count(*) FROM picked) = 1 THEN 'left this digest' ELSE 'left these digests' END, count(*)
FROM subscribers s
WHERE s.state <> 'erased' AND s.id IN (SELECT u.subscriber FROM picked x CROSS JOIN subscriptions u WHERE u.digest = x.digest)
    AND NOT (s.state = 'active' AND EXISTS (SELECT 1 part(throughDigests)) AND part(inSegment))
GROUP BY 1 ORDER BY 1;

-- name: message.labels
-- The labels of active subscribers, as written. Index: none; it reads all subscribers once
-- for a segment that names labels.
SELECT DISTINCT l.value FROM subscribers s CROSS JOIN json_each(s.labels) AS l WHERE s.state = 'active' AND s.labels <> '' -- sqlite only
SELECT DISTINCT l.value FROM subscribers s CROSS JOIN LATERAL jsonb_array_elements_text(CAST(nullif(s.labels, '') AS jsonb)) AS l(value) WHERE s.state = 'active' -- postgres only
ORDER BY l.value;

-- name: message.topics
-- The topics that subscribers of the digests $1 chose, as written. Index: primary key of
-- subscriptions.
SELECT DISTINCT t.value FROM subscriptions u CROSS JOIN json_each(u.topics) AS t WHERE u.digest IN strings($1) AND u.left_at = 0 AND u.topics <> '' -- sqlite only
SELECT DISTINCT t.value FROM subscriptions u CROSS JOIN LATERAL jsonb_array_elements_text(CAST(nullif(u.topics, '') AS jsonb)) AS t(value) WHERE u.digest IN strings($1) AND u.left_at = 0 -- postgres only
ORDER BY t.value;

-- name: message.edit
-- Changes a message that is a draft if it did not change meanwhile. Index: editions_id.
UPDATE editions SET digest = $2, number = $3, subject = $4, edits = $5, audience = $6
WHERE id = $1 AND state = 'draft' AND subject = $7 AND edits = $8 AND audience = $9;

-- name: message.list
-- The newest messages. Index: editions_messages.
SELECT seq, columns(edition) FROM editions WHERE audience <> '' ORDER BY seq DESC LIMIT $1;
