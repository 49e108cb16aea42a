-- +goose Up

-- A domain rests on one relay: another one may well be heard there. What was held
-- is found out again within minutes.
DROP TABLE holds;
CREATE TABLE holds (
    relay  TEXT COLLATE "C" NOT NULL,
    kind   TEXT COLLATE "C" NOT NULL, -- relay, connection or domain
    domain TEXT COLLATE "C" NOT NULL, -- empty but for domains
    until  BIGINT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (relay, kind, domain)
);
