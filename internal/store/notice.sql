-- name: notice.ended
-- The editions that ended, and about which editors got no mail yet. Index: editions_unnoticed.
SELECT seq, columns(edition) FROM editions WHERE noticed = 0 AND finished > 0 ORDER BY seq LIMIT $1;

-- name: notice.recordEnd
-- Claims the mail about the end of an edition; only one of two nodes succeeds. Index: primary key.
UPDATE editions SET noticed = $2 WHERE seq = $1 AND noticed = 0;

-- name: notice.complaints
-- Counts the complaints since a time by edition. Indexes: feedback_complaints, editions_id.
SELECT e.seq, e.id, e.digest, e.subject, c.n FROM
    (SELECT edition, count(*) AS n FROM feedback WHERE kind = 'complained' AND at > $1 GROUP BY edition) AS c
JOIN editions e ON e.id = c.edition ORDER BY e.seq;
