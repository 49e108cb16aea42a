-- part: public
-- Editions of digests, and the messages that everyone may read. In the JSON of an audience the key
-- stands there only if it is true, and quotes inside of other values are escaped.
(audience = '' OR audience LIKE '%"public":true%')

-- name: edition.started
-- The editions of a digest whose sending has started and whose number is below $2, the newest
-- first. Index: editions_number.
SELECT seq, columns(edition) FROM editions WHERE digest = $1 AND number < $2 AND started > 0 AND part(public) ORDER BY number DESC LIMIT $3;

-- name: edition.startedAfter
-- The first edition after a number whose sending has started. Index: editions_number.
SELECT seq, columns(edition) FROM editions WHERE digest = $1 AND number > $2 AND started > 0 AND part(public) ORDER BY number LIMIT 1;

-- name: edition.startedNumber
-- An edition whose sending has started, by its number. Index: editions_number.
SELECT seq, columns(edition) FROM editions WHERE digest = $1 AND number = $2 AND started > 0 AND part(public);

-- name: edition.contents
-- The articles of some editions as lists show them, without status if they are not in the store
-- any more. Indexes: primary key of edition_articles, articles_id.
SELECT x.edition, x.article_id, coalesce(a.status, ''), coalesce(a.title, ''), coalesce(a.published, 0), coalesce(a.expires, 0), coalesce(a.image, '')
FROM edition_articles x LEFT JOIN articles a ON a.id = x.article_id WHERE x.edition IN numbers($1) ORDER BY x.edition, x.position;
