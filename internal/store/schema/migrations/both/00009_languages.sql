-- +goose Up

-- Articles in no known language are found by a label without a name.
INSERT INTO article_labels (seq, kind, key, name, status, appears, published)
SELECT seq, 'language', '', '', status, appears, published FROM articles WHERE language = '';
