-- +goose Up

-- Accounts of editors at a provider of sign-ins (OpenID Connect). Issuer and subject identify an
-- account for good; the address is that of the last sign-in, for the list of sign-in methods. id is
-- random: pages and the journal name an account by it.
CREATE TABLE editor_identities (
    id      TEXT PRIMARY KEY,
    issuer  TEXT NOT NULL,
    subject TEXT NOT NULL,
    editor  BIGINT NOT NULL REFERENCES editors (id) ON DELETE CASCADE,
    email   TEXT NOT NULL,
    created BIGINT NOT NULL,
    used    BIGINT NOT NULL
);
CREATE UNIQUE INDEX editor_identities_subject ON editor_identities (issuer, subject);
CREATE INDEX editor_identities_editor ON editor_identities (editor, created);
