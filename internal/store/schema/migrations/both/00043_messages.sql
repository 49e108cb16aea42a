-- +goose Up

-- The digest through whose subscription a subscriber gets a message. Its mail leads to
-- unsubscribing from this digest. Empty for editions: it is the edition's digest.
ALTER TABLE deliveries ADD COLUMN digest TEXT NOT NULL DEFAULT '';

-- The list of messages.
CREATE INDEX editions_messages ON editions (seq) WHERE audience <> '';
