-- name: hold.put
-- Stops sending through a relay, or to a domain through it, until a time. Index: primary key.
INSERT INTO holds (relay, kind, domain, until, reason) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (relay, kind, domain) DO UPDATE SET until = excluded.until, reason = excluded.reason;

-- name: hold.list
-- Index: primary key.
SELECT relay, kind, domain, until, reason FROM holds WHERE until > $1 ORDER BY relay, kind DESC, domain;

-- name: hold.drop
-- Index: primary key.
DELETE FROM holds WHERE relay = $1 AND kind = $2 AND domain = $3;

-- name: hold.prune
-- Removes the holds that have ended. Index: primary key.
DELETE FROM holds WHERE until <= $1;

-- name: quota.get
-- Index: primary key.
SELECT starts, used FROM quotas WHERE relay = $1 AND kind = $2
FOR UPDATE -- postgres only
;

-- name: quota.used
-- What nodes have taken of a limit in the window that began last. Index: primary key.
SELECT starts, used FROM quotas WHERE relay = $1 AND kind = $2;

-- name: quota.put
-- Index: primary key.
INSERT INTO quotas (relay, kind, starts, used) VALUES ($1, $2, $3, $4)
ON CONFLICT (relay, kind) DO UPDATE SET starts = excluded.starts, used = excluded.used;

-- name: quota.init
-- Inserts the row that quota.get locks. Index: primary key.
INSERT INTO quotas (relay, kind, starts, used) VALUES ($1, $2, 0, 0) ON CONFLICT (relay, kind) DO NOTHING;

-- name: connection.add
-- Index: primary key.
INSERT INTO relay_connections (relay, number, holder, until) VALUES ($1, $2, '', 0) ON CONFLICT (relay, number) DO NOTHING;

-- name: connection.rows
-- Index: primary key.
SELECT count(*) FROM relay_connections WHERE relay = $1;

-- name: connection.taken
-- Index: primary key.
SELECT count(*) FROM relay_connections WHERE relay = $1 AND until >= $2;

-- name: connection.free
-- A free connection. Index: primary key.
SELECT number FROM relay_connections WHERE relay = $1 AND number < $2 AND until < $3 ORDER BY number LIMIT 1
FOR UPDATE SKIP LOCKED -- postgres only
;

-- name: connection.take
-- Index: primary key.
UPDATE relay_connections SET holder = $3, until = $4 WHERE relay = $1 AND number = $2;

-- name: connection.renew
-- Extends a node's hold on its connections, and returns those that it still has. Index: primary key.
UPDATE relay_connections SET until = $3 WHERE relay = $1 AND holder = $2 RETURNING number;

-- name: connection.release
-- Index: primary key.
UPDATE relay_connections SET holder = '', until = 0 WHERE relay = $1 AND number = $2 AND holder = $3;
