-- +goose Up

-- A keyed hash of the address that a job is about, such as a mail to one person. An erasure
-- deletes the jobs of the person.
ALTER TABLE jobs ADD COLUMN about BYTEA NOT NULL DEFAULT '';
CREATE INDEX jobs_about ON jobs (about) WHERE about <> '';

-- Replies of mail servers contain the recipient's address, and payloads of finished jobs are
-- no longer needed. From now on both are stored without addresses. Existing rows are cleaned.
UPDATE jobs SET payload = '' WHERE state <> 'open';

CREATE FUNCTION pg_temp.scrub_addresses(said TEXT) RETURNS TEXT LANGUAGE SQL IMMUTABLE AS
'SELECT regexp_replace(said, ''("([^"\\]|\\.)*"|[^\s<>()\[\],;:"@]+)(@|%40|=40|&#64;|&#x40;|\(at\)|\[at\])(\[[^]\s]*\]|[[:alnum:]._-]+)'', ''[address]'', ''gi'')';

UPDATE jobs SET error = pg_temp.scrub_addresses(error) WHERE error LIKE '%@%' OR error LIKE '%\%40%' ESCAPE '\';
UPDATE deliveries SET reply = pg_temp.scrub_addresses(reply), reason = pg_temp.scrub_addresses(reason) WHERE reply LIKE '%@%' OR reply LIKE '%\%40%' ESCAPE '\' OR reason LIKE '%@%' OR reason LIKE '%\%40%' ESCAPE '\';
UPDATE feedback SET reply = pg_temp.scrub_addresses(reply) WHERE reply LIKE '%@%' OR reply LIKE '%\%40%' ESCAPE '\';
UPDATE suppressions SET detail = pg_temp.scrub_addresses(detail) WHERE detail LIKE '%@%' OR detail LIKE '%\%40%' ESCAPE '\';
UPDATE holds SET reason = pg_temp.scrub_addresses(reason) WHERE reason LIKE '%@%' OR reason LIKE '%\%40%' ESCAPE '\';
