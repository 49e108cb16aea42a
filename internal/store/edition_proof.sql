-- name: proof.due
-- The drafts of some digests whose time to be sent has come, and that nothing holds.
-- Index: editions_state.
SELECT seq, columns(edition) FROM editions
WHERE state = 'draft' AND automatic = 0 AND held = '' AND send_at > 0 AND send_at <= $2 AND digest IN strings($1) ORDER BY seq LIMIT $3;

-- name: proof.meetDeadline
-- Decides about a draft whose time has come. A draft that a later tick has joined since it was
-- read has another time, and is left alone. Index: editions_id.
UPDATE editions SET automatic = $3, held = $4 WHERE id = $1 AND send_at = $2 AND state = 'draft' AND automatic = 0 AND held = '';

-- name: proof.hold
-- Index: editions_id.
UPDATE editions SET held = $2 WHERE id = $1 AND state = 'draft' AND automatic = 0 AND held = '';

-- name: proof.unhold
-- Ends the hold of a draft before its time. Index: editions_id.
UPDATE editions SET held = '' WHERE id = $1 AND state = 'draft' AND held <> '' AND send_at > $2;

-- name: proof.emptyDue
-- Approved editions without recipients whose time has come. Index: editions_state.
SELECT seq FROM editions WHERE state = 'approved' AND audience_count = 0 AND (send_at > 0 OR undo_until > 0) AND send_at <= $1 AND undo_until <= $1;

-- name: tick.get
-- Index: primary key.
SELECT edition FROM ticks WHERE digest = $1 AND scheduled_for = $2;

-- name: tick.setReason
-- Records what became of the edition of a tick. Index: primary key.
UPDATE ticks SET reason = $3 WHERE digest = $1 AND scheduled_for = $2;

-- name: approval.put
-- Index: primary key.
INSERT INTO edition_approvals (edition, editor, name, fingerprint, at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (edition, editor) DO UPDATE SET name = excluded.name, fingerprint = excluded.fingerprint, at = excluded.at;

-- name: approval.list
-- The approvals of an edition, the oldest first. Approvals of editors who were disabled or removed,
-- or whose role permits no approval any more, do not count for a draft. Indexes: primary keys.
SELECT a.editor, a.name, a.fingerprint, a.at FROM edition_approvals a JOIN editions d ON d.seq = a.edition LEFT JOIN editors e ON e.id = a.editor
WHERE a.edition = $1 AND (a.editor = 0 OR d.state <> 'draft' OR e.disabled = 0 AND e.role IN ('editor', 'owner')) ORDER BY a.at, a.editor;

-- name: approval.discard
-- Removes the approvals of other content. Index: primary key.
DELETE FROM edition_approvals WHERE edition = $1 AND fingerprint <> $2;

-- name: approval.drafts
-- Drafts that some, but not enough editors have approved. Index: editions_state.
SELECT seq, columns(edition) FROM editions e
WHERE e.state = 'draft' AND e.automatic = 0 AND digest IN strings($1) AND EXISTS (SELECT 1 FROM edition_approvals a WHERE a.edition = e.seq) ORDER BY e.seq LIMIT $2;
