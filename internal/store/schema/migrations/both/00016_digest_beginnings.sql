-- +goose Up

-- When a digest's first tick or edition was handled, or 0 before that. Articles that are
-- imported later belong to the digest whatever their date. Earlier ones belong to it only if
-- they are dated after the digest's start (since). Existing digests do not change.
ALTER TABLE digests ADD COLUMN began BIGINT NOT NULL DEFAULT 0;
UPDATE digests SET began = CASE WHEN since > 1 THEN since - 1 ELSE 1 END
WHERE EXISTS (SELECT 1 FROM editions e WHERE e.digest = digests.name) OR EXISTS (SELECT 1 FROM ticks t WHERE t.digest = digests.name);

-- Finds the articles that wait for a digest without reading their rows, in which the HTML
-- precedes the time of import.
CREATE INDEX articles_waiting ON articles (status, published, seq, appears);
