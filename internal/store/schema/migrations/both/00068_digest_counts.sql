-- +goose Up

-- The subscribers of each digest as maintenance last counted them, for pages of a large store: those
-- who get its editions by their preferences, and the others by the reason.
CREATE TABLE digest_counts (
    digest        TEXT NOT NULL,
    reason        TEXT NOT NULL, -- why they get none; empty for recipients
    topics        TEXT NOT NULL, -- as stored with the subscription
    language      TEXT NOT NULL,
    mail_language TEXT NOT NULL,
    number        BIGINT NOT NULL,
    PRIMARY KEY (digest, reason, topics, language, mail_language)
);
