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
UPDATE editors SET name = $2, role = $3, password = $4, disabled = $5, email_key = $6, email = $7 WHERE id = $1;

-- name: editor.delete
-- Sessions go with it. Index: primary key.
DELETE FROM editors WHERE id = $1;

-- name: editor.count
-- Index: primary key.
SELECT count(*) FROM editors WHERE disabled = 0;

-- name: session.insert
-- Signs an editor in, unless their password was changed or they were disabled since
-- it was checked. Index: primary key of editors.
INSERT INTO sessions (hash, editor, agent, created, seen, expires)
SELECT CAST($1 AS blob), -- sqlite only
SELECT CAST($1 AS bytea), -- postgres only
    id, CAST($3 AS text), CAST($4 AS bigint), CAST($4 AS bigint), CAST($5 AS bigint) FROM editors
WHERE id = $2 AND password = $6 AND disabled = 0;

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
INSERT INTO links (hash, purpose, role, email_key, email, editor, maker, created, expires)
VALUES ($1, $2, $3, $4, $5, nullif(CAST($6 AS bigint), 0), nullif(CAST($7 AS bigint), 0), $8, $9)
RETURNING id;

-- name: link.byHash
-- Looks without using it up: a mail scanner may follow it. A link is void when its
-- maker may no longer sign in, a setup when somebody may, a reset when its editor may
-- not. Index: links_hash.
SELECT l.id, l.purpose, l.role, l.email, coalesce(l.editor, 0), coalesce(l.maker, 0), l.created, l.expires FROM links l
WHERE l.hash = $1 AND l.expires > $2
    AND (l.maker IS NULL OR EXISTS (SELECT 1 FROM editors m WHERE m.id = l.maker AND m.disabled = 0))
    AND (l.purpose <> 'setup' OR NOT EXISTS (SELECT 1 FROM editors o WHERE o.disabled = 0))
    AND (l.editor IS NULL OR EXISTS (SELECT 1 FROM editors e WHERE e.id = l.editor AND e.disabled = 0));

-- name: link.list
-- Those that open something, by the same rules. Index: links_expires.
SELECT l.id, l.purpose, l.role, l.email, coalesce(l.editor, 0), coalesce(l.maker, 0), l.created, l.expires FROM links l
WHERE l.expires > $1
    AND (l.maker IS NULL OR EXISTS (SELECT 1 FROM editors m WHERE m.id = l.maker AND m.disabled = 0))
    AND (l.purpose <> 'setup' OR NOT EXISTS (SELECT 1 FROM editors o WHERE o.disabled = 0))
    AND (l.editor IS NULL OR EXISTS (SELECT 1 FROM editors e WHERE e.id = l.editor AND e.disabled = 0))
ORDER BY l.created DESC, l.id DESC;

-- name: link.use
-- Of two who use a link at once one gets it. Index: links_hash.
DELETE FROM links WHERE hash = $1;

-- name: link.revoke
-- Index: primary key.
DELETE FROM links WHERE id = $1;

-- name: link.replace
-- A new link voids the older ones for the same person: a setup all setups, an
-- invitation those for the same address, a reset those of the same editor. There are
-- few links at any time. Index: none.
DELETE FROM links WHERE purpose = $1
    AND (purpose = 'setup' OR purpose = 'invite' AND email_key = $2 AND email_key <> '' OR purpose = 'reset' AND editor = $3);

-- name: link.dropOf
-- What must not outlive a change of an editor: links that they made, with $2, and
-- links that change their password. Index: none.
DELETE FROM links WHERE CAST($2 AS bigint) = 1 AND maker = $1 OR editor = $1;

-- name: link.prune
-- Index: links_expires.
DELETE FROM links WHERE expires <= $1;

-- name: attempt.get
-- Index: primary key.
SELECT until FROM attempts WHERE hash = $1;

-- name: attempt.take
-- Moves a bucket ahead by $3, unless it is more than $4 ahead of now already. Index:
-- primary key.
INSERT INTO attempts (hash, until) VALUES ($1, CAST($2 AS bigint) + CAST($3 AS bigint))
ON CONFLICT (hash) DO UPDATE SET until = CASE WHEN attempts.until > $2 THEN attempts.until ELSE $2 END + $3
WHERE attempts.until <= CAST($2 AS bigint) + CAST($4 AS bigint)
RETURNING until;

-- name: attempt.giveBack
-- Index: primary key.
UPDATE attempts SET until = until - CAST($2 AS bigint) WHERE hash = $1;

-- name: attempt.prune
-- Those that have all their tries again. Index: attempts_until.
DELETE FROM attempts WHERE until <= $1;
