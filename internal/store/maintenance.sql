-- name: retention.editions
-- Editions that ended before a time and still have deliveries. None before the first delivery is read, since the
-- editions whose deliveries were removed become more every day. Indexes: editions_state, primary key of deliveries.
SELECT seq FROM editions WHERE state IN ('sent', 'cancelled', 'failed') AND seq >= (SELECT min(edition) FROM deliveries)
    AND finished > 0 AND finished < $1 AND EXISTS (SELECT 1 FROM deliveries d WHERE d.edition = editions.seq)
ORDER BY seq LIMIT $2;

-- name: retention.deliveries
-- Deletes some deliveries of an edition. The counts stay in its chunks. Index: primary key.
DELETE FROM deliveries WHERE edition = $1 AND subscriber IN (SELECT subscriber FROM deliveries WHERE edition = $1 ORDER BY subscriber LIMIT $2);

-- name: retention.variants
-- Deletes some variants of an edition, but not the longest one, which its page shows. A
-- variant may be 100 KB. Index: primary key.
DELETE FROM variants WHERE edition = $1 AND number IN (SELECT number FROM variants
    WHERE edition = $1 AND number <> (SELECT number FROM variants WHERE edition = $1 ORDER BY length(data) DESC, number LIMIT 1)
    ORDER BY number LIMIT $2);

-- name: retention.feedback
-- Deletes some reports that were received before a time. Index: feedback_at.
DELETE FROM feedback WHERE key IN (SELECT key FROM feedback WHERE at < $1 ORDER BY at LIMIT $2);

-- name: retention.jobs
-- Deletes some jobs that ended before a time. Index: jobs_finished.
DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE state IN ('done', 'failed') AND finished < $1 LIMIT $2);

-- name: retention.audit
-- Deletes some entries of the audit log from before a time. Index: audit_log_at.
DELETE FROM audit_log WHERE id IN (SELECT id FROM audit_log WHERE at < $1 ORDER BY at, id LIMIT $2);

-- name: retention.revisions
-- Deletes some revisions of articles that were saved before a time. The newest and the last published one
-- of each article stay. Index: article_revisions_saved.
DELETE FROM article_revisions WHERE saved < $1 AND (article, number) IN (SELECT r.article, r.number FROM article_revisions r
    JOIN written_articles w ON w.article = r.article WHERE r.saved < $1 AND r.number <> w.head AND r.number <> w.live LIMIT $2);

-- name: retention.sessions
-- Deletes some sessions that expired before a time. Index: sessions_expires.
DELETE FROM sessions WHERE hash IN (SELECT hash FROM sessions WHERE expires < $1 ORDER BY expires LIMIT $2);

-- name: retention.links
-- Deletes some links that expired before a time. Index: links_expires.
DELETE FROM links WHERE id IN (SELECT id FROM links WHERE expires < $1 ORDER BY expires LIMIT $2);

-- name: lease.take
-- Takes a lease that is free or expired, or renews the holder's own. Index: primary key.
INSERT INTO leases (name, holder, lease_until) VALUES ($1, $2, $3)
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, lease_until = excluded.lease_until
WHERE leases.holder = excluded.holder OR leases.lease_until < CAST($4 AS bigint)
RETURNING lease_until;

-- name: lease.release
-- Index: primary key.
DELETE FROM leases WHERE name = $1 AND holder = $2;
