-- +goose Up

-- Numbers of subscribers as maintenance last counted them, because counting a million rows takes
-- longer than a page may: by state, and the active ones of each digest.
CREATE TABLE subscriber_totals (
    kind   TEXT NOT NULL, -- state or digest
    name   TEXT NOT NULL,
    number BIGINT NOT NULL,
    at     BIGINT NOT NULL,
    PRIMARY KEY (kind, name)
);

-- Figures of a day: members, who are the subscribers that had not left at its end; how many joined,
-- by the source of their consent; how many left, by the state that they got. Erased people are in
-- members only.
CREATE TABLE subscriber_days (
    day    BIGINT NOT NULL, -- days since 1970-01-01, UTC
    kind   TEXT NOT NULL, -- members, joined or left
    name   TEXT NOT NULL, -- empty for members
    number BIGINT NOT NULL,
    PRIMARY KEY (day, kind, name)
);

-- Hints of the admin that an editor has dismissed for all editors.
CREATE TABLE dismissed_hints (
    name TEXT PRIMARY KEY,
    at   BIGINT NOT NULL
);
