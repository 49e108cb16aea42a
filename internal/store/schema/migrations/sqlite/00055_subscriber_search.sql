-- +goose Up

-- The trigrams of the addresses and names of subscribers, for searches by a part of them. A space
-- stands before and after each of the two, so that words of two characters have a trigram. With
-- secure-delete the trigrams of an erased person leave the file at once.
CREATE VIRTUAL TABLE subscriber_index USING fts5 (text, content = '', tokenize = 'trigram remove_diacritics 1', detail = 'none');
INSERT INTO subscriber_index (subscriber_index, rank) VALUES ('secure-delete', 1);
INSERT INTO subscriber_index (rowid, text)
SELECT id, ' ' || address || ' ' || name || ' ' FROM subscribers WHERE address <> '';

-- +goose StatementBegin
CREATE TRIGGER subscriber_index_insert AFTER INSERT ON subscribers WHEN NEW.address <> ''
BEGIN
    INSERT INTO subscriber_index (rowid, text) VALUES (NEW.id, ' ' || NEW.address || ' ' || NEW.name || ' ');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER subscriber_index_change AFTER UPDATE OF address, name ON subscribers
WHEN OLD.address <> '' AND (NEW.address <> OLD.address OR NEW.name <> OLD.name)
BEGIN
    INSERT INTO subscriber_index (subscriber_index, rowid, text) VALUES ('delete', OLD.id, ' ' || OLD.address || ' ' || OLD.name || ' ');
    INSERT INTO subscriber_index (rowid, text) SELECT NEW.id, ' ' || NEW.address || ' ' || NEW.name || ' ' WHERE NEW.address <> '';
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER subscriber_index_delete AFTER DELETE ON subscribers WHEN OLD.address <> ''
BEGIN
    INSERT INTO subscriber_index (subscriber_index, rowid, text) VALUES ('delete', OLD.id, ' ' || OLD.address || ' ' || OLD.name || ' ');
END;
-- +goose StatementEnd

-- The labels of subscribers and the topics of their live subscriptions, for lists of those who have
-- one. Triggers maintain it; a stored list that cannot be read has no entries.
CREATE TABLE subscriber_terms (
    kind       TEXT NOT NULL, -- label or topic
    key        TEXT NOT NULL, -- as stored with the subscriber
    subscriber BIGINT NOT NULL,
    digest     TEXT NOT NULL, -- of a topic
    PRIMARY KEY (kind, key, subscriber, digest)
) WITHOUT ROWID;
INSERT OR IGNORE INTO subscriber_terms (kind, key, subscriber, digest)
SELECT 'label', l.value, s.id, '' FROM subscribers s, json_each(CASE WHEN json_valid(s.labels) THEN s.labels ELSE '[]' END) l WHERE s.labels <> '';
INSERT OR IGNORE INTO subscriber_terms (kind, key, subscriber, digest)
SELECT 'topic', t.value, p.subscriber, p.digest FROM subscriptions p, json_each(CASE WHEN json_valid(p.topics) THEN p.topics ELSE '[]' END) t WHERE p.topics <> '' AND p.left_at = 0;

-- +goose StatementBegin
CREATE TRIGGER subscriber_labels_insert AFTER INSERT ON subscribers WHEN NEW.labels <> ''
BEGIN
    INSERT OR IGNORE INTO subscriber_terms (kind, key, subscriber, digest) SELECT 'label', value, NEW.id, '' FROM json_each(CASE WHEN json_valid(NEW.labels) THEN NEW.labels ELSE '[]' END);
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER subscriber_labels_set AFTER UPDATE OF labels ON subscribers WHEN NEW.labels <> OLD.labels
BEGIN
    DELETE FROM subscriber_terms WHERE kind = 'label' AND subscriber = OLD.id AND digest = ''
        AND key IN (SELECT value FROM json_each(CASE WHEN json_valid(OLD.labels) THEN OLD.labels ELSE '[]' END));
    INSERT OR IGNORE INTO subscriber_terms (kind, key, subscriber, digest)
    SELECT 'label', value, NEW.id, '' FROM json_each(CASE WHEN json_valid(NEW.labels) THEN NEW.labels ELSE '[]' END);
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER subscriber_topics_insert AFTER INSERT ON subscriptions WHEN NEW.topics <> '' AND NEW.left_at = 0
BEGIN
    INSERT OR IGNORE INTO subscriber_terms (kind, key, subscriber, digest) SELECT 'topic', value, NEW.subscriber, NEW.digest FROM json_each(CASE WHEN json_valid(NEW.topics) THEN NEW.topics ELSE '[]' END);
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER subscriber_topics_set AFTER UPDATE OF topics, left_at ON subscriptions
WHEN NEW.topics <> OLD.topics OR (NEW.left_at <> OLD.left_at AND NEW.topics <> '')
BEGIN
    DELETE FROM subscriber_terms WHERE kind = 'topic' AND subscriber = OLD.subscriber AND digest = OLD.digest
        AND key IN (SELECT value FROM json_each(CASE WHEN json_valid(OLD.topics) THEN OLD.topics ELSE '[]' END));
    INSERT OR IGNORE INTO subscriber_terms (kind, key, subscriber, digest)
    SELECT 'topic', value, NEW.subscriber, NEW.digest FROM json_each(CASE WHEN json_valid(NEW.topics) THEN NEW.topics ELSE '[]' END) WHERE NEW.left_at = 0;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER subscriber_topics_delete AFTER DELETE ON subscriptions WHEN OLD.topics <> ''
BEGIN
    DELETE FROM subscriber_terms WHERE kind = 'topic' AND subscriber = OLD.subscriber AND digest = OLD.digest AND key IN (SELECT value FROM json_each(CASE WHEN json_valid(OLD.topics) THEN OLD.topics ELSE '[]' END));
END;
-- +goose StatementEnd

CREATE INDEX subscribers_mail_language ON subscribers (mail_language, id);

-- What happened to a subscriber, for the page that shows it: changes of the state and of what the
-- person chose, and who made them.
CREATE TABLE subscriber_changes (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    subscriber BIGINT NOT NULL REFERENCES subscribers (id) ON DELETE CASCADE,
    at         BIGINT NOT NULL,
    who        TEXT NOT NULL, -- address of an editor, or empty
    what       TEXT NOT NULL,
    detail     TEXT NOT NULL
);
CREATE INDEX subscriber_changes_subscriber ON subscriber_changes (subscriber, id);
