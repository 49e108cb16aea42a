-- name: setting.revision
-- The newest revision; 0 without any. Index: primary key.
SELECT coalesce(max(revision), 0) FROM setting_revisions;

-- name: setting.list
-- All values, a few hundred at most. Index: primary key.
SELECT s.setting, s.value, s.file_value, s.revision, r.by_name, r.at
FROM settings s JOIN setting_revisions r ON r.revision = s.revision ORDER BY s.setting LIMIT $1;

-- name: setting.claim
-- Claims a revision; only one of two writers succeeds. Index: primary key.
INSERT INTO setting_revisions (revision, by_name, at) VALUES ($1, $2, $3) ON CONFLICT (revision) DO NOTHING;

-- name: setting.record
-- Index: primary key.
INSERT INTO setting_changes (revision, setting, value, file_value) VALUES ($1, $2, $3, $4);

-- name: setting.put
-- Index: primary key.
INSERT INTO settings (setting, value, file_value, revision) VALUES ($1, $2, $3, $4)
ON CONFLICT (setting) DO UPDATE SET value = excluded.value, file_value = excluded.file_value, revision = excluded.revision;

-- name: setting.remove
-- Index: primary key.
DELETE FROM settings WHERE setting = $1;

-- name: setting.changes
-- The newest changes after a revision, the newest first. Index: setting_changes_revision.
SELECT c.setting, c.value, c.file_value, c.revision, r.by_name, r.at
FROM setting_changes c JOIN setting_revisions r ON r.revision = c.revision
WHERE c.revision > $1 ORDER BY c.revision DESC, c.setting LIMIT $2;

-- name: setting.before
-- The newest change of a key up to a revision. Index: primary key.
SELECT value FROM setting_changes WHERE setting = $1 AND revision <= $2 ORDER BY revision DESC LIMIT 1;
