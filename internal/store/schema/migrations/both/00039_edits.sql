-- +goose Up

-- What editors changed in a draft, as JSON; empty for nothing.
ALTER TABLE editions ADD COLUMN edits TEXT NOT NULL DEFAULT '';

-- Who gets a message that is not for the subscribers of one digest, as JSON; empty for an edition.
ALTER TABLE editions ADD COLUMN audience TEXT NOT NULL DEFAULT '';

-- The tick at which a draft is due, in Unix milliseconds, or 0 for none.
ALTER TABLE editions ADD COLUMN send_at BIGINT NOT NULL DEFAULT 0;
