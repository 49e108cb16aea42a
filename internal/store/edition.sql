-- columns: edition
-- id, digest, number bigint, scheduled_for, state, automatic bigint, author, subject, reason, audience_count bigint,
-- audience_max bigint, created bigint, approved bigint, started bigint, finished bigint, settings

-- name: edition.insert
-- The unique row (digest, scheduled_for) lets one of two nodes win.
INSERT INTO editions (columns(edition)) VALUES (values(edition from 1))
ON CONFLICT (digest, scheduled_for) DO NOTHING
RETURNING seq;

-- name: edition.addArticle
-- One article of an edition, at its place.
INSERT INTO edition_articles (edition, position, article_id) VALUES ($1, $2, $3);

-- name: edition.get
-- Index: editions_id.
SELECT seq, columns(edition) FROM editions WHERE id = $1;

-- name: edition.bySeq
-- Index: primary key.
SELECT seq, columns(edition) FROM editions WHERE seq = $1;

-- name: edition.list
-- The newest editions, of one digest or, with an empty name, of all. Index: primary key.
SELECT seq, columns(edition) FROM editions WHERE $1 = '' OR digest = $1 ORDER BY seq DESC LIMIT $2;

-- name: edition.unattended
-- The oldest drafts of some digests that no editor needs to look at. Index: editions_state.
SELECT seq, columns(edition) FROM editions WHERE state = 'draft' AND automatic = 1 AND digest IN strings($1) ORDER BY seq LIMIT $2;

-- name: edition.articles
-- Index: primary key.
SELECT article_id FROM edition_articles WHERE edition = $1 ORDER BY position;

-- name: edition.setSubject
-- Only a draft can still change. Index: editions_id.
UPDATE editions SET subject = $2 WHERE id = $1 AND state = 'draft';

-- name: edition.setState
-- A change of state from a known one: of two who try, one succeeds. Index: editions_id.
UPDATE editions SET state = $3, reason = $4,
    finished = CASE WHEN $3 IN ('sent', 'cancelled', 'failed') THEN CAST($5 AS bigint) ELSE finished END
WHERE id = $1 AND state = $2;

-- name: edition.waitingDraft
-- The newest drafts that a digest's schedule made and that wait for an editor. Index: editions_state.
SELECT seq, columns(edition) FROM editions WHERE state = 'draft' AND automatic = 0 AND author = '' AND digest = $1 ORDER BY seq DESC LIMIT $2;

-- name: edition.redraft
-- A later tick gives a draft other articles. Index: editions_id.
UPDATE editions SET subject = $2, created = $3 WHERE id = $1 AND state = 'draft' AND created = $4 AND subject = $5;

-- name: edition.clearArticles
-- Index: primary key.
DELETE FROM edition_articles WHERE edition = $1;

-- name: edition.dropArticle
-- An article that was withdrawn before the approval is not in the edition. Index: primary key.
DELETE FROM edition_articles WHERE edition = $1 AND article_id = $2;

-- name: edition.start
-- The first chunk is taken up. One that was paused before that and resumed is being
-- sent already. Index: primary key.
UPDATE editions SET state = 'sending', started = CAST($2 AS bigint) WHERE seq = $1 AND started = 0 AND state IN ('approved', 'sending');

-- name: edition.lock
-- Makes the nodes that end the last chunks of an edition look one after the other:
-- each sees what the one before has done. A stronger lock would wait for the key
-- locks that their changes of chunks have taken, and they for it. Index: primary key.
SELECT id FROM editions WHERE seq = $1
FOR NO KEY UPDATE -- postgres only
;

-- name: edition.finish
-- An edition is sent when all its chunks are done. Index: chunks_open.
UPDATE editions SET state = 'sent', finished = $2
WHERE seq = $1 AND state = 'sending' AND NOT EXISTS (SELECT 1 FROM chunks WHERE edition = $1 AND state <> 'done');

-- name: edition.counts
-- Progress, from the counters that every batch of outcomes keeps. Index: primary key of chunks.
SELECT CAST(coalesce(sum(total), 0) AS bigint), CAST(coalesce(sum(sent), 0) AS bigint), CAST(coalesce(sum(refused), 0) AS bigint),
    CAST(coalesce(sum(skipped), 0) AS bigint), CAST(coalesce(sum(deferred), 0) AS bigint), CAST(coalesce(sum(uncertain), 0) AS bigint)
FROM chunks WHERE edition = $1;

-- name: edition.skipped
-- Why readers of an edition were skipped. Only chunks with skipped readers are read.
-- Index: primary keys of chunks and deliveries.
SELECT d.reason, count(*) FROM chunks c CROSS JOIN deliveries d -- sqlite only
SELECT d.reason, count(*) FROM chunks c JOIN deliveries d ON true -- postgres only
WHERE c.edition = $1 AND c.skipped > 0 AND d.edition = c.edition AND d.subscriber BETWEEN c.first_id AND c.last_id AND d.state = 'skipped'
GROUP BY d.reason;
