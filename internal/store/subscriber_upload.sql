-- columns: upload
-- name, bytes bigint, state, revision bigint, settings, report, lines bigint, before bigint, started bigint, problem, editor, created bigint, ended bigint, expires bigint

-- name: upload.insert
-- A list whose file is still being stored. Index: primary key.
INSERT INTO uploaded_lists (id, columns(upload)) VALUES ($1, values(upload from 2));

-- name: upload.addPart
-- Index: primary key.
INSERT INTO uploaded_list_parts (list, part, data) VALUES ($1, $2, $3);

-- name: upload.complete
-- Records that the file of a list is stored. Index: primary key.
UPDATE uploaded_lists SET bytes = $2, settings = $3, expires = $4, state = 'uploaded' WHERE id = $1 AND state = 'uploading';

-- name: upload.part
-- Index: primary key.
SELECT data FROM uploaded_list_parts WHERE list = $1 AND part = $2;

-- name: upload.get
-- Index: primary key.
SELECT id, columns(upload) FROM uploaded_lists WHERE id = $1;

-- name: upload.recent
-- The newest lists. Index: uploaded_lists_created.
SELECT id, columns(upload) FROM uploaded_lists WHERE state <> 'uploading' ORDER BY created DESC, id LIMIT $1;

-- name: upload.countFiles
-- How many lists have a file, up to $1. Index: uploaded_lists_expires.
SELECT count(*) FROM (SELECT 1 FROM uploaded_lists WHERE expires > 0 AND state NOT IN ('imported', 'removed') LIMIT $1) AS few;

-- name: upload.check
-- Begins a dry run with new settings, if nobody changed them meanwhile. Index: primary key.
UPDATE uploaded_lists SET state = 'checking', settings = $3, revision = revision + 1, report = '{}', problem = '', started = $4, ended = 0, expires = $5
WHERE id = $1 AND revision = $2 AND expires > 0 AND state IN ('uploaded', 'checked', 'failed');

-- name: upload.start
-- Begins the import of a list that was checked with these settings. Index: primary key.
UPDATE uploaded_lists SET state = 'importing', report = '{}', before = $3, started = $4, editor = $5, ended = 0, expires = $6
WHERE id = $1 AND revision = $2 AND state = 'checked';

-- name: upload.progress
-- Index: primary key.
UPDATE uploaded_lists SET report = $2 WHERE id = $1;

-- name: upload.finish
-- Ends a run. Index: primary key.
UPDATE uploaded_lists SET state = $2, report = $3, problem = $4, ended = $5, expires = $6, lines = $7 WHERE id = $1 AND state IN ('checking', 'importing');

-- name: upload.remove
-- Gives up a list that is not being read, and lets its file be removed. Index: primary key.
UPDATE uploaded_lists SET state = 'removed', ended = $2, expires = $2 WHERE id = $1 AND state IN ('uploading', 'uploaded', 'checked', 'failed');

-- name: upload.refuse
-- Index: primary key.
INSERT INTO uploaded_list_refusals (list, number, line, reason, heading, value) VALUES ($1, $2, $3, $4, $5, $6);

-- name: upload.refusals
-- Refused lines after a number, in the order of the file. Index: primary key.
SELECT number, line, reason, heading, value FROM uploaded_list_refusals WHERE list = $1 AND number > $2 ORDER BY number LIMIT $3;

-- name: upload.dropRefusals
-- Index: primary key.
DELETE FROM uploaded_list_refusals WHERE list = $1;

-- name: upload.forget
-- Deletes the refused lines that name an address in small letters. Index: none; there are few refused
-- lines, and erasures are rare.
DELETE FROM uploaded_list_refusals WHERE instr(lower(value), $1) > 0; -- sqlite only
DELETE FROM uploaded_list_refusals WHERE strpos(lower(value), $1) > 0; -- postgres only

-- name: upload.expired
-- Lists whose file or refused lines have to be removed, but none that is being read. Index: uploaded_lists_expires.
SELECT id FROM uploaded_lists WHERE expires > 0 AND expires <= $1 AND state NOT IN ('checking', 'importing') ORDER BY expires LIMIT $2;

-- name: upload.closeExpired
-- Closes an expired list before its file is removed, unless it is read meanwhile. Index: primary key.
UPDATE uploaded_lists SET state = CASE WHEN state IN ('imported', 'failed') THEN state ELSE 'removed' END
WHERE id = $1 AND expires > 0 AND expires <= $2 AND state NOT IN ('checking', 'importing');

-- name: upload.leftovers
-- Lists that were imported and whose file is still there. Indexes: uploaded_lists_expires, primary key of
-- uploaded_list_parts.
SELECT id FROM uploaded_lists u WHERE expires > 0 AND state = 'imported' AND EXISTS (SELECT 1 FROM uploaded_list_parts p WHERE p.list = u.id);

-- name: upload.dropParts
-- Deletes some parts of a file. Index: primary key.
DELETE FROM uploaded_list_parts WHERE list = $1 AND part IN (SELECT part FROM uploaded_list_parts WHERE list = $1 ORDER BY part LIMIT $2);

-- name: upload.cleared
-- Records that nothing of a list is left but its report. Index: primary key.
UPDATE uploaded_lists SET expires = 0 WHERE id = $1;
