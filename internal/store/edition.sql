-- name: digest.ensure
-- A digest's row, made when it is first seen. Index: primary key.
INSERT INTO digests (name, spec, since, next_run, next_key) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (name) DO NOTHING;

-- name: digest.get
-- Index: primary key.
SELECT name, spec, since, began, next_run, next_key FROM digests WHERE name = $1;

-- name: digest.respec
-- A new schedule counts from now. Index: primary key.
UPDATE digests SET spec = $2, next_run = $3, next_key = $4 WHERE name = $1 AND spec <> $2;

-- name: digest.setSince
-- Moves a digest's beginning. What is in the store now is judged by its own date again.
-- Index: primary key.
UPDATE digests SET since = $2, began = CASE WHEN began = 0 THEN began ELSE CAST($3 AS bigint) END WHERE name = $1;

-- name: digest.advance
-- Takes a due tick: one node's update finds the old time, every other one's does
-- not. With its first tick a digest has begun. Index: primary key.
UPDATE digests SET next_run = $3, next_key = $4, began = CASE WHEN began = 0 THEN CAST($5 AS bigint) ELSE began END
WHERE name = $1 AND next_run = $2;

-- name: digest.lock
-- Makes those who compose editions of one digest come one after the other. With its
-- first edition a digest has begun. Index: primary key.
UPDATE digests SET began = CASE WHEN began = 0 THEN CAST($2 AS bigint) ELSE began END WHERE name = $1;

-- name: tick.insert
-- Index: primary key.
INSERT INTO ticks (digest, scheduled_for, edition, reason, at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (digest, scheduled_for) DO NOTHING;

-- name: tick.list
-- The newest ticks of a digest. Index: ticks_at.
SELECT digest, scheduled_for, edition, reason, at FROM ticks WHERE digest = $1 ORDER BY at DESC, scheduled_for DESC LIMIT $2;

-- name: edition.nextNumber
-- An edition that the store lost keeps its number. Indexes: editions_number,
-- quarantine_editions_digest.
SELECT coalesce(max(n), 0) + 1 FROM (
    SELECT max(number) AS n FROM editions WHERE digest = $1
    UNION ALL SELECT max(number) FROM quarantine_editions WHERE digest = $1) AS numbers;

-- name: edition.insert
-- The unique row (digest, scheduled_for) lets one of two nodes win.
INSERT INTO editions (id, digest, number, scheduled_for, state, automatic, author, subject, reason, audience_count,
    audience_max, created, approved, started, finished)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '', 0, 0, $9, 0, 0, 0)
ON CONFLICT (digest, scheduled_for) DO NOTHING
RETURNING seq;

-- name: edition.addArticle
-- One article of an edition, at its place.
INSERT INTO edition_articles (edition, position, article_id) VALUES ($1, $2, $3);

-- name: ledger.insert
-- The unique row (digest, article) keeps an article from being sent twice.
INSERT INTO ledger (digest, article_id, edition_id) VALUES ($1, $2, $3) ON CONFLICT (digest, article_id) DO NOTHING;

-- name: ledger.unsee
-- Puts articles that an editor marked as seen back into a digest's queue: those dated
-- before a time, or all with 0. Indexes: ledger_edition, articles_id.
DELETE FROM ledger WHERE digest = $1 AND edition_id = ''
    AND (CAST($2 AS bigint) = 0 OR article_id IN (SELECT id FROM articles WHERE published < CAST($2 AS bigint)));

-- name: ledger.counts
-- How many articles of a digest were marked as seen, wait in drafts, or are in other
-- editions. Indexes: primary key of ledger, editions_id.
SELECT coalesce(sum(CASE WHEN l.edition_id = '' THEN 1 ELSE 0 END), 0), coalesce(sum(CASE WHEN e.state = 'draft' THEN 1 ELSE 0 END), 0),
    coalesce(sum(CASE WHEN l.edition_id <> '' AND (e.state IS NULL OR e.state <> 'draft') THEN 1 ELSE 0 END), 0)
