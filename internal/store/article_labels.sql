-- name: article.dropLabels
-- Index: primary key.
DELETE FROM article_labels WHERE seq = $1;

-- name: article.addLabels
-- The tags, authors and languages of an article, given as a JSON array of kind,
-- key and name.
INSERT INTO article_labels (seq, kind, key, name, status, appears, published)
SELECT CAST($1 AS bigint), l.value ->> 0, l.value ->> 1, l.value ->> 2, CAST($3 AS text), CAST($4 AS bigint), CAST($5 AS bigint)
FROM json_each($2) AS l WHERE true -- sqlite only
FROM jsonb_array_elements(CAST($2 AS jsonb)) AS l -- postgres only
ON CONFLICT (seq, kind, key) DO NOTHING;

-- name: article.setWords
-- Stores the words of an article for searches. Index: primary key.
INSERT INTO article_words (seq, words) VALUES ($1, $2)
ON CONFLICT (seq) DO UPDATE SET words = excluded.words;

-- name: article.unindexWords
-- Removes the words of an article from SQLite's index; PostgreSQL maintains its own.
DELETE FROM article_index WHERE rowid = $1; -- sqlite only

-- name: article.indexWords
-- Adds the words of an article to SQLite's index; PostgreSQL maintains its own.
INSERT INTO article_index (rowid, words) VALUES ($1, $2); -- sqlite only

-- name: label.list
-- All tags, authors or languages, and how many published articles have each, articles with
-- a future date included. Index: primary key of label_counts.
SELECT key, name, articles FROM label_counts WHERE kind = $1 AND articles > 0 ORDER BY key;

-- name: label.top
-- The labels that most articles have, with the same counts. Index: label_counts_articles.
SELECT key, name, articles FROM label_counts WHERE kind = $1 AND articles > 0 ORDER BY articles DESC LIMIT $2;

-- name: label.future
-- How many articles with a future date have each label, counting the first 1000 such articles.
-- The limit and the cross join make both engines start with these articles instead of reading
-- all labels. Indexes: articles_published, primary key of article_labels.
WITH future AS (SELECT seq FROM articles WHERE status = 'published' AND published > $2 ORDER BY published LIMIT 1000)
SELECT l.key, count(*) FROM future f CROSS JOIN article_labels l WHERE l.seq = f.seq AND l.kind = $1 GROUP BY l.key;

-- name: label.keys
-- All tags, authors or languages. The recursion jumps from one key to the next instead of
-- reading every row. Index: article_labels_appears.
WITH RECURSIVE keys (key) AS (
    SELECT min(key) FROM article_labels WHERE kind = $1 AND key > ''
    UNION ALL
    SELECT (SELECT min(l.key) FROM article_labels l WHERE l.kind = $1 AND l.key > keys.key) FROM keys WHERE keys.key IS NOT NULL
)
SELECT key FROM keys WHERE key IS NOT NULL;

-- name: label.spelling
-- The spelling of a tag, author or language: that of the article which was published first, while
-- articles that appeared before $3 or were removed have the label, or else that of the newest removed
-- one. Each part reads one row, however many articles have the label. A label that only articles of the
-- future have is none, since its name would tell of them.
-- Index: primary key of label_counts, article_labels_appears.
SELECT name FROM (
    SELECT name, 1 AS place FROM label_counts WHERE kind = $1 AND key = $2
        AND (EXISTS (SELECT 1 FROM article_labels l WHERE l.kind = $1 AND l.key = $2 AND l.status = 'published' AND l.appears <= $3)
            OR EXISTS (SELECT 1 FROM article_labels l WHERE l.kind = $1 AND l.key = $2 AND l.status = 'removed'))
    UNION ALL
    SELECT name, 2 AS place FROM (SELECT name FROM article_labels
        WHERE kind = $1 AND key = $2 AND status = 'removed' ORDER BY appears DESC, seq DESC LIMIT 1) AS b
) AS spellings ORDER BY place LIMIT 1;

-- name: label.count
-- How many articles have a label, counted no further than $4: enough to choose
-- the rarest. Index: article_labels_appears.
SELECT count(*) FROM (SELECT 1 FROM article_labels WHERE kind = $1 AND key = $2 AND status = $3 LIMIT $4) AS few;

-- name: words.count
-- How many articles have all words of a search, counted no further than $2.
-- Index: article_index, article_words_index.
SELECT count(*) FROM (
SELECT 1 FROM article_index WHERE article_index MATCH $1 LIMIT $2 -- sqlite only
SELECT 1 FROM article_words WHERE each_word(words) @> string_to_array($1, ' ') LIMIT $2 -- postgres only
) AS few;
