-- columns: articleRevision
-- article, number bigint, kind, author, began bigint, saved bigint, fields, body

-- name: written.create
-- Begins the history of an article. Index: primary key.
INSERT INTO written_articles (article, head, live) VALUES ($1, 1, 0) ON CONFLICT (article) DO NOTHING;

-- name: written.advance
-- Adds a revision, unless someone else added one after $2. Index: primary key.
UPDATE written_articles SET head = head + 1 WHERE article = $1 AND head = $2;

-- name: written.head
-- Index: primary key.
SELECT head, live FROM written_articles WHERE article = $1;

-- name: written.setLive
-- Index: primary key.
UPDATE written_articles SET live = $2 WHERE article = $1;

-- name: written.insert
-- A new revision. Index: primary key.
INSERT INTO article_revisions (columns(articleRevision)) VALUES (values(articleRevision from 1));

-- name: written.drop
-- Removes an automatic save of the same author that a newer revision replaces. Index: primary key.
DELETE FROM article_revisions WHERE article = $1 AND number = $2 AND kind = 'autosaved' AND author = $3 AND began > $4;

-- name: written.began
-- Index: primary key.
SELECT began FROM article_revisions WHERE article = $1 AND number = $2 AND kind = 'autosaved' AND author = $3 AND began > $4;

-- name: written.revision
-- Index: primary key.
SELECT columns(articleRevision) FROM article_revisions WHERE article = $1 AND number = $2;

-- name: written.list
-- The newest revisions below a number, without what was written. Index: primary key.
SELECT article, number, kind, author, began, saved, '', '' FROM article_revisions
WHERE article = $1 AND number < $2 ORDER BY number DESC LIMIT $3;

-- name: written.translation
-- What the translations of an article have in common. Index: articles_id.
SELECT translation FROM articles WHERE id = $1;
