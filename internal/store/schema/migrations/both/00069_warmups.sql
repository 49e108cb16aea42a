-- +goose Up

-- How many mails a new sender may hand to a relay on a day, in all and for each recipient domain.
CREATE TABLE warmups (
    relay     TEXT NOT NULL,
    domain    TEXT NOT NULL, -- empty for all domains
    day       BIGINT NOT NULL, -- number of the last day with mail, counted from 1 January 1970 UTC
    allowance BIGINT NOT NULL, -- mails of that day
    used      BIGINT NOT NULL, -- of them, by all nodes
    PRIMARY KEY (relay, domain)
);
CREATE INDEX warmups_day ON warmups (day);
