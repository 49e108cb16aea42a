-- +goose Up

-- When a digest's first tick or edition was dealt with; 0 before that. What comes in
-- later belongs to the digest whatever its date; what was there before, only if it is
-- dated since the digest's beginning (since). Digests at work go on as they were.
ALTER TABLE digests ADD COLUMN began BIGINT NOT NULL DEFAULT 0;
UPDATE digests SET began = CASE WHEN since > 1 THEN since - 1 ELSE 1 END
WHERE EXISTS (SELECT 1 FROM editions e WHERE e.digest = digests.name) OR EXISTS (SELECT 1 FROM ticks t WHERE t.digest = digests.name);

-- Finds what waits for a digest without reading the articles, whose HTML stands before
-- the time at which they came in.
CREATE INDEX articles_waiting ON articles (status, published, seq, appears);
