-- +goose Up

-- A random id for every person, which no other person ever gets. Tokens contain it, because
-- row numbers are given out again after a restore. Earlier mails contain the row number, which
-- stays valid for the people who existed at this migration.
ALTER TABLE subscribers ADD COLUMN uid BYTEA;
ALTER TABLE subscribers ADD COLUMN legacy BIGINT NOT NULL DEFAULT 0; -- 1 when tokens that name the number are good
UPDATE subscribers SET uid = uuid_send(gen_random_uuid()), legacy = 1;
ALTER TABLE subscribers ALTER COLUMN uid SET NOT NULL;
CREATE UNIQUE INDEX subscribers_uid ON subscribers (uid);
