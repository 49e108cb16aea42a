-- +goose Up

-- What an article was before it was withdrawn: a draft, or published with a date to
-- come. Coming back, it is that again.
ALTER TABLE articles ADD COLUMN former TEXT NOT NULL DEFAULT '';
