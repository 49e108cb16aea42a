-- name: editor.insert
-- A new editor.
INSERT INTO editors (email_key, email, name, role, password, created, disabled) VALUES ($1, $2, $3, $4, $5, $6, 0)
RETURNING id;

-- name: editor.byEmail
-- Index: editors_email.
SELECT id, email, name, role, password, created, disabled FROM editors WHERE email_key = $1;

-- name: editor.byID
-- Index: primary key.
SELECT id, email, name, role, password, created, disabled FROM editors WHERE id = $1;

-- name: editor.list
-- Index: editors_email.
SELECT id, email, name, role, password, created, disabled FROM editors ORDER BY email_key;

-- name: editor.update
-- Index: primary key.
UPDATE editors SET name = $2, role = $3, password = $4, disabled = $5 WHERE id = $1;

-- name: editor.delete
-- Sessions go with it. Index: primary key.
DELETE FROM editors WHERE id = $1;

-- name: editor.count
-- Index: primary key.
SELECT count(*) FROM editors WHERE disabled = 0;

-- name: session.insert
-- Signs an editor in.
INSERT INTO sessions (hash, editor, agent, created, seen, expires) VALUES ($1, $2, $3, $4, $4, $5);

-- name: session.get
-- A session that has not expired, of an editor who is not disabled. Index: primary key.
SELECT s.agent, s.created, s.seen, s.expires, e.id, e.email, e.name, e.role, e.password, e.created, e.disabled
FROM sessions s JOIN editors e ON e.id = s.editor
WHERE s.hash = $1 AND s.expires > $2 AND e.disabled = 0;

-- name: session.touch
-- Index: primary key.
UPDATE sessions SET seen = $2, expires = $3 WHERE hash = $1;

-- name: session.delete
-- Index: primary key.
DELETE FROM sessions WHERE hash = $1;

-- name: session.deleteOthers
-- Signs an editor out everywhere but here. Index: sessions_editor.
DELETE FROM sessions WHERE editor = $1 AND hash <> $2;

-- name: session.prune
-- Index: sessions_expires.
DELETE FROM sessions WHERE expires <= $1;

-- name: link.insert
-- A new one-time link.
INSERT INTO links (hash, purpose, data, created, expires) VALUES ($1, $2, $3, $4, $5);

-- name: link.get
-- Looks without using it up: a mail scanner may follow it. Index: primary key.
SELECT data FROM links WHERE hash = $1 AND purpose = $2 AND expires > $3;

-- name: link.use
-- Of two who use a link at once one gets it. Index: primary key.
DELETE FROM links WHERE hash = $1 AND purpose = $2 AND expires > $3 RETURNING data;

-- name: link.prune
-- Index: links_expires.
DELETE FROM links WHERE expires <= $1;
