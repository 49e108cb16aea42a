-- name: revision.raise
-- The next revision. Its row is locked until the end of the transaction, so that
-- revisions are committed in their order. Index: primary key.
UPDATE revision SET value = value + 1 WHERE id = 1 RETURNING value;

-- name: revision.get
-- The newest revision, when an article may last have left a feed, and what the newest
-- node serves with. Index: primary key.
SELECT value, departed, settings, settled FROM revision WHERE id = 1;

-- name: revision.settle
-- Says what feeds are served with from now on. That is later than any time that was
-- told before, even where the clocks of nodes differ a little. Index: primary key.
UPDATE revision SET settings = CAST($1 AS text),
    settled = CASE WHEN departed < CAST($2 AS bigint) AND settled < CAST($2 AS bigint) THEN CAST($2 AS bigint)
        WHEN departed > settled THEN departed + 1000 ELSE settled + 1000 END,
    departed = CASE WHEN departed < CAST($2 AS bigint) AND settled < CAST($2 AS bigint) THEN CAST($2 AS bigint)
        WHEN departed > settled THEN departed + 1000 ELSE settled + 1000 END
WHERE id = 1 AND settings <> CAST($1 AS text);

-- name: revision.depart
-- Says that an article may have left a feed. Nodes' clocks differ a little, and
-- the time never goes back. Index: primary key.
UPDATE revision SET departed = $1 WHERE id = 1 AND departed < $1;

-- name: article.known
-- What an import needs to know of the article it may have. Index: articles_source.
SELECT seq, id, slug, wanted, hash, status, published, updated, ingested, offered, removed,
    source, guid, named, content, asked, title, expires
FROM articles WHERE source = $1;

-- name: article.knownByID
-- The same of an article whose file was recognised. Index: articles_id.
SELECT seq, id, slug, wanted, hash, status, published, updated, ingested, offered, removed,
    source, guid, named, content, asked, title, expires
FROM articles WHERE id = $1;

-- name: article.tracesAt
-- What the articles from some sources are recognised by. Index: articles_source.
SELECT id, source, wanted, named, guid, title, content, published, language FROM articles WHERE source IN strings($1);

-- name: article.traces
-- The articles that a file may be the new place of: those with its id, slug, title,
-- text or date. Indexes: articles_guid, articles_wanted, articles_title,
-- articles_content, articles_dated.
SELECT id, source, wanted, named, guid, title, content, published, language FROM articles WHERE seq IN (
    SELECT seq FROM (SELECT seq FROM articles WHERE guid = $1 AND guid <> '' LIMIT 50) AS g
    UNION SELECT seq FROM (SELECT seq FROM articles WHERE wanted = $2 LIMIT 50) AS w
    UNION SELECT seq FROM (SELECT seq FROM articles WHERE title = $3 LIMIT 50) AS t
    UNION SELECT seq FROM (SELECT seq FROM articles WHERE content = $4 AND content <> '' LIMIT 50) AS c
    UNION SELECT seq FROM (SELECT seq FROM articles WHERE published = CAST($5 AS bigint) LIMIT 50) AS d)
ORDER BY seq;

-- name: article.vacate
-- Takes a source from the article that had it, for another one to have.
-- Index: articles_source.
UPDATE articles SET source = 'moved:' || id WHERE source = $1 AND id <> $2;

-- name: article.relocate
-- Where an article's file is by now, and what it is recognised by. Readers see nothing
-- of it. Index: primary key.
UPDATE articles SET source = $2, guid = $3, named = $4, content = $5, asked = $6 WHERE seq = $1;

-- name: article.slugTaken
-- Says whether an article other than $2 has a slug, or had it and left a redirect.
-- A redirect that an import brought yields to an article.
-- Index: articles_slug, primary key of redirects.
SELECT (SELECT count(*) FROM articles WHERE slug = $1 AND seq <> CAST($2 AS bigint))
     + (SELECT count(*) FROM redirects WHERE path = $3 AND seq <> CAST($2 AS bigint));

