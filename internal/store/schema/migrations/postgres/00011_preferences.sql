-- +goose Up

-- The variant for each set of preferences, while an edition is frozen. Every recipient is
-- joined with it once. Afterwards it is empty again.
CREATE TABLE wishes (
    edition  BIGINT NOT NULL,
    topics   TEXT COLLATE "C" NOT NULL,
    language TEXT COLLATE "C" NOT NULL,
    variant  BIGINT NOT NULL,
    PRIMARY KEY (edition, topics, language)
);
