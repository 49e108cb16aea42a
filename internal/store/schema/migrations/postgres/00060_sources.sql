-- +goose Up

-- Every article gets a label for its source, as article.SourceKey computes it: written in the browser, from a
-- file, or from another site.
INSERT INTO article_labels (seq, kind, key, name, status, appears, published)
SELECT seq, 'source', key, key, status, appears, published FROM (
    SELECT seq, status, appears, published, CASE
        WHEN source LIKE 'browser:%' THEN 'browser'
        WHEN origin = '' THEN 'files'
        ELSE trim(substr(coalesce(nullif(CAST(origin AS jsonb) ->> 'Title', ''), nullif(CAST(origin AS jsonb) ->> 'URL', ''), 'files'), 1, 200))
    END AS key
    FROM articles
) AS sources WHERE key <> ''
ON CONFLICT (seq, kind, key) DO NOTHING;
