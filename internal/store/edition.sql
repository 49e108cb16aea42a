-- columns: edition
-- id, digest, number bigint, scheduled_for, state, automatic bigint, author, subject, reason, audience_count bigint,
-- audience_max bigint, created bigint, approved bigint, started bigint, finished bigint, settings,
-- edits, audience, send_at bigint, held, undo_until bigint

-- name: edition.insert
-- Inserts an edition. The unique (digest, scheduled_for) lets only one of two nodes succeed.
INSERT INTO editions (columns(edition)) VALUES (values(edition from 1))
ON CONFLICT (digest, scheduled_for) DO NOTHING
RETURNING seq;

-- name: edition.addArticle
-- Adds an article to an edition, at a position.
INSERT INTO edition_articles (edition, position, article_id) VALUES ($1, $2, $3);

-- name: edition.get
-- Index: editions_id.
SELECT seq, columns(edition) FROM editions WHERE id = $1;

-- name: edition.bySeq
-- Index: primary key.
SELECT seq, columns(edition) FROM editions WHERE seq = $1;

-- name: edition.list
-- The newest editions of one digest, or of all digests with an empty name. Index: primary key.
SELECT seq, columns(edition) FROM editions WHERE $1 = '' OR digest = $1 ORDER BY seq DESC LIMIT $2;

-- name: edition.unattended
-- The oldest drafts of some digests that need no approval by an editor. One that is held, as the first
-- edition to many recipients, is among them when it may be sent, or $3 is 1. Index: editions_state.
SELECT seq, columns(edition) FROM editions WHERE state = 'draft' AND automatic = 1 AND digest IN strings($1)
    AND (held = '' OR $3 = 1 OR part(firstSendAllowed)) ORDER BY seq LIMIT $2;

-- name: edition.open
-- The newest editions that have not ended. Index: editions_state.
SELECT seq, columns(edition) FROM editions WHERE state IN ('draft', 'approved', 'sending', 'paused') ORDER BY seq DESC LIMIT $1;

-- name: edition.ended
-- The newest editions that have ended. Index: editions_state.
SELECT seq, columns(edition) FROM editions WHERE state IN ('sent', 'cancelled', 'failed') ORDER BY seq DESC LIMIT $1;

-- name: edition.articles
-- Index: primary key.
SELECT article_id FROM edition_articles WHERE edition = $1 ORDER BY position;

-- name: edition.setSubject
-- Changes the subject of a draft. Index: editions_id.
UPDATE editions SET subject = $2 WHERE id = $1 AND state = 'draft';

-- name: edition.setState
-- Changes the state if it is still $2, so only one of two concurrent changes succeeds.
-- Index: editions_id.
UPDATE editions SET state = $3, reason = $4,
    finished = CASE WHEN $3 IN ('sent', 'cancelled', 'failed') THEN CAST($5 AS bigint) ELSE finished END
WHERE id = $1 AND state = $2;

-- name: edition.waitingDraft
-- The newest drafts that a digest's schedule created and that wait for an editor's approval. A
-- draft that is not due yet is none of them: later articles do not join it.
-- Index: editions_state.
SELECT seq, columns(edition) FROM editions
WHERE state = 'draft' AND automatic = 0 AND author = '' AND audience = '' AND digest = $1 AND (send_at = 0 OR send_at <= $3 AND held <> '') ORDER BY seq DESC LIMIT $2;

-- name: edition.draft
-- The newest draft of a digest, made by its schedule or by hand. Index: editions_state.
SELECT seq, columns(edition) FROM editions WHERE state = 'draft' AND audience = '' AND digest = $1 ORDER BY seq DESC LIMIT 1;

-- name: edition.redraft
-- Updates a draft to which a later tick adds articles, if it did not change meanwhile.
-- Index: editions_id.
UPDATE editions SET subject = $2, created = $3, send_at = $7, held = $8
WHERE id = $1 AND state = 'draft' AND created = $4 AND subject = $5 AND edits = $6 AND send_at = $9 AND held = $10;

-- name: edition.edit
-- Changes a draft if it is still the one that the editor saw: no other editor and no later tick
-- has changed it. Index: editions_id.
UPDATE editions SET subject = $2, edits = $3 WHERE id = $1 AND state = 'draft' AND created = $4 AND subject = $5 AND edits = $6;

-- name: edition.clearArticles
-- Index: primary key.
DELETE FROM edition_articles WHERE edition = $1;

-- name: edition.dropArticle
-- Removes an article that was withdrawn before the approval. Index: primary key.
DELETE FROM edition_articles WHERE edition = $1 AND article_id = $2;

-- name: edition.start
-- Records that the first chunk was claimed. An edition that was paused before that and
-- resumed has the state sending already. Index: primary key.
UPDATE editions SET state = 'sending', started = CAST($2 AS bigint) WHERE seq = $1 AND started = 0 AND state IN ('approved', 'sending');

-- name: edition.lock
-- Serializes the nodes that finish the last chunks of an edition, so that each sees the
-- changes of the one before. A stronger lock (FOR UPDATE) would deadlock with the key locks
-- that their updates of chunks hold. Index: primary key.
SELECT id FROM editions WHERE seq = $1
FOR NO KEY UPDATE -- postgres only
;

-- name: edition.finish
-- An edition is sent when all its chunks are done. Index: chunks_open.
UPDATE editions SET state = 'sent', finished = $2
WHERE seq = $1 AND state = 'sending' AND NOT EXISTS (SELECT 1 FROM chunks WHERE edition = $1 AND state <> 'done');

-- name: edition.counts
-- The progress of an edition: the sums of its chunks' counters. Index: primary key of chunks.
SELECT CAST(coalesce(sum(total), 0) AS bigint), CAST(coalesce(sum(sent), 0) AS bigint), CAST(coalesce(sum(refused), 0) AS bigint),
    CAST(coalesce(sum(skipped), 0) AS bigint), CAST(coalesce(sum(deferred), 0) AS bigint), CAST(coalesce(sum(warming), 0) AS bigint), CAST(coalesce(sum(uncertain), 0) AS bigint)
FROM chunks WHERE edition = $1;

-- name: edition.skipped
-- Counts the skipped subscribers of an edition by reason; each has one. Index: deliveries_skipped.
SELECT d.reason, count(*) FROM deliveries d INDEXED BY deliveries_skipped -- sqlite only
SELECT d.reason, count(*) FROM deliveries d -- postgres only
WHERE d.edition = $1 AND d.reason <> '' AND d.state = 'skipped' GROUP BY d.reason;
