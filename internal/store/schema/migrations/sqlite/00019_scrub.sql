-- +goose Up

-- A keyed hash of the address that a job is about, such as a mail to one person. An erasure
-- deletes the jobs of the person.
ALTER TABLE jobs ADD COLUMN about BLOB NOT NULL DEFAULT x'';
CREATE INDEX jobs_about ON jobs (about) WHERE about <> x'';

-- Replies of mail servers contain the recipient's address, and payloads of finished jobs are
-- no longer needed. From now on both are stored without addresses. Existing rows are cleaned.
UPDATE jobs SET payload = x'' WHERE state <> 'open';

UPDATE jobs SET error = scrub_addresses(error) WHERE error LIKE '%@%' OR error LIKE '%\%40%' ESCAPE '\';
UPDATE deliveries SET reply = scrub_addresses(reply), reason = scrub_addresses(reason) WHERE reply LIKE '%@%' OR reply LIKE '%\%40%' ESCAPE '\' OR reason LIKE '%@%' OR reason LIKE '%\%40%' ESCAPE '\';
UPDATE feedback SET reply = scrub_addresses(reply) WHERE reply LIKE '%@%' OR reply LIKE '%\%40%' ESCAPE '\';
UPDATE suppressions SET detail = scrub_addresses(detail) WHERE detail LIKE '%@%' OR detail LIKE '%\%40%' ESCAPE '\';
UPDATE holds SET reason = scrub_addresses(reason) WHERE reason LIKE '%@%' OR reason LIKE '%\%40%' ESCAPE '\';
