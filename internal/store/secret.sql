-- name: secret.get
-- The value of a secret. Index: primary key.
SELECT value FROM secrets WHERE name = $1;

-- name: secret.put
-- Stores a new secret unless another node stored one first. Index: primary key.
INSERT INTO secrets (name, value, created) VALUES ($1, $2, $3)
ON CONFLICT (name) DO NOTHING;
