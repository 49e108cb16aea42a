-- name: undo.chunks
-- Removes the chunks of an edition. It comes first: a node that claims a chunk locks it before the
-- edition. Index: primary key.
DELETE FROM chunks WHERE edition = $1;

-- name: undo.edition
-- Makes an approved edition a draft again, unless its first chunk was claimed. If it was due at a
-- tick, the schedule does not send it. Index: editions_id.
UPDATE editions SET state = 'draft', automatic = 0, approved = 0, undo_until = 0, settings = '', audience_count = 0, audience_max = 0,
    reason = $2, held = CASE WHEN send_at > 0 THEN $2 ELSE '' END
WHERE id = $1 AND state = 'approved' AND started = 0;

-- name: undo.deliveries
-- Index: primary key.
DELETE FROM deliveries WHERE edition = $1;

-- name: undo.variants
-- Index: primary key.
DELETE FROM variants WHERE edition = $1;

-- name: undo.approvals
-- Index: primary key.
DELETE FROM edition_approvals WHERE edition = $1;
