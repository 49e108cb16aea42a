-- +goose Up

-- Passkeys of editors (WebAuthn). hash is the SHA-256 of the credential's id, in hex. record is the
-- credential with its public key, counter and flags, in JSON. used is 0 until the first sign-in.
CREATE TABLE editor_passkeys (
    hash    TEXT PRIMARY KEY,
    editor  BIGINT NOT NULL REFERENCES editors (id) ON DELETE CASCADE,
    name    TEXT NOT NULL,
    record  TEXT NOT NULL,
    created BIGINT NOT NULL,
    used    BIGINT NOT NULL
);
CREATE INDEX editor_passkeys_editor ON editor_passkeys (editor, created);

-- What a browser was asked to sign or to bring back while someone signs in. Each row is used once.
-- hash is that of a random token that the browser has.
CREATE TABLE sign_in_challenges (
    hash    TEXT PRIMARY KEY,
    purpose TEXT NOT NULL,
    editor  BIGINT NOT NULL, -- 0 until it is known who signs in
    data    TEXT NOT NULL,
    expires BIGINT NOT NULL
);
CREATE INDEX sign_in_challenges_expires ON sign_in_challenges (expires);
