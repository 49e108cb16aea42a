-- +goose Up

-- A tag or author is shown as the first published article writes it, as long as any has it, so
-- that the address of its page and its feeds does not change with each article. Those that exist
-- keep the spelling that their feeds have now.
UPDATE label_counts SET name = coalesce((SELECT l.name FROM article_labels l
    WHERE l.kind = label_counts.kind AND l.key = label_counts.key AND l.status = 'published' ORDER BY l.appears DESC, l.seq DESC LIMIT 1), name);

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION count_labels() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' AND OLD.status = 'published' AND OLD.key <> '' AND (TG_OP = 'DELETE' OR NEW.status <> 'published') THEN
        UPDATE label_counts SET articles = articles - 1 WHERE kind = OLD.kind AND key = OLD.key;
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.status = 'published' AND NEW.key <> '' AND (TG_OP = 'INSERT' OR OLD.status <> 'published') THEN
        INSERT INTO label_counts (kind, key, name, articles) VALUES (NEW.kind, NEW.key, NEW.name, 1)
        ON CONFLICT (kind, key) DO UPDATE SET articles = label_counts.articles + 1,
            name = CASE WHEN label_counts.articles > 0 THEN label_counts.name ELSE excluded.name END;
    END IF;
    RETURN NULL;
END
$$;
-- +goose StatementEnd
