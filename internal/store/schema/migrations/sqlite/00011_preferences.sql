-- +goose Up

-- Which variant each set of wishes gets while an edition is frozen: every reader is
-- looked up in it once, and it is empty again afterwards.
CREATE TABLE wishes (
    edition  BIGINT NOT NULL,
    topics   TEXT NOT NULL,
    language TEXT NOT NULL,
    variant  BIGINT NOT NULL,
    PRIMARY KEY (edition, topics, language)
) WITHOUT ROWID;
