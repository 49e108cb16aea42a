-- +goose Up

-- The language in which a person subscribed, for the fixed texts of mails to them. The column
-- language holds the language of the articles to send. Both are empty if unknown.
ALTER TABLE subscribers ADD COLUMN mail_language TEXT NOT NULL DEFAULT '';

-- The variant for each set of preferences, with the language of the mail as a part of them. The
-- table is empty except while an edition is being approved.
DROP TABLE edition_preferences;
CREATE TABLE edition_preferences (
    edition       BIGINT NOT NULL,
    topics        TEXT COLLATE "C" NOT NULL,
    language      TEXT COLLATE "C" NOT NULL,
    mail_language TEXT COLLATE "C" NOT NULL,
    variant       BIGINT NOT NULL,
    reason        TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (edition, topics, language, mail_language)
);
