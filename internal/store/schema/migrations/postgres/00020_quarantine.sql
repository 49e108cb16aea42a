-- +goose Up

-- One row while nothing may be sent, because the store was restored from a backup or is
-- older than its journal. An owner ends the quarantine.
CREATE TABLE quarantine (
    id           BIGINT PRIMARY KEY, -- always 1
    reason       TEXT COLLATE "C" NOT NULL, -- restored or older
    taken        BIGINT NOT NULL, -- the store does not know what happened after this
    since        BIGINT NOT NULL,
    journal      BIGINT NOT NULL, -- 1 when a journal tells what happened since then
    unsubscribed BIGINT NOT NULL, -- people of whom the journal said so
    suppressed   BIGINT NOT NULL,
    erased       BIGINT NOT NULL
);

-- Editions that were sent or being sent after the backup was made. The rows stay after the
-- quarantine: they keep the numbers of editions that the store does not have.
CREATE TABLE quarantine_editions (
    edition       TEXT COLLATE "C" PRIMARY KEY, -- its id
    digest        TEXT COLLATE "C" NOT NULL,
    number        BIGINT NOT NULL,
    scheduled_for TEXT COLLATE "C" NOT NULL,
    subject       TEXT NOT NULL,
    articles      TEXT NOT NULL, -- JSON
    audience      BIGINT NOT NULL,
    recorded      BIGINT NOT NULL, -- recipients whose mail left, by the journal
    began         BIGINT NOT NULL, -- by the journal; 0 when it does not know the edition
    ended         BIGINT NOT NULL,
    decision      TEXT COLLATE "C" NOT NULL -- empty, sent, continue, hold or cancel
);
CREATE INDEX quarantine_editions_digest ON quarantine_editions (digest, number);

-- The recipients to whom an unfinished edition was sent, according to the journal.
CREATE TABLE quarantine_recipients (
    edition    TEXT COLLATE "C" NOT NULL,
    subscriber BIGINT NOT NULL,
    PRIMARY KEY (edition, subscriber)
);

-- The ids of articles that the store lost, by a hash of their source. An article that is
-- imported again gets its id back, so no digest sends it again.
CREATE TABLE quarantine_articles (
    source TEXT COLLATE "C" PRIMARY KEY,
    id     TEXT COLLATE "C" NOT NULL
);

-- How far each journal was written. A journal that is further ahead shows that the store is
-- an older copy.
CREATE TABLE journals (
    id   TEXT COLLATE "C" PRIMARY KEY,
    mark BIGINT NOT NULL
);

-- Former generations of the store. A restore ends a generation.
CREATE TABLE generations (
    generation TEXT COLLATE "C" PRIMARY KEY, -- hex
    ended      BIGINT NOT NULL
);
