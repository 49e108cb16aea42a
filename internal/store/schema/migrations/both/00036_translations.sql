-- +goose Up

-- What the translations of one article have in common: a key from their front matter, or a hash of
-- the path of their files without the language. Empty for none.
ALTER TABLE articles ADD COLUMN translation TEXT NOT NULL DEFAULT '';
CREATE INDEX articles_translation ON articles (translation) WHERE translation <> '';
