-- +goose Up

-- Reports about deliveries: bounces, complaints, unsubscribe requests. The key makes each
-- count once, however often it is received.
CREATE TABLE feedback (
    key        TEXT PRIMARY KEY,
    subscriber BIGINT NOT NULL,
    edition    TEXT NOT NULL, -- its id; empty for mails that belong to none
    kind       TEXT NOT NULL,
    code       BIGINT NOT NULL, -- SMTP reply code, 0 for none
    reply      TEXT NOT NULL,
    source     TEXT NOT NULL,
    at         BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX feedback_subscriber ON feedback (subscriber, at);
CREATE INDEX feedback_edition ON feedback (edition, kind);
