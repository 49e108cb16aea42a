-- columns: provider
-- issuer, subject, editor bigint, email, created bigint, used bigint

-- name: provider.insert
-- A new account at a provider.
INSERT INTO editor_identities (id, columns(provider)) VALUES ($1, values(provider from 2));

-- name: provider.get
-- Index: editor_identities_subject.
SELECT id, columns(provider) FROM editor_identities WHERE issuer = $1 AND subject = $2;

-- name: provider.list
-- The accounts of an editor, the oldest first. Index: editor_identities_editor.
SELECT id, columns(provider) FROM editor_identities WHERE editor = $1 ORDER BY created, id;

-- name: provider.use
-- Records a sign-in with the address that the account has now. Index: primary key.
UPDATE editor_identities SET email = $2, used = $3 WHERE id = $1;

-- name: provider.delete
-- Index: primary key.
DELETE FROM editor_identities WHERE id = $1 AND editor = $2;

-- name: editor.ownerWithoutPassword
-- Whether an owner has signed in without a password, with a passkey or, at the issuer $1, an account.
-- There are few editors. Index: editor_passkeys_editor and editor_identities_editor.
SELECT count(*) FROM editors e WHERE e.role = 'owner' AND e.disabled = 0 AND (
    EXISTS (SELECT 1 FROM editor_passkeys p WHERE p.editor = e.id AND p.used > 0)
    OR EXISTS (SELECT 1 FROM editor_identities i WHERE i.editor = e.id AND i.issuer = $1 AND i.used > 0));
