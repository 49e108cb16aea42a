-- +goose Up

-- One-time links record who created them and for whom. Those of earlier versions do not, so
-- whether they are still valid cannot be checked. They are dropped, and new ones can be made.
DROP TABLE links;
CREATE TABLE links (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    hash      BLOB NOT NULL,
    purpose   TEXT NOT NULL, -- setup, invite or reset
    role      TEXT NOT NULL, -- of the editor that a setup or invitation makes
    email_key TEXT NOT NULL, -- whom an invitation is for; empty for anyone who holds it
    email     TEXT NOT NULL,
    editor    BIGINT REFERENCES editors (id) ON DELETE CASCADE, -- whose password a reset changes
    maker     BIGINT REFERENCES editors (id) ON DELETE CASCADE, -- NULL for the command line
    created   BIGINT NOT NULL,
    expires   BIGINT NOT NULL
);
CREATE UNIQUE INDEX links_hash ON links (hash);
CREATE INDEX links_expires ON links (expires);

-- Attempts to sign in, by account and network, counted for all nodes. A bucket whose time is
-- too far in the future has no attempt left.
CREATE TABLE attempts (
    hash  BLOB PRIMARY KEY,
    until BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX attempts_until ON attempts (until);
