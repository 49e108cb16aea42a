-- +goose Up

-- Access that was taken from editors again after a restore, as the journal records it, until the
-- quarantine ends.
CREATE TABLE quarantine_access (
    editor TEXT NOT NULL, -- the mail address
    change TEXT NOT NULL, -- password, role, disabled or removed
    at     BIGINT NOT NULL,
    PRIMARY KEY (editor, change)
) WITHOUT ROWID;

-- The number of private feeds that were closed again.
ALTER TABLE quarantine ADD COLUMN feeds BIGINT NOT NULL DEFAULT 0;