FROM ledger l LEFT JOIN editions e ON e.id = l.edition_id WHERE l.digest = $1;

-- name: ledger.release
-- Gives the articles of an edition that nobody got to the next one. Index: ledger_edition.
DELETE FROM ledger WHERE edition_id = $1;

-- name: ledger.releaseUntried
-- The same for a cancelled edition that was being sent, but whose first mail never
-- began. Indexes: ledger_edition, chunks_open, primary key of deliveries.
DELETE FROM ledger WHERE edition_id = $2 AND EXISTS (SELECT 1 FROM editions WHERE seq = $1 AND state = 'cancelled')
    AND NOT EXISTS (SELECT 1 FROM chunks WHERE edition = $1 AND state <> 'done')
    AND NOT EXISTS (SELECT 1 FROM deliveries WHERE edition = $1 AND tries > 0);

-- name: edition.get
-- Index: editions_id.
SELECT seq, id, digest, number, scheduled_for, state, automatic, author, subject, reason, audience_count, audience_max,
    created, approved, started, finished, settings
FROM editions WHERE id = $1;

-- name: edition.bySeq
-- Index: primary key.
SELECT seq, id, digest, number, scheduled_for, state, automatic, author, subject, reason, audience_count, audience_max,
    created, approved, started, finished, settings
FROM editions WHERE seq = $1;

-- name: edition.list
-- The newest editions, of one digest or, with an empty name, of all. Index: primary key.
SELECT seq, id, digest, number, scheduled_for, state, automatic, author, subject, reason, audience_count, audience_max,
    created, approved, started, finished, settings
FROM editions WHERE $1 = '' OR digest = $1 ORDER BY seq DESC LIMIT $2;

-- name: edition.unattended
-- The oldest drafts of some digests that no editor needs to look at. Index: editions_state.
SELECT seq, id, digest, number, scheduled_for, state, automatic, author, subject, reason, audience_count, audience_max,
    created, approved, started, finished, settings
FROM editions WHERE state = 'draft' AND automatic = 1 AND digest IN strings($1) ORDER BY seq LIMIT $2;

-- name: edition.articles
-- Index: primary key.
SELECT article_id FROM edition_articles WHERE edition = $1 ORDER BY position;

-- name: edition.setSubject
-- Only a draft can still change. Index: editions_id.
UPDATE editions SET subject = $2 WHERE id = $1 AND state = 'draft';

-- name: edition.setState
-- A change of state from a known one: of two who try, one succeeds. Index: editions_id.
UPDATE editions SET state = $3, reason = $4,
    finished = CASE WHEN $3 IN ('sent', 'cancelled', 'failed') THEN CAST($5 AS bigint) ELSE finished END
WHERE id = $1 AND state = $2;

-- name: edition.approve
-- Only the draft that was rendered is approved: another subject, or articles that a later
-- tick added, change it. Index: editions_id.
UPDATE editions SET state = 'approved', approved = $2, audience_count = $3, audience_max = $4, settings = $5
WHERE id = $1 AND state = 'draft' AND created = $6 AND subject = $7;

-- name: edition.waitingDraft
-- The newest draft that a digest's schedule made and that waits for an editor. Index: editions_state.
SELECT seq, id, digest, number, scheduled_for, state, automatic, author, subject, reason, audience_count, audience_max,
    created, approved, started, finished, settings
FROM editions WHERE state = 'draft' AND automatic = 0 AND author = '' AND digest = $1 ORDER BY seq DESC LIMIT 1;

-- name: edition.redraft
-- A later tick gives a draft other articles. Index: editions_id.
UPDATE editions SET subject = $2, created = $3 WHERE id = $1 AND state = 'draft' AND created = $4 AND subject = $5;

-- name: edition.clearArticles
-- Index: primary key.
DELETE FROM edition_articles WHERE edition = $1;

-- name: edition.withdrawn
-- The articles of an edition that are not published any more. Indexes: primary key of
-- edition_articles, articles_id.
SELECT a.id, a.title FROM edition_articles x JOIN articles a ON a.id = x.article_id WHERE x.edition = $1 AND a.status <> 'published' ORDER BY x.position;

