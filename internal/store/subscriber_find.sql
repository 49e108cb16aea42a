-- name: find.terms
-- The first $2 labels or topics that subscribers have, in order: each step goes to the next key by
-- index, however many subscribers have one. Index: primary key.
WITH RECURSIVE terms(key, n) AS (
    SELECT (SELECT min(key) FROM subscriber_terms WHERE kind = $1), 1
    UNION ALL
    SELECT (SELECT min(t.key) FROM subscriber_terms t WHERE t.kind = $1 AND t.key > terms.key), n + 1 FROM terms WHERE terms.key IS NOT NULL AND n < $2
)
SELECT key FROM terms WHERE key IS NOT NULL;

-- name: find.languages
-- The first $1 languages of mails to subscribers, in order, found as in find.terms.
-- Index: subscribers_mail_language.
WITH RECURSIVE terms(key, n) AS (
    SELECT (SELECT min(mail_language) FROM subscribers WHERE mail_language > ''), 1
    UNION ALL
    SELECT (SELECT min(s.mail_language) FROM subscribers s WHERE s.mail_language > terms.key), n + 1 FROM terms WHERE terms.key IS NOT NULL AND n < $1
)
SELECT key FROM terms WHERE key IS NOT NULL;

-- name: find.newest
-- The newest $1 subscribers. Index: primary key.
SELECT address, name FROM subscribers ORDER BY id DESC LIMIT $1; -- postgres only

-- name: find.trigram
-- Counts those of the newest $2 subscribers who have the trigram $1. Index: subscriber_index.
SELECT count(*) FROM subscriber_index WHERE subscriber_index MATCH $1 AND rowid > (SELECT max(id) FROM subscribers) - $2; -- sqlite only
