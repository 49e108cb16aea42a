-- +goose Up

-- Articles without a known language get a label with an empty name.
INSERT INTO article_labels (seq, kind, key, name, status, appears, published)
SELECT seq, 'language', '', '', status, appears, published FROM articles WHERE language = '';
