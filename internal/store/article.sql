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

-- name: article.count
-- How many articles have a status. Index: articles_appears.
SELECT count(*) FROM articles WHERE status = $1;

-- name: redirect.get
-- Where an old path leads: to the page of an article, or to a target.
-- Index: primary key, primary key of articles.
SELECT coalesce(a.slug, ''), r.target FROM redirects r LEFT JOIN articles a ON a.seq = r.seq WHERE r.path = $1;

-- name: redirect.put
-- Keeps or replaces a redirect. Index: primary key.
INSERT INTO redirects (path, seq, target, made) VALUES ($1, $2, $3, $4)
ON CONFLICT (path) DO UPDATE SET seq = excluded.seq, target = excluded.target;

-- name: redirect.drop
-- An article has taken the path itself. Index: primary key.
DELETE FROM redirects WHERE path = $1;

-- name: redirect.list
-- All redirects, for an export. Index: primary key.
SELECT r.path, coalesce(a.slug, ''), r.target FROM redirects r LEFT JOIN articles a ON a.seq = r.seq ORDER BY r.path;

-- name: medium.get
-- Index: primary key.
SELECT name, type, width, height, data FROM media WHERE name = $1;

-- name: medium.has
-- Index: primary key.
SELECT bytes FROM media WHERE name = $1;

-- name: medium.put
-- Its name is a hash of it, so one that is there is the same. Index: primary key.
INSERT INTO media (name, type, width, height, bytes, data) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (name) DO NOTHING;
