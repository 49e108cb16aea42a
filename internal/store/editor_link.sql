-- part: openLinks
-- The valid links. A link is void when its maker may no longer sign in, a setup link when any
-- editor may sign in, and the link of an editor when they may not.
SELECT l.id, l.purpose, l.role, l.email, coalesce(l.editor, 0), coalesce(l.maker, 0), l.created, l.expires FROM links l
WHERE (l.maker IS NULL OR EXISTS (SELECT 1 FROM editors m WHERE m.id = l.maker AND m.disabled = 0))
    AND (l.purpose <> 'setup' OR NOT EXISTS (SELECT 1 FROM editors o WHERE o.disabled = 0))
    AND (l.editor IS NULL OR EXISTS (SELECT 1 FROM editors e WHERE e.id = l.editor AND e.disabled = 0))

-- name: link.insert
-- A new one-time link.
INSERT INTO links (hash, purpose, role, email_key, email, editor, maker, created, expires)
VALUES ($1, $2, $3, $4, $5, nullif(CAST($6 AS bigint), 0), nullif(CAST($7 AS bigint), 0), $8, $9)
RETURNING id;

-- name: link.byHash
-- A valid link. Reading it does not use it up, since a mail scanner may follow it.
-- Index: links_hash.
part(openLinks)
AND l.hash = $1 AND l.expires > $2;

-- name: link.list
-- All valid links but those that wait for a code, the newest first. Index: links_expires.
part(openLinks)
AND l.expires > $1 AND l.purpose <> 'code'
ORDER BY l.created DESC, l.id DESC;

-- name: link.invitation
-- The valid invitation to an address. There are few links at any time. Index: links_expires.
part(openLinks)
AND l.expires > $2 AND l.purpose = 'invite' AND l.email_key = $1 AND l.email_key <> ''
ORDER BY l.id DESC LIMIT 1;

-- name: link.use
-- Uses a link up; of two concurrent uses, one succeeds. Index: links_hash.
DELETE FROM links WHERE hash = $1;

-- name: link.revoke
-- Index: primary key.
DELETE FROM links WHERE id = $1;

-- name: link.replace
-- Deletes the older links that a new one replaces: for a setup link all setup links, for an
-- invitation those to the same address, for a reset or a new address those of the same editor.
-- There are few links at any time. Index: none.
DELETE FROM links WHERE purpose = $1
    AND (purpose = 'setup' OR purpose = 'invite' AND email_key = $2 AND email_key <> '' OR purpose IN ('reset', 'address') AND editor = $3);

-- name: link.dropOf
-- Deletes the links that a change of an editor voids: those that set the editor's password or
-- address and, if $2 is 1, those that the editor created. Index: none.
DELETE FROM links WHERE CAST($2 AS bigint) = 1 AND maker = $1 OR editor = $1;

-- name: link.prune
-- Index: links_expires.
DELETE FROM links WHERE expires <= $1;
