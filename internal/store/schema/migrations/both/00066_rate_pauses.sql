-- +goose Up

-- The editions that were paused because too many recipients complained or did not exist. What was
-- known when an editor resumed one does not pause it, or its digest, again.
CREATE TABLE rate_pauses (
    edition  BIGINT PRIMARY KEY,
    digest   TEXT NOT NULL,
    cause    TEXT NOT NULL, -- complaints or refusals
    paused   BIGINT NOT NULL,
    resumed  BIGINT NOT NULL, -- the last time; 0 before the first
    attempts BIGINT NOT NULL, -- mails of the edition that were sent or refused when it was resumed
    refusals BIGINT NOT NULL  -- and recipients that did not exist
);
CREATE INDEX rate_pauses_digest ON rate_pauses (digest, resumed);
