-- +goose Up

-- Feeds that may have lost an article: the tags, authors and languages that it had
-- before an edit, and a row of kind article for the edit itself.
CREATE TABLE feed_left (
    revision BIGINT NOT NULL, -- of the edit
    kind     TEXT COLLATE "C" NOT NULL, -- tag, author, language or article
    key      TEXT COLLATE "C" NOT NULL,
    at       BIGINT NOT NULL,
    PRIMARY KEY (revision, kind, key)
);
CREATE INDEX feed_left_at ON feed_left (at);

-- How far changes have been announced to hubs. One row, from the first announcement on.
CREATE TABLE hub_position (
    id       BIGINT PRIMARY KEY,
    count    BIGINT NOT NULL, -- of announcements: of two nodes that make the next one, one succeeds
    revision BIGINT NOT NULL,
    at       BIGINT NOT NULL, -- articles whose date came until then
    editions TEXT NOT NULL, -- JSON: ids of those that began shortly before
    settings TEXT NOT NULL -- hash of what feeds say besides their articles
);

-- The pending notifications of each hub.
CREATE TABLE hub_news (
    hub   TEXT COLLATE "C" NOT NULL,
    topic TEXT COLLATE "C" NOT NULL,
    stamp BIGINT NOT NULL, -- the announcement: a newer one is not struck out with an older
    due   BIGINT NOT NULL,
    since BIGINT NOT NULL, -- when it was last announced
    PRIMARY KEY (hub, topic)
);
CREATE INDEX hub_news_due ON hub_news (hub, due, topic);

-- The server of a callback, to limit the subscriptions of a server, and a hash of the content
-- that was sent last.
ALTER TABLE websub ADD COLUMN host TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE websub ADD COLUMN sent TEXT NOT NULL DEFAULT '';
CREATE INDEX websub_host ON websub (host);

CREATE INDEX editions_started ON editions (started);
