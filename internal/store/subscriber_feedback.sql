-- name: feedback.insert
-- Inserts a report. It changes no row if the report is known already. Index: primary key.
INSERT INTO feedback (key, subscriber, edition, kind, code, reply, source, at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (key) DO NOTHING;

-- name: feedback.ofSubscriber
-- The latest reports about a subscriber. Index: feedback_subscriber.
SELECT key, subscriber, edition, kind, code, reply, source, at FROM feedback
WHERE subscriber = $1 ORDER BY at DESC, key LIMIT $2;

-- name: feedback.countOfEdition
-- Counts the reports about an edition by kind. Index: feedback_edition.
SELECT kind, count(*) FROM feedback WHERE edition = $1 GROUP BY kind;

-- name: feedback.digestOf
-- The digest of an edition and, for a message, its audience and the digest through which
-- subscriber $2 got it. Indexes: editions_id, primary key of deliveries.
SELECT coalesce(nullif(d.digest, ''), e.digest), CASE WHEN d.digest IS NULL THEN e.audience ELSE '' END
FROM editions e LEFT JOIN deliveries d ON d.edition = e.seq AND d.subscriber = $2 WHERE e.id = $1;

-- name: feedback.forget
-- Removes the servers' replies about an erased person. Index: feedback_subscriber.
UPDATE feedback SET reply = '' WHERE subscriber = $1 AND reply <> '';
