-- +goose Up

-- The network that a WebSub callback was verified in. Subscriptions are limited by network
-- too, because one network can have any number of host names. Empty for earlier ones.
ALTER TABLE websub ADD COLUMN network TEXT NOT NULL DEFAULT '';
CREATE INDEX websub_network ON websub (network);
