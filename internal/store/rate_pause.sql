-- name: rate.ofDigest
-- The newest editions of a digest whose sending has started, with the mails that were sent and the
-- complaints about them since $2. Indexes: editions_number, primary key of chunks, feedback_edition.
SELECT e.started, (SELECT CAST(coalesce(sum(c.sent), 0) AS bigint) FROM chunks c WHERE c.edition = e.seq),
    (SELECT count(*) FROM feedback f WHERE f.edition = e.id AND f.kind = 'complained' AND f.at > $2)
FROM editions e WHERE e.digest = $1 AND e.started > 0 ORDER BY e.number DESC LIMIT $3;

-- name: rate.resumed
-- When an edition of a digest that was paused for its rates was last resumed.
-- Index: rate_pauses_digest.
SELECT coalesce(max(resumed), 0) FROM rate_pauses WHERE digest = $1;

-- name: rate.base
-- What does not count any more for an edition that was resumed. Index: primary key.
SELECT attempts, refusals FROM rate_pauses WHERE edition = $1 AND resumed > 0;

-- name: rate.pause
-- Index: primary key.
INSERT INTO rate_pauses (edition, digest, cause, paused, resumed, attempts, refusals) VALUES ($1, $2, $3, $4, 0, 0, 0)
ON CONFLICT (edition) DO UPDATE SET cause = excluded.cause, paused = excluded.paused;

-- name: rate.resume
-- Index: primary key.
UPDATE rate_pauses SET resumed = $2, attempts = $3, refusals = $4 WHERE edition = $1;
