-- columns: subscriber
-- address, name, state, language, timezone, consent_source, consent_text, consent_ip, consent_at bigint,
-- created bigint, changed bigint, soft bigint, soft_from bigint, labels, mail_language

-- name: subscriber.insert
-- Inserts a subscriber.
INSERT INTO subscribers (uid, address_key, columns(subscriber)) VALUES (random_id(), $1, values(subscriber from 2))
RETURNING id, uid;

-- name: subscriber.byID
-- Index: primary key.
SELECT id, uid, columns(subscriber) FROM subscribers WHERE id = $1;

-- name: subscriber.byKey
-- Index: subscribers_address.
SELECT id, uid, columns(subscriber) FROM subscribers WHERE address_key = $1;

-- name: subscriber.byUID
-- Index: subscribers_uid.
SELECT id, uid, columns(subscriber) FROM subscribers WHERE uid = $1;

-- name: subscriber.byLegacyRow
-- The subscriber of an old token, which holds a row number instead of a random id.
-- Index: primary key.
SELECT id, uid, columns(subscriber) FROM subscribers WHERE id = $1 AND legacy = 1;

-- name: subscriber.page
-- The next $2 subscribers after an id. Index: primary key.
SELECT id, uid, columns(subscriber) FROM subscribers WHERE id > $1 ORDER BY id LIMIT $2;

-- name: subscriber.pageOfState
-- Index: subscribers_state.
SELECT id, uid, columns(subscriber) FROM subscribers WHERE id > $1 AND state = $3 ORDER BY id LIMIT $2;

-- name: subscriber.pageOfDigest
-- The subscribers of a digest, in state $4 or, if it is empty, in any state.
-- Index: primary key of subscriptions.
SELECT s.id, s.uid, columns(subscriber of s) FROM subscriptions p JOIN subscribers s ON s.id = p.subscriber
WHERE p.digest = $3 AND p.subscriber > $1 AND p.left_at = 0 AND (CAST($4 AS text) = '' OR s.state = $4)
ORDER BY p.subscriber LIMIT $2;

-- name: subscriber.setState
-- Changes the state if it is still $2. A subscriber who was bounced starts without soft
-- bounces. Index: primary key.
UPDATE subscribers SET state = $3, changed = $4, soft = CASE WHEN state = 'bounced' THEN 0 ELSE soft END WHERE id = $1 AND state = $2;

-- name: subscriber.setDetails
-- Changes what subscribers may change themselves. Index: primary key.
UPDATE subscribers SET name = $2, language = $3, timezone = $4, mail_language = $5 WHERE id = $1 AND state <> 'erased';

-- name: subscriber.setLabels
-- Index: primary key.
UPDATE subscribers SET labels = $2 WHERE id = $1 AND state <> 'erased';

-- name: subscriber.setConsent
-- Index: primary key.
UPDATE subscribers SET consent_source = $2, consent_text = $3, consent_ip = $4, consent_at = $5 WHERE id = $1 AND state <> 'erased';

-- name: subscriber.softBounce
-- Counts one more soft bounce. If $3 is 1, it is the first of a new series. The first one
-- sets when the series began. Index: primary key.
UPDATE subscribers SET soft = CASE WHEN $3 = 1 THEN 1 ELSE soft + 1 END,
    soft_from = CASE WHEN soft = 0 OR $3 = 1 THEN $2 ELSE soft_from END, soft_at = $2
WHERE id = $1
RETURNING soft, soft_from;

-- name: subscriber.quiet
-- Whether a series of soft bounces has ended: the last one was before $3, or a mail that was
-- sent after it and before $2 has not bounced. A relay may accept a mail that it cannot
-- deliver later, so the state sent proves nothing by itself. Index: primary keys,
-- feedback_subscriber.
SELECT 1 FROM subscribers p WHERE p.id = $1 AND p.soft > 0 AND (p.soft_at < $3 OR EXISTS (
    SELECT 1 FROM editions n JOIN deliveries d ON d.edition = n.seq AND d.subscriber = $1
    WHERE d.state = 'sent' AND d.at > p.soft_at AND d.at < $2
        AND NOT EXISTS (SELECT 1 FROM feedback f WHERE f.subscriber = $1 AND f.edition = n.id AND f.kind IN ('soft', 'bounced'))));

-- name: subscriber.clearSoft
-- Ends a series of soft bounces, after a mail was delivered. Index: primary key.
UPDATE subscribers SET soft = 0, soft_from = 0, soft_at = 0 WHERE id = $1 AND soft > 0;

-- name: subscriber.erase
-- Erases a subscriber: only the row number and the random id stay. Index: primary key.
UPDATE subscribers SET address_key = $2, address = '', name = '', language = '', mail_language = '', timezone = '', consent_source = '',
    consent_text = '', consent_ip = '', consent_at = 0, labels = '', state = 'erased', changed = $3, soft = 0, soft_from = 0, soft_at = 0
WHERE id = $1;

-- name: subscriber.counts
-- Counts the subscribers by state. Index: subscribers_state.
SELECT state, count(*) FROM subscribers GROUP BY state;

-- name: subscriber.lastID
-- The highest row number so far. Index: primary key.
SELECT coalesce(max(id), 0) FROM subscribers;

-- name: subscriber.expirePending
-- Pending subscribers who did not confirm in time. Index: subscribers_state.
SELECT id, uid, columns(subscriber) FROM subscribers WHERE state = 'pending' AND changed < $1 ORDER BY id LIMIT $2;

-- name: subscriber.countFormLanguage
-- Counts the subscribers who used the form and have language $1. Index: none; it serves a
-- command that is used once.
SELECT count(*) FROM subscribers WHERE consent_source = 'form' AND language = $1 AND state <> 'erased';

-- name: subscriber.clearFormLanguage
-- Clears the language of these subscribers, so that they get articles in all languages.
-- Index: none; it serves a command that is used once.
UPDATE subscribers SET language = '' WHERE consent_source = 'form' AND language = $1 AND state <> 'erased';
