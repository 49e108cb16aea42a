package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/tidings-press/tidings/internal/store/sqldb"
)

// HoldKind is what a hold blocks.
type HoldKind string

// The kinds of holds.
const (
	RelayHeld      HoldKind = "relay"      // no node uses the relay
	ConnectionHeld HoldKind = "connection" // a node cannot reach the relay; the others try
	DomainHeld     HoldKind = "domain"     // no node sends to the domain over the relay
)

// Hold blocks mail over a relay, or to a domain over it, for a while.
type Hold struct {
	Relay  string
	Kind   HoldKind
	Domain string // of DomainHeld
	Until  time.Time
	Reason string
}

// Target describes what is held, for messages.
func (h Hold) Target() string {
	switch h.Kind {
	case DomainHeld:
		return "domain " + h.Domain + " on relay " + h.Relay
	case ConnectionHeld:
		return "connection to relay " + h.Relay
	}
	return "relay " + h.Relay
}

// PutHold stores a hold for all nodes, and removes those that have ended.
func (s *Store) PutHold(ctx context.Context, h Hold) error {
	return s.write(ctx, func(tx *conn) error {
		if _, err := tx.Exec(ctx, "hold.prune", millis(s.Now())); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "hold.put", h.Relay, string(h.Kind), h.Domain, millis(h.Until), replyText(h.Reason))
		return err
	})
}

// DropHold ends a hold.
func (s *Store) DropHold(ctx context.Context, h Hold) error {
	return s.write(ctx, func(tx *conn) error {
		_, err := tx.Exec(ctx, "hold.drop", h.Relay, string(h.Kind), h.Domain)
		return err
	})
}

// Holds returns the current holds.
func (s *Store) Holds(ctx context.Context) ([]Hold, error) {
	var out []Hold
	err := s.readers.Each(ctx, "hold.list", []any{millis(s.Now())}, func(rows *sql.Rows) error {
		var h Hold
		var until int64
		err := rows.Scan(&h.Relay, &h.Kind, &h.Domain, &until, &h.Reason)
		h.Until = timeOf(until)
		out = append(out, h)
		return err
	})
	return out, err
}

// TakeQuota takes up to want mails from a relay's limit for the current window, which all
// nodes share. It returns how many mails may be sent, and when the next window begins. A node whose clock
// is behind takes from the window that another node has begun: if it began the earlier one again, the two
// would forget each other's mails.
func (s *Store) TakeQuota(ctx context.Context, relay, kind string, window time.Duration, limit, want int64) (granted int64, next time.Time, err error) {
	err = s.write(ctx, func(tx *conn) error {
		now := s.Now()
		start := now.Truncate(window)
		next = start.Add(window)
		if _, err := tx.Exec(ctx, "quota.init", relay, kind); err != nil {
			return err
		}
		var starts, used int64
		if _, err := tx.One(ctx, "quota.get", []any{relay, kind}, &starts, &used); err != nil {
			return err
		}
		switch {
		case starts == millis(next): // by the clock of a node that is ahead, whose window counts
			start, next = next, next.Add(window)
		case starts != millis(start):
			used = 0
		}
		granted = max(0, min(want, limit-used))
		_, err := tx.Exec(ctx, "quota.put", relay, kind, millis(start), used+granted)
		return err
	})
	return granted, next, err
}

// QuotaUsed returns how many mails of a relay's limit nodes have taken for the current window.
func (s *Store) QuotaUsed(ctx context.Context, relay, kind string, window time.Duration) (int64, error) {
	var starts, used int64
	found, err := s.readers.One(ctx, "quota.used", []any{relay, kind}, &starts, &used)
	start := s.Now().Truncate(window)
	if err != nil || !found || starts != millis(start) && starts != millis(start.Add(window)) {
		return 0, err
	}
	return used, nil
}

// LeaseConnection leases one of a relay's connections, which all nodes share. It returns the
// number of the connection, or -1 if all are taken.
func (s *Store) LeaseConnection(ctx context.Context, relay, node string, limit int, lease time.Duration) (int64, error) {
	number := int64(-1)
	err := s.write(ctx, func(tx *conn) error {
		now := s.Now()
		if err := tx.addConnections(ctx, relay, limit); err != nil {
			return err
		}
		found, err := tx.One(ctx, "connection.free", []any{relay, limit, millis(now)}, &number)
		if err != nil || !found {
			number = -1
			return err
		}
		_, err = tx.Exec(ctx, "connection.take", relay, number, node, millis(now.Add(lease)))
		return err
	})
	return number, err
}

// addConnections inserts the missing rows of a relay's connections.
func (c *conn) addConnections(ctx context.Context, relay string, limit int) error {
	var have int
	if _, err := c.One(ctx, "connection.rows", []any{relay}, &have); err != nil {
		return err
	}
	for n := have; n < limit; n++ {
		if _, err := c.Exec(ctx, "connection.add", relay, n); err != nil {
			return err
		}
	}
	return nil
}

// CountConnections returns how many of a relay's connections are leased, on all nodes.
func (s *Store) CountConnections(ctx context.Context, relay string) (int64, error) {
	var n int64
	_, err := s.readers.One(ctx, "connection.taken", []any{relay, millis(s.Now())}, &n)
	return n, err
}

// RenewConnections renews the leases of a node's connections to a relay and returns their
// numbers. It also renews expired ones that no other node has taken.
func (s *Store) RenewConnections(ctx context.Context, relay, node string, lease time.Duration) (kept []int64, err error) {
	err = s.write(ctx, func(tx *conn) (err error) {
		kept, err = sqldb.Column[int64](ctx, tx.Conn, "connection.renew", relay, node, millis(s.Now().Add(lease)))
		return err
	})
	return kept, err
}

// ReleaseConnection ends the lease of a connection.
func (s *Store) ReleaseConnection(ctx context.Context, relay, node string, number int64) error {
	return s.write(ctx, func(tx *conn) error {
		_, err := tx.Exec(ctx, "connection.release", relay, number, node)
		return err
	})
}
