-- name: article.older
-- The listed article before another one, by date. Index: articles_published.
SELECT slug, title, language FROM articles
WHERE status = 'published' AND published <= $2 AND (expires = 0 OR expires > $2)
    AND (published, seq) < ((SELECT published FROM articles WHERE id = $1), (SELECT seq FROM articles WHERE id = $1))
ORDER BY published DESC, seq DESC LIMIT 1;

-- name: article.newer
-- The listed article after another one, by date. Index: articles_published.
SELECT slug, title, language FROM articles
WHERE status = 'published' AND published <= $2 AND (expires = 0 OR expires > $2)
    AND (published, seq) > ((SELECT published FROM articles WHERE id = $1), (SELECT seq FROM articles WHERE id = $1))
ORDER BY published, seq LIMIT 1;
