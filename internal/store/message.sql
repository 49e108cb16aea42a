-- part: audience
-- The digests of the JSON array $1, by position, and the conditions of the JSON array $2.
WITH picked AS MATERIALIZED (SELECT key AS position, value AS digest FROM json_each($1)), -- sqlite only
conditions AS MATERIALIZED (SELECT value->>'kind' AS kind, value->>'not' AS negated, value->'values' AS accepted, value->>'at' AS at FROM json_each($2)) -- sqlite only
WITH picked AS MATERIALIZED (SELECT position, digest FROM jsonb_array_elements_text(CAST($1 AS jsonb)) WITH ORDINALITY AS d(digest, position)), -- postgres only
conditions AS MATERIALIZED (SELECT kind, "not" AS negated, "values" AS accepted, at FROM jsonb_to_recordset(CAST($2 AS jsonb)) AS c(kind text, "not" boolean, "values" jsonb, at bigint)) -- postgres only

-- part: inAudience
-- Whether subscriber s has a live subscription of one of the digests.
EXISTS (SELECT 1 FROM picked x CROSS JOIN subscriptions u -- sqlite only
EXISTS (SELECT 1 FROM picked x JOIN subscriptions u ON true -- postgres only
    WHERE u.digest = x.digest AND u.subscriber = s.id AND u.left_at = 0)

-- part: inSegment
-- Whether all conditions hold for subscriber s; $3 is the language of those who have none.
NOT EXISTS (SELECT 1 FROM conditions c WHERE c.negated = CASE c.kind
    WHEN 'label' THEN s.labels <> '' AND EXISTS (SELECT 1 FROM strings(s.labels) AS l WHERE l.value IN strings(c.accepted))
    WHEN 'lang' THEN EXISTS (SELECT 1 FROM strings(c.accepted) AS v WHERE lower(coalesce(nullif(s.mail_language, ''), nullif(s.language, ''), CAST($3 AS text))) || '-' LIKE v.value || '-%')
    WHEN 'topic' THEN EXISTS (SELECT 1 FROM picked x JOIN subscriptions u ON u.digest = x.digest AND u.subscriber = s.id AND u.left_at = 0
        WHERE u.topics = '' OR EXISTS (SELECT 1 FROM strings(u.topics) AS t WHERE t.value IN strings(c.accepted)))
    WHEN 'joined-since' THEN s.created >= c.at
    ELSE s.created < c.at END)
