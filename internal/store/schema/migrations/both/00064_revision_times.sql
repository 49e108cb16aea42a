-- +goose Up

-- For the removal of old revisions.
CREATE INDEX article_revisions_saved ON article_revisions (saved);
