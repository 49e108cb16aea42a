-- +goose Up

CREATE TABLE subscribers (
    id             INTEGER PRIMARY KEY AUTOINCREMENT, -- never reused
    address_key    TEXT NOT NULL, -- as compared; "erased:" and the id when erased
    address        TEXT NOT NULL,
    name           TEXT NOT NULL,
    state          TEXT NOT NULL,
    language       TEXT NOT NULL,
    timezone       TEXT NOT NULL,
    consent_source TEXT NOT NULL,
    consent_text   TEXT NOT NULL,
    consent_ip     TEXT NOT NULL,
    consent_at     BIGINT NOT NULL,
    created        BIGINT NOT NULL,
    changed        BIGINT NOT NULL,
    soft           BIGINT NOT NULL,
    soft_from      BIGINT NOT NULL
);
CREATE UNIQUE INDEX subscribers_address ON subscribers (address_key);
CREATE INDEX subscribers_state ON subscribers (state, id);

-- The digests of a subscriber. The row of one who leaves is kept, with the date, so that no
-- import subscribes them again.
CREATE TABLE subscriptions (
    digest     TEXT NOT NULL,
    subscriber BIGINT NOT NULL REFERENCES subscribers (id) ON DELETE CASCADE,
    topics     TEXT NOT NULL, -- JSON, or empty for everything
    since      BIGINT NOT NULL,
    left_at    BIGINT NOT NULL, -- 0 while subscribed
    PRIMARY KEY (digest, subscriber)
) WITHOUT ROWID;
CREATE INDEX subscriptions_subscriber ON subscriptions (subscriber);

-- Keyed hashes of addresses that must not be mailed. Imports do not change them.
CREATE TABLE suppressions (
    hash   BLOB PRIMARY KEY,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    since  BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX suppressions_reason ON suppressions (reason);

CREATE TABLE editors (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    email_key TEXT NOT NULL,
    email     TEXT NOT NULL,
    name      TEXT NOT NULL,
    role      TEXT NOT NULL,
    password  TEXT NOT NULL, -- argon2id in PHC form, empty before the first one is set
    created   BIGINT NOT NULL,
    disabled  BIGINT NOT NULL
);
CREATE UNIQUE INDEX editors_email ON editors (email_key);

-- Sessions and one-time links are found by the hash of their token, so that a copy of the
-- store does not help to use them.
CREATE TABLE sessions (
    hash    BLOB PRIMARY KEY,
    editor  BIGINT NOT NULL REFERENCES editors (id) ON DELETE CASCADE,
    agent   TEXT NOT NULL,
    created BIGINT NOT NULL,
    seen    BIGINT NOT NULL,
    expires BIGINT NOT NULL
);
CREATE INDEX sessions_editor ON sessions (editor);
CREATE INDEX sessions_expires ON sessions (expires);

CREATE TABLE links (
    hash    BLOB PRIMARY KEY,
    purpose TEXT NOT NULL,
    data    TEXT NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL
);
CREATE INDEX links_expires ON links (expires);

-- Private feeds, found by the hash of their token.
CREATE TABLE feed_tokens (
    hash       BLOB PRIMARY KEY,
    subscriber BIGINT NOT NULL REFERENCES subscribers (id) ON DELETE CASCADE,
    digest     TEXT NOT NULL,
    created    BIGINT NOT NULL,
    revoked    BIGINT NOT NULL
);
CREATE INDEX feed_tokens_subscriber ON feed_tokens (subscriber, digest);
