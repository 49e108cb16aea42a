-- +goose Up

-- How many published articles have each tag, author and language, including those with a
-- future date. A trigger maintains it, so that a page that shows the most frequent ones does not
-- count all labels of all articles. Writers of articles do not conflict here, because they lock
-- the revision's row first.
CREATE TABLE label_counts (
    kind     TEXT COLLATE "C" NOT NULL, -- tag, author or language
    key      TEXT COLLATE "C" NOT NULL,
    name     TEXT NOT NULL, -- as the article that was stored last writes it
    articles BIGINT NOT NULL,
    PRIMARY KEY (kind, key)
) WITH (fillfactor = 50);
CREATE INDEX label_counts_articles ON label_counts (kind, articles);
INSERT INTO label_counts (kind, key, name, articles)
SELECT kind, key, max(name), count(*) FROM article_labels WHERE status = 'published' AND key <> '' GROUP BY kind, key;

-- +goose StatementBegin
CREATE FUNCTION count_labels() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' AND OLD.status = 'published' AND OLD.key <> '' AND (TG_OP = 'DELETE' OR NEW.status <> 'published') THEN
        UPDATE label_counts SET articles = articles - 1 WHERE kind = OLD.kind AND key = OLD.key;
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.status = 'published' AND NEW.key <> '' AND (TG_OP = 'INSERT' OR OLD.status <> 'published') THEN
        INSERT INTO label_counts (kind, key, name, articles) VALUES (NEW.kind, NEW.key, NEW.name, 1)
        ON CONFLICT (kind, key) DO UPDATE SET articles = label_counts.articles + 1, name = excluded.name;
    END IF;
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER label_counts_keep AFTER INSERT OR DELETE OR UPDATE OF status ON article_labels
FOR EACH ROW EXECUTE FUNCTION count_labels();
