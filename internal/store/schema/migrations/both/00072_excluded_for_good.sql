-- +goose Up

-- Articles that an editor excluded from a digest for good, as opposed to those that were only marked
-- as seen, which can be returned to the queue together.
ALTER TABLE ledger ADD COLUMN excluded SMALLINT NOT NULL DEFAULT 0;

-- The edits of an edition are JSON. They are compared as text, so that a damaged one stops nothing.
UPDATE ledger SET excluded = 1 WHERE edition_id = '' AND EXISTS (SELECT 1 FROM editions e
    WHERE e.digest = ledger.digest AND e.edits LIKE '%"for_good":true%' AND e.edits LIKE '%"article":"' || ledger.article_id || '"%');
