-- +goose Up

-- When editors were notified of the end of an edition, and 0 before. Editions that ended before
-- this migration count as noticed.
ALTER TABLE editions ADD COLUMN noticed BIGINT NOT NULL DEFAULT 0;
UPDATE editions SET noticed = finished WHERE finished > 0;
CREATE INDEX editions_unnoticed ON editions (seq) WHERE noticed = 0 AND finished > 0;
CREATE INDEX feedback_complaints ON feedback (at, edition) WHERE kind = 'complained';