-- name: edition.holding
-- The editions under way that hold an article. Indexes: editions_state, primary key of
-- edition_articles.
SELECT e.id FROM editions e JOIN edition_articles x ON x.edition = e.seq
WHERE e.state IN ('approved', 'sending', 'paused') AND x.article_id = $1 ORDER BY e.seq;

-- name: edition.untold
-- Articles of editions under way that are not published any more, and of which no one was
-- told. Indexes: editions_state, primary key of edition_articles, articles_id.
SELECT e.seq, e.id, e.digest, e.subject, e.state, a.id, a.title
FROM editions e JOIN edition_articles x ON x.edition = e.seq JOIN articles a ON a.id = x.article_id
WHERE e.state IN ('approved', 'sending', 'paused') AND x.told = 0 AND a.status <> 'published' ORDER BY e.seq, x.position;

-- name: edition.tell
-- Of two nodes that tell, one finds that no one was told. Index: primary key.
UPDATE edition_articles SET told = $3 WHERE edition = $1 AND article_id = $2 AND told = 0;

-- name: edition.dropArticle
-- An article that was withdrawn before the approval is not in the edition. Index: primary key.
DELETE FROM edition_articles WHERE edition = $1 AND article_id = $2;

-- name: ledger.drop
-- Index: primary key.
DELETE FROM ledger WHERE digest = $1 AND article_id = $2 AND edition_id = $3;

-- name: edition.start
-- The first chunk is taken up. One that was paused before that and resumed is being
-- sent already. Index: primary key.
UPDATE editions SET state = 'sending', started = CAST($2 AS bigint) WHERE seq = $1 AND started = 0 AND state IN ('approved', 'sending');

-- name: edition.lock
-- Makes the nodes that end the last chunks of an edition look one after the other:
-- each sees what the one before has done. A stronger lock would wait for the key
-- locks that their changes of chunks have taken, and they for it. Index: primary key.
SELECT id FROM editions WHERE seq = $1
FOR NO KEY UPDATE -- postgres only
;

-- name: edition.finish
-- An edition is sent when all its chunks are done. Index: chunks_open.
UPDATE editions SET state = 'sent', finished = $2
WHERE seq = $1 AND state = 'sending' AND NOT EXISTS (SELECT 1 FROM chunks WHERE edition = $1 AND state <> 'done');

-- name: edition.counts
-- Progress, from the counters that every batch of outcomes keeps. Index: primary key of chunks.
SELECT CAST(coalesce(sum(total), 0) AS bigint), CAST(coalesce(sum(sent), 0) AS bigint), CAST(coalesce(sum(refused), 0) AS bigint),
    CAST(coalesce(sum(skipped), 0) AS bigint), CAST(coalesce(sum(deferred), 0) AS bigint), CAST(coalesce(sum(uncertain), 0) AS bigint)
FROM chunks WHERE edition = $1;

-- name: variant.insert
-- One rendered variant of a frozen edition.
INSERT INTO variants (edition, number, data) VALUES ($1, $2, $3);

-- name: variant.get
-- Index: primary key.
SELECT data FROM variants WHERE edition = $1 AND number = $2;

-- name: variant.ofReader
-- What a reader's mail is made of. Index: primary keys.
SELECT v.number, v.data FROM deliveries d JOIN variants v ON v.edition = d.edition AND v.number = d.variant WHERE d.edition = $1 AND d.subscriber = $2;

-- name: variant.longest
-- The one with the most in it. Index: primary key.
SELECT data FROM variants WHERE edition = $1 ORDER BY length(data) DESC, number LIMIT 1;

-- name: audience.preferences
-- The different wishes among the people that a digest goes to, of the next $3 of
-- them after a subscriber. Index: primary keys of subscriptions and subscribers.
SELECT p.topics, p.language, count(*), max(p.id)
FROM (
    SELECT u.topics, s.language, s.id
    FROM subscriptions u CROSS JOIN subscribers s -- sqlite only
    FROM subscriptions u JOIN subscribers s ON true -- postgres only
    WHERE s.id = u.subscriber AND u.digest = $1 AND u.left_at = 0 AND s.state = 'active' AND u.subscriber > $2
    ORDER BY u.subscriber LIMIT $3) AS p
