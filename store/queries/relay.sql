-- name: hold.put
-- Holds a relay or a domain back. Index: primary key.
INSERT INTO holds (kind, name, until, step, reason) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (kind, name) DO UPDATE SET until = excluded.until, step = excluded.step, reason = excluded.reason;

-- name: hold.list
-- Index: primary key.
SELECT kind, name, until, step, reason FROM holds WHERE until > $1 ORDER BY kind, name;

-- name: hold.drop
-- Index: primary key.
DELETE FROM holds WHERE kind = $1 AND name = $2;

-- name: quota.get
-- Index: primary key.
SELECT starts, used FROM quotas WHERE relay = $1 AND kind = $2
FOR UPDATE -- postgres only
;

-- name: quota.put
-- Index: primary key.
INSERT INTO quotas (relay, kind, starts, used) VALUES ($1, $2, $3, $4)
ON CONFLICT (relay, kind) DO UPDATE SET starts = excluded.starts, used = excluded.used;

-- name: quota.init
-- A row to lock. Index: primary key.
INSERT INTO quotas (relay, kind, starts, used) VALUES ($1, $2, 0, 0) ON CONFLICT (relay, kind) DO NOTHING;

-- name: slot.add
-- Index: primary key.
INSERT INTO slots (relay, number, holder, until) VALUES ($1, $2, '', 0) ON CONFLICT (relay, number) DO NOTHING;

-- name: slot.rows
-- Index: primary key.
SELECT count(*) FROM slots WHERE relay = $1;

-- name: slot.taken
-- Index: primary key.
SELECT count(*) FROM slots WHERE relay = $1 AND until >= $2;

-- name: slot.free
-- A connection slot that nobody holds. Index: primary key.
SELECT number FROM slots WHERE relay = $1 AND number < $2 AND until < $3 ORDER BY number LIMIT 1
FOR UPDATE SKIP LOCKED -- postgres only
;

-- name: slot.take
-- Index: primary key.
UPDATE slots SET holder = $3, until = $4 WHERE relay = $1 AND number = $2;

-- name: slot.renew
-- Keeps all slots of a node. Index: primary key.
UPDATE slots SET until = $2 WHERE holder = $1 AND until >= $3;

-- name: slot.drop
-- Index: primary key.
UPDATE slots SET holder = '', until = 0 WHERE relay = $1 AND number = $2 AND holder = $3;
