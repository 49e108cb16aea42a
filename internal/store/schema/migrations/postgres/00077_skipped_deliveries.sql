-- +goose Up

-- The skipped deliveries of an edition by reason, and the few others that have a reason. Without it, the
-- page of an edition reads the deliveries of every chunk that has a skipped one to count them. The index
-- does not depend on the state, so that a mail that is sent changes only its row (a HOT update).
CREATE INDEX deliveries_skipped ON deliveries (edition, reason) WHERE reason <> '';
