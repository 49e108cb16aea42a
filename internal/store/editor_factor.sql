-- name: factor.get
-- Index: primary key.
SELECT secret, confirmed, last_step FROM editor_factors WHERE editor = $1;

-- name: factor.start
-- A new secret, unless a confirmed one is in use. Index: primary key.
INSERT INTO editor_factors (editor, secret, confirmed, last_step) VALUES ($1, $2, 0, 0)
ON CONFLICT (editor) DO UPDATE SET secret = excluded.secret WHERE editor_factors.confirmed = 0;

-- name: factor.confirm
-- Begins to use a secret. Index: primary key.
UPDATE editor_factors SET confirmed = $2, last_step = $3 WHERE editor = $1 AND confirmed = 0;

-- name: factor.useStep
-- Uses up the code of a step and of all earlier ones. Index: primary key.
UPDATE editor_factors SET last_step = $2 WHERE editor = $1 AND confirmed > 0 AND last_step < $2;

-- name: factor.delete
-- Index: primary key.
DELETE FROM editor_factors WHERE editor = $1;

-- name: factor.addCode
-- One recovery code.
INSERT INTO editor_recovery_codes (editor, hash) VALUES ($1, $2);

-- name: factor.codes
-- The hashes of unused recovery codes, at most ten. Index: primary key.
SELECT hash FROM editor_recovery_codes WHERE editor = $1;

-- name: factor.useCode
-- Index: primary key.
DELETE FROM editor_recovery_codes WHERE editor = $1 AND hash = $2;

-- name: factor.deleteCodes
-- Index: primary key.
DELETE FROM editor_recovery_codes WHERE editor = $1;

-- name: factor.countCodes
-- Index: primary key.
SELECT count(*) FROM editor_recovery_codes WHERE editor = $1;

-- name: factor.count
-- The confirmed apps and the passkeys of an editor. Index: primary key, editor_passkeys_editor.
SELECT (SELECT count(*) FROM editor_factors WHERE editor = $1 AND confirmed > 0), (SELECT count(*) FROM editor_passkeys WHERE editor = $1);
