-- columns: audit
-- at bigint, editor bigint, who, action, kind, object, detail, request, network

-- part: auditPage
-- Entries in a span of time, older than that with the time $3 and the number $4, with the filters
-- that are not empty, the newest first.
SELECT id, columns(audit) FROM audit_log
WHERE at >= $1 AND at < $2 AND (at, id) < ($3, $4)
    AND (CAST($5 AS text) = '' OR who = $5) AND (CAST($6 AS text) = '' OR action = $6)
    AND (CAST($7 AS text) = '' OR kind = $7) AND (CAST($8 AS text) = '' OR object = $8)

-- name: audit.add
-- A new entry.
INSERT INTO audit_log (columns(audit)) VALUES (values(audit from 1));

-- name: audit.all
-- Index: audit_log_at.
part(auditPage)
ORDER BY at DESC, id DESC LIMIT $9;

-- name: audit.who
-- The entries of one person. Index: audit_log_who.
part(auditPage) AND who = $5
ORDER BY at DESC, id DESC LIMIT $9;

-- name: audit.action
-- The entries with one action. Index: audit_log_action.
part(auditPage) AND action = $6
ORDER BY at DESC, id DESC LIMIT $9;

-- name: audit.object
-- The entries about one object. Index: audit_log_object.
part(auditPage) AND kind = $7 AND object = $8
ORDER BY at DESC, id DESC LIMIT $9;
