-- +goose Up

-- The skipped deliveries of an edition by reason. Without it, the page of an edition reads the deliveries
-- of every chunk that has a skipped one to count them.
CREATE INDEX deliveries_skipped ON deliveries (edition, reason) WHERE state = 'skipped';
