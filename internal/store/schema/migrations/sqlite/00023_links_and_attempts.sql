-- +goose Up

-- One-time links name their maker and the person they are for. Those of earlier
-- versions name neither, so that nobody can tell whether they still ought to open
-- anything: they are void, and new ones can be made.
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

-- Tries to sign in, by account and network, counted for all nodes: when a bucket's
-- time lies too far ahead, it has no try left.
CREATE TABLE attempts (
    hash  BLOB PRIMARY KEY,
    until BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX attempts_until ON attempts (until);
