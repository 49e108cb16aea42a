-- Adds rows to the tables that the demo leaves empty, and removes most of the large rows.
-- It is written for schema 11; a later release adds rows for its new tables.
PRAGMA foreign_keys = ON;
DELETE FROM media WHERE name NOT IN (SELECT name FROM media ORDER BY bytes LIMIT 2);
DELETE FROM variants WHERE number > 1;
UPDATE deliveries SET variant = variant % 2;
INSERT INTO jobs (kind, key, payload, state, due, epoch, tries, error, created, finished) VALUES
    ('notice', 'k1', X'7B7D', 'open', 1, 0, 0, '', 1, 0), ('notice', 'k2', X'00FF', 'failed', 1, 2, 3, '550 no', 1, 9);
INSERT INTO websub (topic, callback, secret, expires, created, host, sent) VALUES ('http://x/feed', 'http://y/cb', 's', 99999999999999, 1, 'y', '');
UPDATE subscribers SET state = 'unsubscribed' WHERE id = 2;
UPDATE subscriptions SET left_at = 1764300000000 WHERE subscriber = 2;
INSERT INTO suppressions (hash, reason, detail, since) VALUES (X'0102030405060708090A0B0C0D0E0F10', 'unsubscribed', '', 1764300000000), (X'FFEE', 'bounced', '550 5.1.1 unknown', 1764300000001);
UPDATE subscribers SET address_key = 'erased:3', address = '', name = '', language = '', timezone = '', consent_source = '', consent_text = '', consent_ip = '', consent_at = 0, state = 'erased' WHERE id = 3;
DELETE FROM subscriptions WHERE subscriber = 3;
INSERT INTO editors (email_key, email, name, role, password, created, disabled) VALUES ('ed@example.org', 'ed@example.org', 'Ed', 'owner', '', 1764300000000, 0);
INSERT INTO sessions (hash, editor, agent, created, seen, expires) SELECT X'AA01', id, 'browser', 1, 1, 99999999999999 FROM editors;
INSERT INTO feed_tokens (hash, subscriber, digest, created, revoked) VALUES (X'BB01', 1, 'daily', 1, 0);
UPDATE deliveries SET state = 'refused', code = 550, reply = '5.1.1 no such user', tries = 1 WHERE subscriber = 4;
UPDATE deliveries SET state = 'uncertain', reason = 'in doubt: the process ended before the server had answered' WHERE subscriber = 5 AND edition = 2;
INSERT INTO quotas (relay, kind, starts, used) VALUES ('main', 'hour', 1764300000000, 7);
INSERT INTO relay_connections (relay, number, holder, until) VALUES ('main', 0, '', 0);
INSERT INTO feedback (key, subscriber, edition, kind, code, reply, source, at) SELECT 'smtp:1:4', 4, id, 'bounced', 550, '5.1.1 no such user', 'smtp', 1764300000000 FROM editions WHERE seq = 1;
INSERT INTO feed_left (revision, kind, key, at) VALUES (1, 'tag', 'harbour', 1764300000000);
INSERT INTO hub_position (id, count, revision, at, editions, settings) VALUES (1, 3, 16, 1764300000000, '[]', 'x');
INSERT INTO hub_notifications (hub, topic, stamp, due, since) VALUES ('http://hub', 'http://x/feed', 3, 0, 1);
INSERT INTO holds (relay, kind, domain, until, reason) VALUES ('main', 'domain', 'example.com', 99999999999999, '421 slow');
INSERT INTO edition_preferences (edition, topics, language, variant) VALUES (9, '', 'en', 0);
