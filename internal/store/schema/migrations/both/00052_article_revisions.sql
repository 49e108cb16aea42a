-- +goose Up

-- Articles that editors write in the browser, by their ids. head is the number of the newest revision,
-- live that of the last one that was published, 0 before the first publication.
CREATE TABLE written_articles (
    article TEXT PRIMARY KEY,
    head    BIGINT NOT NULL,
    live    BIGINT NOT NULL
);

-- What was written: the fields as JSON, and the text in Markdown. began is when the first of the
-- automatic saves that a revision replaced was made.
CREATE TABLE article_revisions (
    article TEXT NOT NULL,
    number  BIGINT NOT NULL,
    kind    TEXT NOT NULL,
    author  TEXT NOT NULL,
    began   BIGINT NOT NULL,
    saved   BIGINT NOT NULL,
    fields  TEXT NOT NULL,
    body    TEXT NOT NULL,
    PRIMARY KEY (article, number)
);