-- name: article.insert
-- A new article.
INSERT INTO articles (id, source, slug, wanted, url, title, summary, html, language, authors, tags, image,
    enclosures, origin, published, updated, ingested, removed, status, hash, offered, appears, revision, former, expires)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25)
RETURNING seq;

-- name: article.update
-- The new content of article $1. Index: primary key.
UPDATE articles SET slug = $2, wanted = $3, url = $4, title = $5, summary = $6, html = $7, language = $8,
    authors = $9, tags = $10, image = $11, enclosures = $12, origin = $13, published = $14, updated = $15,
    removed = $16, status = $17, hash = $18, offered = $19, appears = $20, revision = $21, former = $22, expires = $23
WHERE seq = $1;

-- name: article.standing
-- Where an article stands between its author and its readers. Index: articles_id.
SELECT seq, status, former, published, offered, appears, expires FROM articles WHERE id = $1;

-- name: article.expired
-- The articles whose time has run out at $1, at most $2. Index: articles_expires.
SELECT id FROM articles WHERE expires > 0 AND expires <= $1 AND status IN ('published', 'unlisted') ORDER BY expires LIMIT $2;


-- name: article.setStanding
-- Removes or restores. Index: primary key.
UPDATE articles SET status = $2, former = $3, removed = $4, offered = $5, appears = $6, revision = $7, expires = $8 WHERE seq = $1;

-- name: article.setLabelStanding
-- Keeps the labels' copy of the status and place. Index: primary key.
UPDATE article_labels SET status = $2, appears = $3 WHERE seq = $1;

-- name: article.dropLabels
-- Index: primary key.
DELETE FROM article_labels WHERE seq = $1;

-- name: article.addLabels
-- The tags, authors and languages of an article, given as a JSON array of kind,
-- key and name.
INSERT INTO article_labels (seq, kind, key, name, status, appears, published)
SELECT CAST($1 AS bigint), l.value ->> 0, l.value ->> 1, l.value ->> 2, CAST($3 AS text), CAST($4 AS bigint), CAST($5 AS bigint)
FROM json_each($2) AS l WHERE true -- sqlite only
FROM jsonb_array_elements(CAST($2 AS jsonb)) AS l -- postgres only
ON CONFLICT (seq, kind, key) DO NOTHING;

-- name: article.setWords
-- The words of an article for searches. Index: primary key.
INSERT INTO article_words (seq, words) VALUES ($1, $2)
ON CONFLICT (seq) DO UPDATE SET words = excluded.words;

-- name: article.unindexWords
-- PostgreSQL keeps its index by itself.
DELETE FROM article_index WHERE rowid = $1; -- sqlite only

-- name: article.indexWords
-- Puts the words of an article into SQLite's index; PostgreSQL has its own.
INSERT INTO article_index (rowid, words) VALUES ($1, $2); -- sqlite only

-- name: article.byID
-- Index: articles_id.
SELECT seq, appears, revision, id, source, slug, url, title, summary, html, language, authors, tags, image, enclosures,
    origin, published, updated, ingested, removed, status, hash, expires
FROM articles WHERE id = $1;

-- name: article.bySlug
-- Index: articles_slug.
SELECT seq, appears, revision, id, source, slug, url, title, summary, html, language, authors, tags, image, enclosures,
    origin, published, updated, ingested, removed, status, hash, expires
FROM articles WHERE slug = $1;

-- name: article.bySource
-- Index: articles_source.
SELECT seq, appears, revision, id, source, slug, url, title, summary, html, language, authors, tags, image, enclosures,
    origin, published, updated, ingested, removed, status, hash, expires
FROM articles WHERE source = $1;

-- name: article.byIDs
-- The articles of an edition. Index: articles_id.
SELECT seq, appears, revision, id, source, slug, url, title, summary, html, language, authors, tags, image, enclosures,
    origin, published, updated, ingested, removed, status, hash, expires
FROM articles WHERE id IN strings($1);

