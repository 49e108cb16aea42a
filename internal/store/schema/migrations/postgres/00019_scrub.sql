-- +goose Up

-- A keyed hash of the address that a job is about, such as a mail to one person: who is
-- erased takes their jobs along.
ALTER TABLE jobs ADD COLUMN about BYTEA NOT NULL DEFAULT '';
CREATE INDEX jobs_about ON jobs (about) WHERE about <> '';

-- Replies of mail servers name the recipient, and the work of jobs that ended is of no
-- use any more. Both are kept without addresses from now on, and what is there is
-- put right.
UPDATE jobs SET payload = '' WHERE state <> 'open';

CREATE FUNCTION pg_temp.scrub_addresses(said TEXT) RETURNS TEXT LANGUAGE SQL IMMUTABLE AS
'SELECT regexp_replace(said, ''("([^"\\]|\\.)*"|[^\s<>()\[\],;:"@]+)(@|%40|=40|&#64;|&#x40;|\(at\)|\[at\])(\[[^]\s]*\]|[[:alnum:]._-]+)'', ''[address]'', ''gi'')';

UPDATE jobs SET error = pg_temp.scrub_addresses(error) WHERE error LIKE '%@%' OR error LIKE '%\%40%' ESCAPE '\';
UPDATE deliveries SET reply = pg_temp.scrub_addresses(reply), reason = pg_temp.scrub_addresses(reason) WHERE reply LIKE '%@%' OR reply LIKE '%\%40%' ESCAPE '\' OR reason LIKE '%@%' OR reason LIKE '%\%40%' ESCAPE '\';
UPDATE feedback SET reply = pg_temp.scrub_addresses(reply) WHERE reply LIKE '%@%' OR reply LIKE '%\%40%' ESCAPE '\';
UPDATE suppressions SET detail = pg_temp.scrub_addresses(detail) WHERE detail LIKE '%@%' OR detail LIKE '%\%40%' ESCAPE '\';
UPDATE holds SET reason = pg_temp.scrub_addresses(reason) WHERE reason LIKE '%@%' OR reason LIKE '%\%40%' ESCAPE '\';
