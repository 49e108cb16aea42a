-- +goose Up

-- The properties by which an article is recognised when its file has moved. Existing rows get
-- their values at the next import.
ALTER TABLE articles ADD COLUMN guid TEXT NOT NULL DEFAULT ''; -- the id that the file gives itself
ALTER TABLE articles ADD COLUMN named BIGINT NOT NULL DEFAULT 0; -- 1 when the file gives its slug, 0 when it follows from the file's name
ALTER TABLE articles ADD COLUMN content TEXT NOT NULL DEFAULT ''; -- fingerprint of the words of the text
ALTER TABLE articles ADD COLUMN asked TEXT NOT NULL DEFAULT ''; -- the status that the file asked for
CREATE INDEX articles_guid ON articles (guid) WHERE guid <> '';
CREATE INDEX articles_content ON articles (content) WHERE content <> '';
CREATE INDEX articles_wanted ON articles (wanted);
CREATE INDEX articles_title ON articles (title);
CREATE INDEX articles_dated ON articles (published);
