-- +goose Up

-- The state of each configured digest.
CREATE TABLE digests (
    name     TEXT PRIMARY KEY,
    spec     TEXT NOT NULL, -- schedule and timezone that next_run was worked out from
    since    BIGINT NOT NULL, -- articles offered or dated before are not its own
    next_run BIGINT NOT NULL, -- 0 when there is none
    next_key TEXT NOT NULL
);

-- Every tick that was handled, with its edition or the reason why it made none.
CREATE TABLE ticks (
    digest        TEXT NOT NULL,
    scheduled_for TEXT NOT NULL,
    edition       TEXT NOT NULL, -- its id, empty when none was made
    reason        TEXT NOT NULL,
    at            BIGINT NOT NULL,
    PRIMARY KEY (digest, scheduled_for)
) WITHOUT ROWID;
CREATE INDEX ticks_at ON ticks (at);

CREATE TABLE editions (
    seq            INTEGER PRIMARY KEY AUTOINCREMENT,
    id             TEXT NOT NULL,
    digest         TEXT NOT NULL,
    number         BIGINT NOT NULL,
    scheduled_for  TEXT NOT NULL,
    state          TEXT NOT NULL,
    automatic      BIGINT NOT NULL, -- 1 when no editor needs to approve it
    author         TEXT NOT NULL, -- who asked for it, empty for the schedule
    subject        TEXT NOT NULL,
    reason         TEXT NOT NULL,
    audience_count BIGINT NOT NULL,
    audience_max   BIGINT NOT NULL,
    created        BIGINT NOT NULL,
    approved       BIGINT NOT NULL,
    started        BIGINT NOT NULL,
    finished       BIGINT NOT NULL
);
CREATE UNIQUE INDEX editions_id ON editions (id);
CREATE UNIQUE INDEX editions_tick ON editions (digest, scheduled_for);
CREATE UNIQUE INDEX editions_number ON editions (digest, number);
CREATE INDEX editions_state ON editions (state, seq);

CREATE TABLE edition_articles (
    edition    BIGINT NOT NULL REFERENCES editions (seq) ON DELETE CASCADE,
    position   BIGINT NOT NULL,
    article_id TEXT NOT NULL,
    PRIMARY KEY (edition, position)
) WITHOUT ROWID;

-- Every article is in exactly one edition of a digest.
CREATE TABLE ledger (
    digest     TEXT NOT NULL,
    article_id TEXT NOT NULL,
    edition_id TEXT NOT NULL,
    PRIMARY KEY (digest, article_id)
) WITHOUT ROWID;
CREATE INDEX ledger_edition ON ledger (edition_id);

-- The frozen contents of an approved edition: one row for each rendered variant.
CREATE TABLE variants (
    edition BIGINT NOT NULL REFERENCES editions (seq) ON DELETE CASCADE,
    number  BIGINT NOT NULL,
    data    TEXT NOT NULL, -- JSON
    PRIMARY KEY (edition, number)
) WITHOUT ROWID;

-- A chunk is a part of an edition's recipients that one node leases and sends.
CREATE TABLE chunks (
    edition     BIGINT NOT NULL REFERENCES editions (seq) ON DELETE CASCADE,
    number      BIGINT NOT NULL,
    first_id    BIGINT NOT NULL, -- range of subscribers, both included
    last_id     BIGINT NOT NULL,
    state       TEXT NOT NULL, -- waiting, leased or done
    holder      TEXT NOT NULL, -- node
    lease_until BIGINT NOT NULL,
    not_before  BIGINT NOT NULL, -- when its next mail is due
    epoch       BIGINT NOT NULL, -- raised by every claim: a holder with an older one has lost it
    total       BIGINT NOT NULL,
    sent        BIGINT NOT NULL,
    refused     BIGINT NOT NULL,
    skipped     BIGINT NOT NULL,
    deferred    BIGINT NOT NULL,
    uncertain   BIGINT NOT NULL,
    PRIMARY KEY (edition, number)
) WITHOUT ROWID;
CREATE INDEX chunks_open ON chunks (edition, number) WHERE state <> 'done';

CREATE TABLE deliveries (
    edition    BIGINT NOT NULL,
    subscriber BIGINT NOT NULL,
    chunk      BIGINT NOT NULL,
    variant    BIGINT NOT NULL, -- -1 when nothing in the edition is for this reader
    state      TEXT NOT NULL,
    reason     TEXT NOT NULL,
    tries      BIGINT NOT NULL,
    attempt    BIGINT NOT NULL, -- random word of the last intent
    code       BIGINT NOT NULL,
    reply      TEXT NOT NULL,
    relay      TEXT NOT NULL,
    first_try  BIGINT NOT NULL,
    at         BIGINT NOT NULL,
    next_try   BIGINT NOT NULL,
    PRIMARY KEY (edition, subscriber)
) WITHOUT ROWID;

-- Pauses of relays and of recipient domains, for all nodes.
CREATE TABLE holds (
    kind   TEXT NOT NULL, -- relay or domain
    name   TEXT NOT NULL,
    until  BIGINT NOT NULL,
    step   BIGINT NOT NULL, -- how often in a row it was held
    reason TEXT NOT NULL,
    PRIMARY KEY (kind, name)
) WITHOUT ROWID;

-- How much of a relay's limits the nodes have used.
CREATE TABLE quotas (
    relay    TEXT NOT NULL,
    kind     TEXT NOT NULL, -- second or hour
    starts   BIGINT NOT NULL,
    used     BIGINT NOT NULL,
    PRIMARY KEY (relay, kind)
) WITHOUT ROWID;

CREATE TABLE slots (
    relay  TEXT NOT NULL,
    number BIGINT NOT NULL,
    holder TEXT NOT NULL,
    until  BIGINT NOT NULL,
    PRIMARY KEY (relay, number)
) WITHOUT ROWID;
