-- +goose Up

-- How many published articles have each tag, author and language, including those with a
-- future date. Triggers maintain it, so that a page that shows the most frequent ones does not
-- count all labels of all articles.
CREATE TABLE label_counts (
    kind     TEXT NOT NULL, -- tag, author or language
    key      TEXT NOT NULL,
    name     TEXT NOT NULL, -- as the article that was stored last writes it
    articles BIGINT NOT NULL,
    PRIMARY KEY (kind, key)
) WITHOUT ROWID;
CREATE INDEX label_counts_articles ON label_counts (kind, articles);
INSERT INTO label_counts (kind, key, name, articles)
SELECT kind, key, max(name), count(*) FROM article_labels WHERE status = 'published' AND key <> '' GROUP BY kind, key;

-- +goose StatementBegin
CREATE TRIGGER label_counts_insert AFTER INSERT ON article_labels WHEN NEW.status = 'published' AND NEW.key <> ''
BEGIN
    INSERT INTO label_counts (kind, key, name, articles) VALUES (NEW.kind, NEW.key, NEW.name, 1)
    ON CONFLICT (kind, key) DO UPDATE SET articles = articles + 1, name = excluded.name;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER label_counts_delete AFTER DELETE ON article_labels WHEN OLD.status = 'published' AND OLD.key <> ''
BEGIN
    UPDATE label_counts SET articles = articles - 1 WHERE kind = OLD.kind AND key = OLD.key;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER label_counts_publish AFTER UPDATE OF status ON article_labels WHEN NEW.status = 'published' AND OLD.status <> 'published' AND NEW.key <> ''
BEGIN
    INSERT INTO label_counts (kind, key, name, articles) VALUES (NEW.kind, NEW.key, NEW.name, 1)
    ON CONFLICT (kind, key) DO UPDATE SET articles = articles + 1, name = excluded.name;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER label_counts_withdraw AFTER UPDATE OF status ON article_labels WHEN NEW.status <> 'published' AND OLD.status = 'published' AND OLD.key <> ''
BEGIN
    UPDATE label_counts SET articles = articles - 1 WHERE kind = OLD.kind AND key = OLD.key;
END;
-- +goose StatementEnd
