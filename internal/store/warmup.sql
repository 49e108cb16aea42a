-- name: warmup.init
-- Inserts the row that warmup.get locks. Index: primary key.
INSERT INTO warmups (relay, domain, day, allowance, used) VALUES ($1, $2, $3, $4, 0) ON CONFLICT (relay, domain) DO NOTHING;

-- name: warmup.get
-- Index: primary key.
SELECT day, allowance, used FROM warmups WHERE relay = $1 AND domain = $2
FOR UPDATE -- postgres only
;

-- name: warmup.read
-- Index: primary key.
SELECT day, allowance, used FROM warmups WHERE relay = $1 AND domain = $2;

-- name: warmup.domains
-- The recipient domains with the most mails of a relay on a day. Index: warmups_day.
SELECT domain, allowance, used FROM warmups WHERE day = $2 AND relay = $1 AND domain <> '' ORDER BY used DESC, domain LIMIT $3;

-- name: warmup.put
-- Index: primary key.
UPDATE warmups SET day = $3, allowance = $4, used = $5 WHERE relay = $1 AND domain = $2;

-- name: warmup.return
-- Returns mails that a node took on a day and did not send. Index: primary key.
UPDATE warmups SET used = used - $4 WHERE relay = $1 AND domain = $2 AND day = $3 AND used >= $4;

-- name: warmup.prune
-- Removes senders and domains without mail since a day. Index: warmups_day.
DELETE FROM warmups WHERE day < $1;