-- name: article.changed
-- What changed after a revision, oldest change first. Index: articles_revision.
SELECT seq, appears, revision, id, source, slug, url, title, summary, html, language, authors, tags, image, enclosures,
    origin, published, updated, ingested, removed, status, hash, expires
FROM articles WHERE revision > $1 ORDER BY revision LIMIT $2;

-- name: article.appeared
-- The published articles whose time came, oldest first. Index: articles_appears.
SELECT seq, appears, revision, id, source, slug, url, title, summary, html, language, authors, tags, image, enclosures,
    origin, published, updated, ingested, removed, status, hash, expires
FROM articles WHERE status = 'published' AND appears BETWEEN $1 AND $2 ORDER BY appears, seq LIMIT $3;

-- name: article.nextDue
-- When the next article with a future date appears. Index: articles_appears.
SELECT appears FROM articles WHERE status = 'published' AND appears > $1 ORDER BY appears LIMIT 1;

-- name: article.count
-- How many articles have a status. Index: articles_appears.
SELECT count(*) FROM articles WHERE status = $1;

-- name: label.list
-- All tags, authors or languages with how many published articles have them, those with a
-- date to come included. Index: primary key of label_counts.
SELECT key, name, articles FROM label_counts WHERE kind = $1 AND articles > 0 ORDER BY key;

-- name: label.top
-- The same of those that most articles have. Index: label_counts_articles.
SELECT key, name, articles FROM label_counts WHERE kind = $1 AND articles > 0 ORDER BY articles DESC LIMIT $2;

-- name: label.future
-- How many of these articles have a date to come; of more than a thousand some. The limit and
-- the cross join have both engines read these articles first, and not all labels. Indexes:
-- articles_published, primary key of article_labels.
WITH future AS (SELECT seq FROM articles WHERE status = 'published' AND published > $2 ORDER BY published LIMIT 1000)
SELECT l.key, count(*) FROM future f CROSS JOIN article_labels l WHERE l.seq = f.seq AND l.kind = $1 GROUP BY l.key;

-- name: label.keys
-- All tags, authors or languages there are, from one to the next. Index: article_labels_appears.
WITH RECURSIVE keys (key) AS (
    SELECT min(key) FROM article_labels WHERE kind = $1 AND key > ''
    UNION ALL
    SELECT (SELECT min(l.key) FROM article_labels l WHERE l.kind = $1 AND l.key > keys.key) FROM keys WHERE keys.key IS NOT NULL
)
SELECT key FROM keys WHERE key IS NOT NULL;

-- name: label.spelling
-- How a tag, author or language is written by the newest article that has it, or
-- else by the newest removed one. Each part reads one row, however many articles
-- have it. Index: article_labels_appears.
SELECT name FROM (
    SELECT name, 1 AS place FROM (SELECT name FROM article_labels
        WHERE kind = $1 AND key = $2 AND status = 'published' ORDER BY appears DESC, seq DESC LIMIT 1) AS a
    UNION ALL
    SELECT name, 2 AS place FROM (SELECT name FROM article_labels
        WHERE kind = $1 AND key = $2 AND status = 'removed' ORDER BY appears DESC, seq DESC LIMIT 1) AS b
) AS spellings ORDER BY place LIMIT 1;

-- name: label.count
-- How many articles have a label, counted no further than $4: enough to choose
-- the rarest. Index: article_labels_appears.
SELECT count(*) FROM (SELECT 1 FROM article_labels WHERE kind = $1 AND key = $2 AND status = $3 LIMIT $4) AS few;

-- name: words.count
-- How many articles have all words of a search, counted no further than $2.
-- Index: article_index, article_words_index.
SELECT count(*) FROM (
SELECT 1 FROM article_index WHERE article_index MATCH $1 LIMIT $2 -- sqlite only
SELECT 1 FROM article_words WHERE each_word(words) @> string_to_array($1, ' ') LIMIT $2 -- postgres only
) AS few;
