-- +goose Up

-- The network that a WebSub callback was verified in. Subscriptions are bounded by it
-- too: one network can have any number of names. Empty for those from before.
ALTER TABLE websub ADD COLUMN network TEXT NOT NULL DEFAULT '';
CREATE INDEX websub_network ON websub (network);
