-- name: article.addressParts
-- The parts of $2 consecutive numbers that have listed articles whose page is on this site, and
-- the newest change in each. Index: articles_addresses, which holds all that is read.
SELECT seq / CAST($2 AS bigint) AS part, max(CASE WHEN updated > 0 THEN updated ELSE published END)
FROM articles
INDEXED BY articles_addresses -- sqlite only
WHERE status = 'published' AND published <= $1 AND (expires = 0 OR expires > $1) AND url = ''
GROUP BY seq / CAST($2 AS bigint) ORDER BY part;

-- name: article.addresses
-- The listed articles with a number from $2 to before $3 whose page is on this site, and when
-- each changed. Index: articles_addresses.
SELECT slug, CASE WHEN updated > 0 THEN updated ELSE published END
FROM articles WHERE status = 'published' AND seq >= $2 AND seq < $3 AND published <= $1 AND (expires = 0 OR expires > $1) AND url = ''
ORDER BY seq;
