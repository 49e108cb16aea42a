-- +goose Up

-- A random id for every person, which no other person ever has: tokens name it. The
-- number of a row is given out again when a backup is restored. Mails that were sent
-- before name the number; it holds for the people who were there then.
ALTER TABLE subscribers ADD COLUMN uid BYTEA;
ALTER TABLE subscribers ADD COLUMN legacy BIGINT NOT NULL DEFAULT 0; -- 1 when tokens that name the number are good
UPDATE subscribers SET uid = uuid_send(gen_random_uuid()), legacy = 1;
ALTER TABLE subscribers ALTER COLUMN uid SET NOT NULL;
CREATE UNIQUE INDEX subscribers_uid ON subscribers (uid);
