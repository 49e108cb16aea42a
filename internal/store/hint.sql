-- name: hint.dismiss
-- Dismisses a hint. Index: primary key.
INSERT INTO dismissed_hints (name, at) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING;

-- name: hint.dismissed
-- Index: primary key.
SELECT at FROM dismissed_hints WHERE name = $1;
