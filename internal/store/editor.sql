-- columns: editor
-- email, name, role, password, created bigint, disabled bigint, language

-- name: editor.insert
-- A new editor.
INSERT INTO editors (email_key, columns(editor)) VALUES ($1, values(editor from 2))
RETURNING id;

-- name: editor.byEmail
-- Index: editors_email.
SELECT id, columns(editor) FROM editors WHERE email_key = $1;

-- name: editor.byID
-- Index: primary key.
SELECT id, columns(editor) FROM editors WHERE id = $1;

-- name: editor.list
-- Index: editors_email.
SELECT id, columns(editor) FROM editors ORDER BY email_key;

-- name: editor.lock
-- An editor, whose row is locked until the end of the transaction. Index: primary key.
SELECT id, columns(editor) FROM editors WHERE id = $1
FOR UPDATE -- postgres only
;

-- name: editor.owners
-- The owners who may sign in, locked until the end of the transaction, so that two of them cannot
-- take each other's role at the same time. There are few editors. Index: none.
SELECT id, columns(editor) FROM editors WHERE role = 'owner' AND disabled = 0
FOR UPDATE -- postgres only
;

-- name: editor.update
-- Index: primary key.
UPDATE editors SET (email_key, columns(editor)) = ($1, values(editor from 2)) WHERE id = $9;

-- name: editor.setLanguage
-- Index: primary key.
UPDATE editors SET language = $2 WHERE id = $1;

-- name: editor.delete
-- Deletes an editor; the sessions are deleted by cascade. Index: primary key.
DELETE FROM editors WHERE id = $1;

-- name: editor.count
-- Index: primary key.
SELECT count(*) FROM editors WHERE disabled = 0;

-- name: session.insert
-- Inserts a session, unless the editor's password changed or the editor was disabled since
-- the password was checked. Index: primary key of editors.
INSERT INTO sessions (hash, editor, agent, created, seen, expires, proved)
SELECT CAST($1 AS blob), -- sqlite only
SELECT CAST($1 AS bytea), -- postgres only
    id, CAST($3 AS text), CAST($4 AS bigint), CAST($4 AS bigint), CAST($5 AS bigint), CAST($4 AS bigint) FROM editors
WHERE id = $2 AND password = $6 AND disabled = 0;

-- name: session.get
-- A session that has not expired, of an editor who is not disabled. Index: primary key.
SELECT s.agent, s.created, s.seen, s.expires, s.proved, s.factor, e.id, columns(editor of e)
FROM sessions s JOIN editors e ON e.id = s.editor
WHERE s.hash = $1 AND s.expires > $2 AND e.disabled = 0;

-- name: session.touch
-- Prolongs a session until $3, but to no longer than $4 after its beginning. Index: primary key.
UPDATE sessions SET seen = $2, expires = CASE WHEN CAST($3 AS bigint) < created + CAST($4 AS bigint) THEN CAST($3 AS bigint) ELSE created + CAST($4 AS bigint) END
WHERE hash = $1;

-- name: session.prove
-- Records that the editor proved who they are. Index: primary key.
UPDATE sessions SET proved = $2 WHERE hash = $1;

-- name: session.setFactor
-- Records the second factor of a session. Index: primary key.
UPDATE sessions SET factor = $2 WHERE hash = $1;

-- name: session.list
-- The sessions of an editor, the last used first. Index: sessions_editor.
SELECT hash, agent, created, seen, expires FROM sessions WHERE editor = $1 AND expires > $2 ORDER BY seen DESC, created DESC LIMIT $3;

-- name: session.deleteOf
-- Deletes a session if it is one of the editor's. Index: primary key.
DELETE FROM sessions WHERE hash = $1 AND editor = $2;

-- name: session.delete
-- Index: primary key.
DELETE FROM sessions WHERE hash = $1;

-- name: session.deleteOthers
-- Deletes all sessions of an editor except $2. Index: sessions_editor.
DELETE FROM sessions WHERE editor = $1 AND hash <> $2;

-- name: session.prune
-- Index: sessions_expires.
DELETE FROM sessions WHERE expires <= $1;

