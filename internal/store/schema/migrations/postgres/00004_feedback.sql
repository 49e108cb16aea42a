-- +goose Up

-- Reports about deliveries: bounces, complaints, unsubscribe requests. The key makes each
-- count once, however often it is received.
CREATE TABLE feedback (
    key        TEXT COLLATE "C" PRIMARY KEY,
    subscriber BIGINT NOT NULL,
    edition    TEXT COLLATE "C" NOT NULL, -- its id; empty for mails that belong to none
    kind       TEXT COLLATE "C" NOT NULL,
    code       BIGINT NOT NULL, -- SMTP reply code, 0 for none
    reply      TEXT NOT NULL,
    source     TEXT NOT NULL,
    at         BIGINT NOT NULL
);
CREATE INDEX feedback_subscriber ON feedback (subscriber, at);
CREATE INDEX feedback_edition ON feedback (edition, kind);
