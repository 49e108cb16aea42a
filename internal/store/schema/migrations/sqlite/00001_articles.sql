-- +goose Up

-- One row. Every change of an article raises the value in its transaction. Writers of
-- articles update this row first, which serializes them.
CREATE TABLE revision (
    id    BIGINT PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO revision (id, value) VALUES (1, 0);

CREATE TABLE articles (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT, -- order of insertion, never changes
    id         TEXT NOT NULL,
    source     TEXT NOT NULL,
    slug       TEXT NOT NULL,
    wanted     TEXT NOT NULL, -- the slug that the import asked for
    url        TEXT NOT NULL,
    title      TEXT NOT NULL,
    summary    TEXT NOT NULL,
    html       TEXT NOT NULL,
    language   TEXT NOT NULL,
    authors    TEXT NOT NULL, -- JSON
    tags       TEXT NOT NULL, -- JSON
    image      TEXT NOT NULL, -- JSON, or empty
    enclosures TEXT NOT NULL, -- JSON
    origin     TEXT NOT NULL, -- JSON, or empty
    published  BIGINT NOT NULL,
    updated    BIGINT NOT NULL,
    ingested   BIGINT NOT NULL,
    removed    BIGINT NOT NULL,
    status     TEXT NOT NULL,
    hash       TEXT NOT NULL,
    offered    BIGINT NOT NULL, -- when the store first held it as published, else when it came in
    appears    BIGINT NOT NULL, -- the later of offered and published: its place in feeds and archives
    revision   BIGINT NOT NULL  -- of its last change
);
CREATE UNIQUE INDEX articles_id ON articles (id);
CREATE UNIQUE INDEX articles_source ON articles (source);
CREATE UNIQUE INDEX articles_slug ON articles (slug);
CREATE INDEX articles_appears ON articles (status, appears, seq);
CREATE INDEX articles_published ON articles (status, published, seq);
CREATE INDEX articles_removed ON articles (status, removed, seq);
CREATE INDEX articles_revision ON articles (revision);

-- The tags, authors and languages of articles, with the columns that order articles, so that
-- a feed reads its newest articles from one index.
CREATE TABLE article_labels (
    seq       BIGINT NOT NULL REFERENCES articles (seq) ON DELETE CASCADE,
    kind      TEXT NOT NULL, -- tag, author or language
    key       TEXT NOT NULL, -- as compared
    name      TEXT NOT NULL,  -- as written
    status    TEXT NOT NULL,
    appears   BIGINT NOT NULL,
    published BIGINT NOT NULL,
    PRIMARY KEY (seq, kind, key)
);
CREATE INDEX article_labels_appears ON article_labels (kind, key, status, appears, seq);
CREATE INDEX article_labels_published ON article_labels (kind, key, status, published, seq);

-- The words of an article, with one space between them and one at each end.
CREATE TABLE article_words (
    seq   BIGINT PRIMARY KEY REFERENCES articles (seq) ON DELETE CASCADE,
    words TEXT NOT NULL
);
CREATE VIRTUAL TABLE article_index USING fts5 (
    words, content = '', contentless_delete = 1, tokenize = 'ascii', detail = 'none'
);

-- Old paths. One with an article redirects to the current page of the article.
CREATE TABLE redirects (
    path   TEXT PRIMARY KEY,
    seq    BIGINT REFERENCES articles (seq) ON DELETE CASCADE,
    target TEXT NOT NULL,
    made   BIGINT NOT NULL
);
CREATE INDEX redirects_seq ON redirects (seq);

CREATE TABLE media (
    name   TEXT PRIMARY KEY, -- hash of the data
    type   TEXT NOT NULL,
    width  BIGINT NOT NULL,
    height BIGINT NOT NULL,
    bytes  BIGINT NOT NULL,
    data   BLOB NOT NULL
);

CREATE TABLE secrets (
    name    TEXT PRIMARY KEY,
    value   BLOB NOT NULL,
    created BIGINT NOT NULL
);

-- Background jobs: welcome mails, notifications of hubs, pictures. A node claims a job by
-- moving its due time to the end of a lease and raising its epoch.
CREATE TABLE jobs (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    kind     TEXT NOT NULL,
    key      TEXT NOT NULL, -- of open jobs of a kind, each key is there once
    payload  BLOB NOT NULL,
    state    TEXT NOT NULL, -- open, done or failed
    due      BIGINT NOT NULL,
    epoch    BIGINT NOT NULL,
    tries    BIGINT NOT NULL,
    error    TEXT NOT NULL,
    created  BIGINT NOT NULL,
    finished BIGINT NOT NULL
);
CREATE UNIQUE INDEX jobs_open ON jobs (kind, key) WHERE state = 'open';
CREATE INDEX jobs_due ON jobs (state, kind, due);
CREATE INDEX jobs_finished ON jobs (state, finished);

-- The polls of a feed on a day that a node counted. Queries add up the nodes.
CREATE TABLE feed_polls (
    feed TEXT NOT NULL,
    day  TEXT NOT NULL, -- UTC, such as 2026-03-29
    node TEXT NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (feed, day, node)
);
CREATE INDEX feed_polls_day ON feed_polls (day);

-- WebSub subscriptions at the built-in hub.
CREATE TABLE websub (
    topic    TEXT NOT NULL,
    callback TEXT NOT NULL,
    secret   TEXT NOT NULL,
    expires  BIGINT NOT NULL,
    created  BIGINT NOT NULL,
    PRIMARY KEY (topic, callback)
);
CREATE INDEX websub_expires ON websub (expires);
