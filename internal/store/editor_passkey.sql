-- columns: passkey
-- editor bigint, name, record, created bigint, used bigint

-- name: passkey.insert
-- A new passkey, unless the editor has as many as an editor may have. Index: editor_passkeys_editor.
INSERT INTO editor_passkeys (hash, columns(passkey))
SELECT CAST($1 AS text), id, CAST($3 AS text), CAST($4 AS text), CAST($5 AS bigint), 0 FROM editors
WHERE id = $2 AND (SELECT count(*) FROM editor_passkeys WHERE editor = $2) < CAST($6 AS bigint);

-- name: passkey.get
-- Index: primary key.
SELECT hash, columns(passkey) FROM editor_passkeys WHERE hash = $1;

-- name: passkey.list
-- The passkeys of an editor, the oldest first. Index: editor_passkeys_editor.
SELECT hash, columns(passkey) FROM editor_passkeys WHERE editor = $1 ORDER BY created, hash;

-- name: passkey.use
-- Records a use, unless another one was recorded since the record was read. Index: primary key.
UPDATE editor_passkeys SET record = $3, used = $4 WHERE hash = $1 AND record = $2;

-- name: passkey.rename
-- Index: primary key.
UPDATE editor_passkeys SET name = $3 WHERE hash = $1 AND editor = $2;

-- name: passkey.delete
-- Index: primary key.
DELETE FROM editor_passkeys WHERE hash = $1 AND editor = $2;

-- name: challenge.prune
-- Index: sign_in_challenges_expires.
DELETE FROM sign_in_challenges WHERE expires <= $1;

-- name: challenge.insert
-- A new challenge, unless there are too many. The count reads at most that many rows. Index: primary key.
INSERT INTO sign_in_challenges (hash, purpose, editor, data, expires)
SELECT CAST($1 AS text), CAST($2 AS text), CAST($3 AS bigint), CAST($4 AS text), CAST($5 AS bigint)
WHERE (SELECT count(*) FROM sign_in_challenges) < CAST($6 AS bigint);

-- name: challenge.take
-- Uses a challenge up. Index: primary key.
DELETE FROM sign_in_challenges WHERE hash = $1 AND purpose = $2 AND expires > $3 RETURNING editor, data;
