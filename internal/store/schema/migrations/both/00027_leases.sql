-- +goose Up

-- Leases for work that only one node does at a time, such as the removal of old rows.
CREATE TABLE leases (
    name        TEXT PRIMARY KEY,
    holder      TEXT NOT NULL, -- a random word of the process that has it
    lease_until BIGINT NOT NULL
);

-- Names that describe the contents of the tables.
ALTER TABLE wishes RENAME TO edition_preferences;
ALTER TABLE slots RENAME TO relay_connections;
ALTER TABLE hub_news RENAME TO hub_notifications;
