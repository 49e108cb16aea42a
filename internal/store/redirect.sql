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
