-- +goose Up

-- Old reports are removed by their age.
CREATE INDEX feedback_at ON feedback (at);
