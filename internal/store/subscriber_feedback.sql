-- name: feedback.insert
-- No row is touched when the key is there already. Index: primary key.
INSERT INTO feedback (key, subscriber, edition, kind, code, reply, source, at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (key) DO NOTHING;

-- name: feedback.ofSubscriber
-- The latest about a person. Index: feedback_subscriber.
SELECT key, subscriber, edition, kind, code, reply, source, at FROM feedback
WHERE subscriber = $1 ORDER BY at DESC, key LIMIT $2;

-- name: feedback.countOfEdition
-- How much of each kind came back. Index: feedback_edition.
SELECT kind, count(*) FROM feedback WHERE edition = $1 GROUP BY kind;

-- name: feedback.digestOf
-- Which digest an edition is of. Index: editions_id.
SELECT digest FROM editions WHERE id = $1;

-- name: feedback.forget
-- Drops the servers' words about an erased person. Index: feedback_subscriber.
UPDATE feedback SET reply = '' WHERE subscriber = $1 AND reply <> '';