GROUP BY p.topics, p.language ORDER BY p.topics, p.language;

-- name: audience.choose
-- Which variant each set of wishes gets, or why it gets none, a JSON array of objects.
INSERT INTO wishes (edition, topics, language, variant, reason)
SELECT CAST($1 AS bigint), value->>'t', value->>'l', CAST(value->>'v' AS bigint), value->>'r' FROM json_each($2) -- sqlite only
SELECT CAST($1 AS bigint), t, l, v, r FROM jsonb_to_recordset(CAST($2 AS jsonb)) AS w(t text, l text, v bigint, r text) -- postgres only
;

-- name: audience.chosen
-- Index: primary key.
DELETE FROM wishes WHERE edition = $1;

-- name: audience.freeze
-- A row for each of the next $6 people whom the edition goes to, cut into chunks
-- from number $7 on. Index: primary keys of subscriptions, subscribers and wishes.
INSERT INTO deliveries (edition, subscriber, chunk, variant, state, reason, tries, attempt, code, reply, relay, first_try, at, next_try)
SELECT CAST($1 AS bigint), p.id, CAST($7 AS bigint) + (row_number() OVER (ORDER BY p.id) - 1) / CAST($3 AS bigint), m.variant,
    CASE WHEN m.variant < 0 THEN 'skipped' ELSE 'queued' END, m.reason,
    0, 0, 0, '', '', 0, CAST($4 AS bigint), 0
FROM (
    SELECT u.topics, s.language, s.id
    FROM subscriptions u CROSS JOIN subscribers s -- sqlite only
    FROM subscriptions u JOIN subscribers s ON true -- postgres only
    WHERE s.id = u.subscriber AND u.digest = $2 AND u.left_at = 0 AND s.state = 'active' AND u.subscriber > $5
    ORDER BY u.subscriber LIMIT $6) AS p
JOIN wishes m ON m.edition = $1 AND m.topics = p.topics AND m.language = p.language;

-- name: audience.last
-- The last one who has a row so far. Index: primary key of deliveries.
SELECT coalesce(max(subscriber), 0) FROM deliveries WHERE edition = $1;

-- name: audience.chunks
-- The chunks of the people of a frozen audience after a subscriber. Index: primary
-- key of deliveries.
INSERT INTO chunks (edition, number, first_id, last_id, state, holder, lease_until, not_before, epoch, total, sent, refused, skipped, deferred, uncertain)
SELECT edition, chunk, min(subscriber), max(subscriber), 'waiting', '', 0, 0, 0, count(*), 0, 0,
    sum(CASE WHEN state = 'skipped' THEN 1 ELSE 0 END), 0, 0
FROM deliveries WHERE edition = $1 AND subscriber > $2 GROUP BY edition, chunk;

-- name: audience.others
-- Those on a digest, or who were, who are sent no edition of it: by state, and as
-- left when they receive other digests. Index: primary keys.
SELECT CASE WHEN s.state = 'active' THEN 'left this digest' ELSE s.state END, count(*)
FROM subscriptions u JOIN subscribers s ON s.id = u.subscriber
WHERE u.digest = $1 AND (u.left_at > 0 OR s.state <> 'active') AND s.state <> 'erased'
GROUP BY 1 ORDER BY 1;

-- name: edition.skipped
-- Why readers of an edition were skipped. Only chunks with skipped readers are read.
-- Index: primary keys of chunks and deliveries.
SELECT d.reason, count(*) FROM chunks c CROSS JOIN deliveries d -- sqlite only
SELECT d.reason, count(*) FROM chunks c JOIN deliveries d ON true -- postgres only
WHERE c.edition = $1 AND c.skipped > 0 AND d.edition = c.edition AND d.subscriber BETWEEN c.first_id AND c.last_id AND d.state = 'skipped'
GROUP BY d.reason;
