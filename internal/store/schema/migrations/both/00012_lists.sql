-- +goose Up

-- Why readers without a variant are skipped: "no article in their topics" and the like.
ALTER TABLE wishes ADD COLUMN reason TEXT NOT NULL DEFAULT '';

-- Labels are an editor's notes on a person, such as the tags of another mailing
-- system. They are kept and exported, and choose no articles. JSON, or empty.
ALTER TABLE subscribers ADD COLUMN labels TEXT NOT NULL DEFAULT '';
