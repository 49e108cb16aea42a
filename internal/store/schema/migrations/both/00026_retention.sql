-- +goose Up

-- What came back is removed by its age.
CREATE INDEX feedback_at ON feedback (at);
