-- +goose Up

-- A tag or author is shown as the first published article writes it, as long as any has it, so
-- that the address of its page and its feeds does not change with each article. Those that exist
-- keep the spelling that their feeds have now.
UPDATE label_counts SET name = coalesce((SELECT l.name FROM article_labels l
    WHERE l.kind = label_counts.kind AND l.key = label_counts.key AND l.status = 'published' ORDER BY l.appears DESC, l.seq DESC LIMIT 1), name);

DROP TRIGGER label_counts_insert;
DROP TRIGGER label_counts_publish;

-- +goose StatementBegin
CREATE TRIGGER label_counts_insert AFTER INSERT ON article_labels WHEN NEW.status = 'published' AND NEW.key <> ''
BEGIN
    INSERT INTO label_counts (kind, key, name, articles) VALUES (NEW.kind, NEW.key, NEW.name, 1)
    ON CONFLICT (kind, key) DO UPDATE SET articles = articles + 1, name = CASE WHEN articles > 0 THEN name ELSE excluded.name END;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER label_counts_publish AFTER UPDATE OF status ON article_labels WHEN NEW.status = 'published' AND OLD.status <> 'published' AND NEW.key <> ''
BEGIN
    INSERT INTO label_counts (kind, key, name, articles) VALUES (NEW.kind, NEW.key, NEW.name, 1)
    ON CONFLICT (kind, key) DO UPDATE SET articles = articles + 1, name = CASE WHEN articles > 0 THEN name ELSE excluded.name END;
END;
-- +goose StatementEnd
