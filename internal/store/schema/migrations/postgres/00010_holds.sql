-- +goose Up

-- A domain is paused on one relay only, because another relay may be accepted there. Existing
-- pauses are dropped: they are set again within minutes if needed.
DROP TABLE holds;
CREATE TABLE holds (
    relay  TEXT COLLATE "C" NOT NULL,
    kind   TEXT COLLATE "C" NOT NULL, -- relay, connection or domain
    domain TEXT COLLATE "C" NOT NULL, -- empty but for domains
    until  BIGINT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (relay, kind, domain)
);
