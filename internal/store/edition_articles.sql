-- name: ledger.insert
-- Records that an article is in an edition. The unique (digest, article) keeps an article
-- from being sent twice.
INSERT INTO ledger (digest, article_id, edition_id) VALUES ($1, $2, $3) ON CONFLICT (digest, article_id) DO NOTHING;

-- name: ledger.take
-- Records that an editor put an article into an edition, even if it was marked as seen. It changes
-- nothing if another edition contains the article. Index: primary key.
INSERT INTO ledger (digest, article_id, edition_id) VALUES ($1, $2, $3)
ON CONFLICT (digest, article_id) DO UPDATE SET edition_id = excluded.edition_id, excluded = 0 WHERE ledger.edition_id = '';

-- name: ledger.exclude
-- Excludes an article of a draft for good: no edition of the digest will contain it, unless an
-- editor adds it. Index: primary key.
UPDATE ledger SET edition_id = '', excluded = 1 WHERE digest = $1 AND article_id = $2 AND edition_id = $3;

-- name: ledger.of
-- The editions that contain some articles, or empty for articles that were marked as seen. Index:
-- primary key.
SELECT article_id, edition_id FROM ledger WHERE digest = $1 AND article_id IN strings($2);

-- name: ledger.unmarkSeen
-- Returns articles that an editor marked as seen to the digest's queue: those dated before
-- $2, or all if $2 is 0. Those that an editor excluded for good stay out. Indexes: ledger_edition, articles_id.
DELETE FROM ledger WHERE digest = $1 AND edition_id = '' AND excluded = 0
    AND (CAST($2 AS bigint) = 0 OR article_id IN (SELECT id FROM articles WHERE published < CAST($2 AS bigint)));

-- name: ledger.counts
-- Counts the articles of a digest that were marked as seen, are in drafts, and are in other
-- editions. Indexes: primary key of ledger, editions_id.
SELECT coalesce(sum(CASE WHEN l.edition_id = '' AND l.excluded = 0 THEN 1 ELSE 0 END), 0), coalesce(sum(CASE WHEN e.state = 'draft' THEN 1 ELSE 0 END), 0),
    coalesce(sum(CASE WHEN l.edition_id <> '' AND (e.state IS NULL OR e.state <> 'draft') THEN 1 ELSE 0 END), 0)
FROM ledger l LEFT JOIN editions e ON e.id = l.edition_id WHERE l.digest = $1;

-- name: ledger.release
-- Releases the articles of an edition that was sent to no one, for the next edition.
-- Index: ledger_edition.
DELETE FROM ledger WHERE edition_id = $1;

-- name: ledger.releaseUntried
-- The same for an edition that was cancelled while it was being sent, if no mail was
-- attempted. Indexes: ledger_edition, chunks_open, primary key of deliveries.
DELETE FROM ledger WHERE edition_id = $2 AND EXISTS (SELECT 1 FROM editions WHERE seq = $1 AND state = 'cancelled')
    AND NOT EXISTS (SELECT 1 FROM chunks WHERE edition = $1 AND state <> 'done')
    AND NOT EXISTS (SELECT 1 FROM deliveries WHERE edition = $1 AND tries > 0);

-- name: edition.withdrawn
-- The articles of an edition that are no longer published. Indexes: primary key of
-- edition_articles, articles_id.
SELECT a.id, a.title FROM edition_articles x JOIN articles a ON a.id = x.article_id WHERE x.edition = $1 AND a.status <> 'published' ORDER BY x.position;

-- name: edition.underWayWith
-- The unfinished editions that contain an article. Indexes: editions_state, primary key of
-- edition_articles.
SELECT e.id FROM editions e JOIN edition_articles x ON x.edition = e.seq
WHERE e.state IN ('approved', 'sending', 'paused') AND x.article_id = $1 ORDER BY e.seq;

-- name: edition.pendingNotices
-- Articles of unfinished editions that are no longer published, and about which editors were
-- not notified yet. Indexes: editions_state, primary key of edition_articles, articles_id.
SELECT e.seq, e.id, e.digest, e.subject, e.state, a.id, a.title
FROM editions e JOIN edition_articles x ON x.edition = e.seq JOIN articles a ON a.id = x.article_id
WHERE e.state IN ('approved', 'sending', 'paused') AND x.told = 0 AND a.status <> 'published' ORDER BY e.seq, x.position;

-- name: edition.recordNotice
-- Claims the notification about a withdrawn article; only one of two nodes succeeds.
-- Index: primary key.
UPDATE edition_articles SET told = $3 WHERE edition = $1 AND article_id = $2 AND told = 0;

-- name: ledger.drop
-- Index: primary key.
DELETE FROM ledger WHERE digest = $1 AND article_id = $2 AND edition_id = $3;
