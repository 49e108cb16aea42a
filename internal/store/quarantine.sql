-- name: quarantine.get
-- Index: primary key.
SELECT reason, taken, since, journal, unsubscribed, suppressed, erased, feeds FROM quarantine WHERE id = 1;

-- name: quarantine.begin
-- Begins a quarantine: nothing is sent until it ends. If there is one already, its counts and
-- the earlier time of the backup are kept. Index: primary key.
INSERT INTO quarantine (id, reason, taken, since, journal, unsubscribed, suppressed, erased) VALUES (1, $1, $2, $3, $4, 0, 0, 0)
ON CONFLICT (id) DO UPDATE SET reason = excluded.reason, since = excluded.since, journal = excluded.journal,
    taken = CASE WHEN excluded.taken < quarantine.taken THEN excluded.taken ELSE quarantine.taken END;

-- name: quarantine.count
-- Adds the numbers of changes that were applied from a journal. Index: primary key.
UPDATE quarantine SET unsubscribed = unsubscribed + $1, suppressed = suppressed + $2, erased = erased + $3, journal = CASE WHEN $4 = 1 THEN 1 ELSE journal END, feeds = feeds + $5 WHERE id = 1;

-- name: quarantine.end
-- Index: primary key.
DELETE FROM quarantine WHERE id = 1;

-- name: quarantine.access
-- Index: primary key.
SELECT editor, change, at FROM quarantine_access ORDER BY editor, change;

-- name: quarantine.addAccess
-- Records the access that was taken from an editor. Index: primary key.
INSERT INTO quarantine_access (editor, change, at) VALUES ($1, $2, $3) ON CONFLICT (editor, change) DO UPDATE SET at = excluded.at;

-- name: quarantine.forgetAccess
-- Removes the addresses when the quarantine ends.
DELETE FROM quarantine_access;

-- name: quarantine.edition
-- Records an edition for the owner to decide on. An earlier decision is kept.
-- Index: primary key.
INSERT INTO quarantine_editions (edition, digest, number, scheduled_for, subject, articles, audience, recorded, began, ended, decision)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (edition) DO UPDATE SET recorded = excluded.recorded, began = excluded.began, ended = excluded.ended,
    decision = CASE WHEN quarantine_editions.decision = '' THEN excluded.decision ELSE quarantine_editions.decision END
WHERE excluded.began > 0;

-- name: quarantine.editions
-- The editions to decide on, with their state in the store, which is empty for a lost
-- edition. Index: editions_id.
SELECT q.edition, q.digest, q.number, q.scheduled_for, q.subject, q.audience, q.recorded, q.began, q.ended, q.decision, coalesce(e.state, '')
FROM quarantine_editions q LEFT JOIN editions e ON e.id = q.edition
WHERE q.decision NOT LIKE 'done%' ORDER BY q.began, q.digest, q.number;

-- name: quarantine.decide
-- Index: primary key.
UPDATE quarantine_editions SET decision = $2 WHERE edition = $1 AND decision NOT LIKE 'done%';

-- name: quarantine.unfinished
-- Editions that the store may still send. Index: editions_state.
SELECT id, digest, number, scheduled_for, subject, audience_count, automatic, state FROM editions
WHERE state IN ('draft', 'approved', 'sending', 'paused') ORDER BY seq;

-- name: quarantine.recipients
-- Records the subscribers, a JSON array, whom an edition was sent to. Index: primary key.
INSERT INTO quarantine_recipients (edition, subscriber) SELECT CAST($1 AS text), n.value FROM numbers($2) AS n WHERE true
ON CONFLICT (edition, subscriber) DO NOTHING;

-- name: quarantine.markRecipients
-- Marks the open deliveries of these subscribers as sent. Index: primary keys.
UPDATE deliveries SET state = 'sent', reason = $3, at = $4
WHERE edition = $1 AND state IN ('queued', 'attempting', 'deferred', 'uncertain')
    AND subscriber IN (SELECT q.subscriber FROM quarantine_recipients q WHERE q.edition = $2);

-- name: quarantine.markAll
-- Marks all open deliveries of an edition as sent. Index: primary key of deliveries.
UPDATE deliveries SET state = 'sent', reason = $2, at = $3 WHERE edition = $1 AND state IN ('queued', 'attempting', 'deferred', 'uncertain');

-- name: quarantine.reopenChunks
-- Makes the unfinished chunks of an edition due now. The node that claims one recounts it.
-- Index: primary key.
UPDATE chunks SET state = 'waiting', not_before = 0, lease_until = 0, holder = '', epoch = epoch + 1 WHERE edition = $1 AND state <> 'done';

-- name: quarantine.endChunks
-- Index: primary key.
UPDATE chunks SET state = 'done', not_before = 0, lease_until = 0, holder = '', epoch = epoch + 1 WHERE edition = $1 AND state <> 'done';

