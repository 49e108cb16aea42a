-- +goose Up

-- A random id for every person, which no other person ever has: tokens name it. The
-- number of a row is given out again when a backup is restored. Mails that were sent
-- before name the number; it holds for the people who were there then.
ALTER TABLE subscribers ADD COLUMN uid BLOB NOT NULL DEFAULT x'';
ALTER TABLE subscribers ADD COLUMN legacy BIGINT NOT NULL DEFAULT 0; -- 1 when tokens that name the number are good
UPDATE subscribers SET uid = randomblob(16), legacy = 1;
CREATE UNIQUE INDEX subscribers_uid ON subscribers (uid);
