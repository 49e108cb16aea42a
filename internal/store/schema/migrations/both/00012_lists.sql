-- +goose Up

-- Why subscribers without a variant are skipped, such as "no article in their topics".
ALTER TABLE wishes ADD COLUMN reason TEXT NOT NULL DEFAULT '';

-- Labels are an editor's notes on a person, such as the tags of another mailing
-- system. They are stored and exported, and select no articles. JSON, or empty.
ALTER TABLE subscribers ADD COLUMN labels TEXT NOT NULL DEFAULT '';
