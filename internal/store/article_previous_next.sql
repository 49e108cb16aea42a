-- name: article.older
-- The listed article before another one, by date. Index: articles_published. The plus keeps
-- SQLite from beginning at the present time, and reading all articles after the other one.
SELECT slug, title, language FROM articles
WHERE status = 'published' AND +published <= $2 AND (expires = 0 OR expires > $2)
    AND (published, seq) < ((SELECT published FROM articles WHERE id = $1), (SELECT seq FROM articles WHERE id = $1))
ORDER BY published DESC, seq DESC LIMIT 1;

-- name: article.newer
-- The listed article after another one, by date. Index: articles_published.
SELECT slug, title, language FROM articles
WHERE status = 'published' AND published <= $2 AND (expires = 0 OR expires > $2)
    AND (published, seq) > ((SELECT published FROM articles WHERE id = $1), (SELECT seq FROM articles WHERE id = $1))
ORDER BY published, seq LIMIT 1;

-- name: article.newestWithTag
-- The newest listed articles with a tag. Index: article_labels_published.
SELECT seq, published FROM article_labels
WHERE kind = 'tag' AND key = $1 AND status = 'published' AND published <= $2 ORDER BY published DESC, seq DESC LIMIT $3;

-- name: article.headings
-- What a list of related articles shows of these articles. Index: primary key.
SELECT seq, id, slug, title, language, published FROM articles
WHERE seq IN numbers($1) AND status = 'published' AND (expires = 0 OR expires > $2);