-- name: quarantine.countChunks
-- Recomputes the counters of all chunks of an edition. Index: primary keys.
UPDATE chunks SET part(countedDeliveries)
WHERE edition = $1;

-- name: quarantine.freeChunks
-- Ends the leases of all chunks.
UPDATE chunks SET state = 'waiting', lease_until = 0, holder = '', epoch = epoch + 1 WHERE state = 'leased';

-- name: quarantine.setSent
-- Marks an edition as sent, from any state. Index: editions_id.
UPDATE editions SET state = 'sent', reason = $2, approved = CASE WHEN approved = 0 THEN CAST($3 AS bigint) ELSE approved END,
    started = CASE WHEN started = 0 THEN CAST($3 AS bigint) ELSE started END, finished = CAST($4 AS bigint) WHERE id = $1;

-- name: quarantine.setState
-- Index: editions_id.
UPDATE editions SET state = $2, reason = $3, automatic = CASE WHEN $2 = 'draft' THEN 0 ELSE automatic END,
    held = CASE WHEN $2 = 'draft' THEN $3 ELSE held END,
    started = CASE WHEN $2 = 'sending' AND started = 0 THEN CAST($4 AS bigint) ELSE started END WHERE id = $1;

-- name: quarantine.article
-- Index: primary key.
INSERT INTO quarantine_articles (source, id) VALUES ($1, $2) ON CONFLICT (source) DO UPDATE SET id = excluded.id;

-- name: quarantine.articleID
-- The id that an article from a source had before the restore, unless another article has it
-- now. Indexes: primary key, articles_id.
SELECT q.id FROM quarantine_articles q WHERE q.source = $1 AND NOT EXISTS (SELECT 1 FROM articles a WHERE a.id = q.id);

-- name: quarantine.dropSingleMails
-- Fails the single mails that were queued when the backup was made: they may have been sent
-- since. Index: jobs_due.
UPDATE jobs SET state = 'failed', error = $2, finished = $3 WHERE state = 'open' AND kind = $1 AND created <= $4;

-- name: quarantine.forgetRecipients
-- Index: primary key.
DELETE FROM quarantine_recipients WHERE edition NOT IN (SELECT id FROM editions WHERE state = 'draft');

-- name: quarantine.done
-- Index: primary key.
UPDATE quarantine_editions SET decision = 'done: ' || decision WHERE decision NOT LIKE 'done%';

-- name: quarantine.gap
-- Index: primary key.
INSERT INTO quarantine_gaps (from_at, to_at) VALUES ($1, $2) ON CONFLICT (from_at) DO UPDATE SET to_at = excluded.to_at;

-- name: quarantine.fillGap
-- Marks the articles that are dated in a gap as seen, for every digest.
-- Index: articles_published.
INSERT INTO ledger (digest, article_id, edition_id) SELECT d.name, a.id, '' FROM articles a CROSS JOIN digests d
WHERE a.published > $1 AND a.published <= $2 ON CONFLICT (digest, article_id) DO NOTHING;

-- name: quarantine.inGap
-- Marks a new article as seen if it is dated in a gap. Index: primary keys.
INSERT INTO ledger (digest, article_id, edition_id) SELECT d.name, CAST($1 AS text), '' FROM quarantine_gaps g CROSS JOIN digests d
WHERE g.from_at < $2 AND g.to_at >= $2 ON CONFLICT (digest, article_id) DO NOTHING;

-- name: journal.advance
-- Returns the next mark of a journal, in the transaction that the journal entry records.
-- Index: primary key.
INSERT INTO journals (id, mark) VALUES ($1, 1) ON CONFLICT (id) DO UPDATE SET mark = journals.mark + 1 RETURNING mark;

-- name: journal.mark
-- Index: primary key.
SELECT mark FROM journals WHERE id = $1;

-- name: journal.lost
-- How many journals the store was written to, and when one of its nodes last ran.
SELECT (SELECT count(*) FROM journals), (SELECT COALESCE(max(at), 0) FROM probes);

-- name: journal.forget
-- Removes all marks: a restored store has written to no journal yet.
DELETE FROM journals;

-- name: journal.behind
-- Counts which of an edition's mails to some subscribers, a JSON array, were never attempted
-- according to the store. Index: primary key of deliveries.
SELECT count(*) FROM deliveries WHERE edition = $1 AND tries = 0 AND state = 'queued' AND subscriber IN numbers($2);

-- name: generation.former
-- Index: primary key.
SELECT count(*) FROM generations WHERE generation = $1;

-- name: generation.end
-- Index: primary key.
INSERT INTO generations (generation, ended) VALUES ($1, $2) ON CONFLICT (generation) DO NOTHING;

-- name: secret.replace
-- Index: primary key.
INSERT INTO secrets (name, value, created) VALUES ($1, $2, $3)
ON CONFLICT (name) DO UPDATE SET value = excluded.value, created = excluded.created;
