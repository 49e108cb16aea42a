-- part: changedArticles
-- The public articles that changed after revision $1 and up to $2, or whose date passed
-- after $3 and up to $4. Indexes: articles_revision, articles_appears.
SELECT seq FROM articles WHERE revision > $1 AND revision <= $2 AND status IN ('published', 'removed') AND appears <= $4
UNION ALL
SELECT seq FROM articles WHERE status = 'published' AND appears > $3 AND appears <= $4 AND revision <= $2

-- name: departure.put
-- Records the labels that an article had before an edit, whose feeds the edit changes, and
-- the edit itself. Index: primary key of article_labels.
INSERT INTO feed_left (revision, kind, key, at)
SELECT CAST($1 AS bigint), kind, key, CAST($4 AS bigint) FROM article_labels WHERE seq = $2
UNION ALL SELECT CAST($1 AS bigint), 'article', CAST($3 AS text), CAST($4 AS bigint);

-- name: departure.prune
-- Index: feed_left_at.
DELETE FROM feed_left WHERE at < $1;

-- name: hub.position
-- The position up to which changes have been announced to hubs. Index: primary key.
SELECT count, revision, at, editions, settings FROM hub_position WHERE id = 1;

-- name: hub.begin
-- Stores the position of the first announcement. Index: primary key.
INSERT INTO hub_position (id, count, revision, at, editions, settings) VALUES (1, $1, $2, $3, $4, $5) ON CONFLICT (id) DO NOTHING;

-- name: hub.advance
-- Stores the position of the next announcement. The count lets only one of two nodes
-- succeed. Index: primary key.
UPDATE hub_position SET count = $1, revision = $2, at = $3, editions = $4, settings = $5 WHERE id = 1 AND count = $6;

-- name: notification.put
-- Adds topics, a JSON array, to a hub's pending notifications. A topic that is pending
-- already keeps its due time; otherwise a feed that keeps changing would never be due.
-- Index: primary key.
INSERT INTO hub_notifications (hub, topic, stamp, due, since)
SELECT CAST($1 AS text), t.value, CAST($3 AS bigint), CAST($4 AS bigint), CAST($5 AS bigint) FROM strings($2) AS t WHERE true
ON CONFLICT (hub, topic) DO UPDATE SET stamp = excluded.stamp, since = excluded.since;

-- name: notification.next
-- A hub's pending notifications, those due first. Index: hub_news_due.
SELECT topic, stamp, due, since FROM hub_notifications WHERE hub = $1 ORDER BY due, topic LIMIT $2;

-- name: notification.drop
-- Removes a pending notification, unless its topic was announced again. Index: primary key.
DELETE FROM hub_notifications WHERE hub = $1 AND topic = $2 AND stamp = $3;

-- name: notification.defer
-- Moves a pending notification behind the others. Index: primary key.
UPDATE hub_notifications SET due = $3 WHERE hub = $1 AND topic = $2;

-- name: changes.labels
-- The tags, authors and languages whose feeds changed after revision $1 and up to $2, or
-- because an article's date passed after $3 and up to $4. Drafts and articles with a
-- future date are left out. Changes that are committed after the revision was read are
-- found by the next query. Indexes: articles_revision, articles_appears, primary keys of
-- article_labels and feed_left.
SELECT DISTINCT kind, key FROM article_labels WHERE seq IN (
part(changedArticles))
UNION
SELECT kind, key FROM feed_left WHERE revision > $1 AND revision <= $2
ORDER BY 1, 2;

-- name: changes.articles
-- The changed articles that are public or were until this change, at most $5.
-- Indexes: articles_revision, articles_appears.
SELECT seq, appears, revision, columns(article) FROM articles WHERE seq IN (
part(changedArticles))
ORDER BY seq LIMIT $5;

-- name: changes.editions
-- The editions whose delivery started after a time. Index: editions_started.
SELECT id, digest, started FROM editions WHERE started > $1 ORDER BY started, id;

-- name: changes.digests
-- The digests with a started edition that contains a changed article. Indexes:
-- articles_revision, primary key of ledger, editions_id.
SELECT DISTINCT g.digest FROM articles a CROSS JOIN digests d
JOIN ledger g ON g.digest = d.name AND g.article_id = a.id
JOIN editions e ON e.id = g.edition_id
WHERE a.revision > $1 AND a.revision <= $2 AND e.started > 0 ORDER BY g.digest;

-- name: revision.raise
-- Returns the next revision. Its row stays locked until the end of the transaction, so
-- revisions are committed in order. Index: primary key.
UPDATE revision SET value = value + 1 WHERE id = 1 RETURNING value;

-- name: revision.get
-- The newest revision, the last time at which an article may have left a feed, and the
-- fingerprint of the settings that feeds are served with. Index: primary key.
SELECT value, departed, settings, settled FROM revision WHERE id = 1;

-- name: revision.settle
-- Records new settings of feeds and the time of the change. The time is later than every
-- time recorded before, even if the clocks of nodes differ a little. Index: primary key.
UPDATE revision SET settings = CAST($1 AS text),
    settled = CASE WHEN departed < CAST($2 AS bigint) AND settled < CAST($2 AS bigint) THEN CAST($2 AS bigint)
        WHEN departed > settled THEN departed + 1000 ELSE settled + 1000 END,
    departed = CASE WHEN departed < CAST($2 AS bigint) AND settled < CAST($2 AS bigint) THEN CAST($2 AS bigint)
        WHEN departed > settled THEN departed + 1000 ELSE settled + 1000 END
WHERE id = 1 AND settings <> CAST($1 AS text);

-- name: revision.depart
-- Records that an article may have left a feed at $1. The time never goes back, even if
-- the clocks of nodes differ a little. Index: primary key.
UPDATE revision SET departed = $1 WHERE id = 1 AND departed < $1;

-- name: article.changed
-- The articles that changed after a revision, oldest change first. Index: articles_revision.
SELECT seq, appears, revision, columns(article) FROM articles WHERE revision > $1 ORDER BY revision LIMIT $2;

-- name: article.appeared
-- The published articles whose date is between $1 and $2, oldest first. Index: articles_appears.
SELECT seq, appears, revision, columns(article) FROM articles WHERE status = 'published' AND appears BETWEEN $1 AND $2 ORDER BY appears, seq LIMIT $3;

-- name: article.nextDue
-- The time at which the next article with a future date appears. Index: articles_appears.
SELECT appears FROM articles WHERE status = 'published' AND appears > $1 ORDER BY appears LIMIT 1;
