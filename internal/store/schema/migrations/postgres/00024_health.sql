-- +goose Up

-- What each node wrote last to see that the store can be written to.
CREATE TABLE probes (
    node TEXT COLLATE "C" PRIMARY KEY,
    at   BIGINT NOT NULL
);

-- When owners were last told of something, so that several nodes tell them once.
CREATE TABLE alerts (
    cause TEXT COLLATE "C" PRIMARY KEY,
    at    BIGINT NOT NULL
);
