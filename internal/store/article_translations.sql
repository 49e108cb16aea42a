-- name: translations.of
-- The public translations of some articles, at the time $2: for each article, those with the same
-- key in another language. The cross join makes SQLite begin with the few articles, the condition on
-- b's key repeats that of the partial index, and IS TRUE keeps it from reading all listed articles.
-- Indexes: articles_id, articles_translation.
SELECT a.id, b.language, b.slug, b.url FROM articles a CROSS JOIN articles b
WHERE a.id IN strings($1) AND a.translation <> ''
  AND b.translation = a.translation AND b.translation <> '' AND b.seq <> a.seq AND b.language <> a.language
  AND (b.status = 'published' AND b.appears <= CAST($2 AS bigint) AND (b.expires = 0 OR b.expires > CAST($2 AS bigint))) IS TRUE
ORDER BY a.id, b.language, b.seq;

-- name: translations.others
-- The articles with the same key as one of some articles. Indexes: articles_id, articles_translation.
SELECT seq, appears, revision, columns(article) FROM articles WHERE seq IN (
    SELECT b.seq FROM articles a CROSS JOIN articles b WHERE b.translation = a.translation AND b.seq <> a.seq AND a.id IN strings($1) AND a.translation <> '' AND b.translation <> '') AND status = 'published'
ORDER BY seq LIMIT $2;

-- name: translations.touch
-- Marks the articles with a key as changed, because one article left or joined them.
-- Index: articles_translation.
UPDATE articles SET revision = $2 WHERE translation = $1 AND translation <> '' AND seq <> $3;
