-- columns: article
-- id, source, slug, url, title, summary, html, language, authors, tags, image, enclosures, origin,
-- published bigint, updated bigint, ingested bigint, removed bigint, status, hash, expires bigint, episode,
-- weight bigint

-- columns: storedArticle
-- seq bigint, id, slug, wanted, hash, status, published bigint, updated bigint, ingested bigint, offered bigint,
-- removed bigint, source, guid, named bigint, content, asked, title, expires bigint, translation

-- columns: identity
-- id, source, wanted, named bigint, guid, title, content, published bigint, language

-- name: article.storedBySource
-- The stored state of an article, by its source. Index: articles_source.
SELECT columns(storedArticle) FROM articles WHERE source = $1;

-- name: article.storedByID
-- The stored state of an article, by its id. Index: articles_id.
SELECT columns(storedArticle) FROM articles WHERE id = $1;

-- name: article.identitiesFrom
-- The identities of the articles from some sources. Index: articles_source.
SELECT columns(identity) FROM articles WHERE source IN strings($1);

-- name: article.similarIdentities
-- Candidates for the article in a moved file: those with the same id, slug, title, text or
-- date. Indexes: articles_guid, articles_wanted, articles_title, articles_content,
-- articles_dated.
SELECT columns(identity) FROM articles WHERE seq IN (
    SELECT seq FROM (SELECT seq FROM articles WHERE guid = $1 AND guid <> '' LIMIT 50) AS g
    UNION SELECT seq FROM (SELECT seq FROM articles WHERE wanted = $2 LIMIT 50) AS w
    UNION SELECT seq FROM (SELECT seq FROM articles WHERE title = $3 LIMIT 50) AS t
    UNION SELECT seq FROM (SELECT seq FROM articles WHERE content = $4 AND content <> '' LIMIT 50) AS c
    UNION SELECT seq FROM (SELECT seq FROM articles WHERE published = CAST($5 AS bigint) LIMIT 50) AS d)
ORDER BY seq;

-- name: article.releaseSource
-- Takes a source from the article that has it, so that article $2 can have it.
-- Index: articles_source.
UPDATE articles SET source = 'moved:' || id WHERE source = $1 AND id <> $2;

-- name: article.setIdentity
-- Updates the source and identity of an article. Feeds and pages do not change.
-- Index: primary key.
UPDATE articles SET source = $2, guid = $3, named = $4, content = $5, asked = $6, translation = $7 WHERE seq = $1;

-- name: article.slugTaken
-- Counts the articles other than $2 that have a slug, or had it and left a redirect.
-- Imported redirects are not counted: an article may take their path.
-- Index: articles_slug, primary key of redirects.
SELECT (SELECT count(*) FROM articles WHERE slug = $1 AND seq <> CAST($2 AS bigint))
     + (SELECT count(*) FROM redirects WHERE path = $3 AND seq <> CAST($2 AS bigint));

-- name: article.insert
-- A new article.
INSERT INTO articles (wanted, offered, appears, revision, former, columns(article))
VALUES ($1, $2, $3, $4, $5, values(article from 6))
RETURNING seq;

-- name: article.update
-- The new content of an article. Index: primary key.
UPDATE articles SET (wanted, offered, appears, revision, former, columns(article)) = ($1, $2, $3, $4, $5, values(article from 6))
WHERE seq = $28;

-- name: article.visibility
-- The columns that determine whether an article is public. Index: articles_id.
SELECT seq, status, former, published, offered, appears, expires FROM articles WHERE id = $1;

-- name: article.expired
-- At most $2 articles whose expiry date is $1 or earlier. Index: articles_expires. Left to itself,
-- SQLite reads all articles with these states.
SELECT id FROM articles
INDEXED BY articles_expires -- sqlite only
WHERE expires > 0 AND expires <= $1 AND status IN ('published', 'unlisted') ORDER BY expires LIMIT $2;

-- name: article.setVisibility
-- Removes or restores an article. Index: primary key.
UPDATE articles SET status = $2, former = $3, removed = $4, offered = $5, appears = $6, revision = $7, expires = $8 WHERE seq = $1;

-- name: article.setLabelVisibility
-- Updates the labels' copy of the status and position. Index: primary key.
UPDATE article_labels SET status = $2, appears = $3 WHERE seq = $1;

-- name: article.byID
-- Index: articles_id.
SELECT seq, appears, revision, columns(article) FROM articles WHERE id = $1;

-- name: article.bySlug
-- Index: articles_slug.
SELECT seq, appears, revision, columns(article) FROM articles WHERE slug = $1;

-- name: article.byIDs
-- The articles of an edition. Index: articles_id.
SELECT seq, appears, revision, columns(article) FROM articles WHERE id IN strings($1);

-- name: article.count
-- How many articles have a status. Index: articles_appears.
SELECT count(*) FROM articles WHERE status = $1;

-- name: article.lastSeq
-- The highest number so far. Index: primary key.
SELECT coalesce(max(seq), 0) FROM articles;

-- name: redirect.get
-- The target of a redirect: the slug of an article, or a URL.
-- Index: primary key, primary key of articles.
SELECT coalesce(a.slug, ''), r.target FROM redirects r LEFT JOIN articles a ON a.seq = r.seq WHERE r.path = $1;

-- name: redirect.keptBack
-- Whether the article with a slug is not published yet. Index: articles_slug.
SELECT 1 FROM articles WHERE slug = $1 AND (status = 'draft' OR published > $2);

-- name: redirect.put
-- Inserts or replaces a redirect. Index: primary key.
INSERT INTO redirects (path, seq, target, made) VALUES ($1, $2, $3, $4)
ON CONFLICT (path) DO UPDATE SET seq = excluded.seq, target = excluded.target;

-- name: redirect.drop
-- Removes a redirect whose path an article has taken. Index: primary key.
DELETE FROM redirects WHERE path = $1;
