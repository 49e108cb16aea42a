-- part: firstSendAllowed
-- Whether an edition to many recipients may be sent. Indexes: primary key, editions_large.
(EXISTS (SELECT 1 FROM diagnosis WHERE accepted > 0 OR at > 0 AND errors = 0)
    OR EXISTS (SELECT 1 FROM editions large WHERE large.audience_count > 1000 AND large.started > 0))

-- name: diagnosis.get
-- Index: none, there is one row.
SELECT at, errors, warnings, report, accepted, accepted_by FROM diagnosis;

-- name: diagnosis.put
-- Stores a run in place of the one before. Index: primary key.
INSERT INTO diagnosis (id, at, errors, warnings, report, accepted, accepted_by) VALUES (1, $1, $2, $3, $4, 0, '')
ON CONFLICT (id) DO UPDATE SET at = excluded.at, errors = excluded.errors, warnings = excluded.warnings, report = excluded.report;

-- name: diagnosis.accept
-- Index: primary key.
INSERT INTO diagnosis (id, at, errors, warnings, report, accepted, accepted_by) VALUES (1, 0, 0, 0, '', $1, $2)
ON CONFLICT (id) DO UPDATE SET accepted = excluded.accepted, accepted_by = excluded.accepted_by;

-- name: diagnosis.allows
-- 1 if an edition to many recipients may be sent, else 0. Indexes: those of the part.
SELECT CASE WHEN part(firstSendAllowed) THEN 1 ELSE 0 END;

-- name: diagnosis.hold
-- Records why a draft is not sent yet. Index: editions_id.
UPDATE editions SET held = $2 WHERE id = $1 AND state = 'draft' AND automatic = 1 AND held = '';
