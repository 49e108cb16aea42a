package store

import (
	"context"
	"database/sql"
	"time"
)

// Hold keeps mail from a relay, or to a domain, for a while.
type Hold struct {
	Kind   string // "relay" or "domain"
	Name   string
	Until  time.Time
	Step   int // how often in a row
	Reason string
}

// PutHold makes a hold known to all nodes.
func (s *Store) PutHold(ctx context.Context, h Hold) error {
	return s.write(ctx, func(tx *runner) error {
		_, err := tx.exec(ctx, "hold.put", h.Kind, h.Name, millis(h.Until), h.Step, h.Reason)
		return err
	})
}

// DropHold ends a hold.
func (s *Store) DropHold(ctx context.Context, kind, name string) error {
	return s.write(ctx, func(tx *runner) error {
		_, err := tx.exec(ctx, "hold.drop", kind, name)
		return err
	})
}

// Holds returns what is held now.
func (s *Store) Holds(ctx context.Context) ([]Hold, error) {
	var out []Hold
	err := s.readers.each(ctx, "hold.list", []any{millis(s.Now())}, func(rows *sql.Rows) error {
		var h Hold
		var until int64
		err := rows.Scan(&h.Kind, &h.Name, &until, &h.Step, &h.Reason)
		h.Until = timeOf(until)
		out = append(out, h)
		return err
	})
	return out, err
}

// TakeQuota takes up to want mails from a relay's limit for the window that runs
// now, shared by all nodes. It returns how many may be sent, and when the next
// window begins.
func (s *Store) TakeQuota(ctx context.Context, relay, kind string, window time.Duration, limit, want int64) (granted int64, next time.Time, err error) {
	err = s.write(ctx, func(tx *runner) error {
		now := s.Now()
		start := now.Truncate(window)
		next = start.Add(window)
		if _, err := tx.exec(ctx, "quota.init", relay, kind); err != nil {
			return err
		}
		var starts, used int64
		if _, err := tx.one(ctx, "quota.get", []any{relay, kind}, &starts, &used); err != nil {
			return err
		}
		if starts != millis(start) {
			used = 0
		}
		granted = max(0, min(want, limit-used))
		_, err := tx.exec(ctx, "quota.put", relay, kind, millis(start), used+granted)
		return err
	})
	return granted, next, err
}

// TakeSlot takes one of a relay's connections, shared by all nodes, for the length
// of a lease. It returns -1 when all are taken.
func (s *Store) TakeSlot(ctx context.Context, relay, node string, limit int, lease time.Duration) (int64, error) {
	slot := int64(-1)
	err := s.write(ctx, func(tx *runner) error {
		now := s.Now()
		if err := tx.addSlots(ctx, relay, limit); err != nil {
			return err
		}
		found, err := tx.one(ctx, "slot.free", []any{relay, limit, millis(now)}, &slot)
		if err != nil || !found {
			slot = -1
			return err
		}
		_, err = tx.exec(ctx, "slot.take", relay, slot, node, millis(now.Add(lease)))
		return err
	})
	return slot, err
}

// addSlots makes the rows that stand for a relay's connections.
func (r *runner) addSlots(ctx context.Context, relay string, limit int) error {
	var have int
	if _, err := r.one(ctx, "slot.rows", []any{relay}, &have); err != nil {
		return err
	}
	for n := have; n < limit; n++ {
		if _, err := r.exec(ctx, "slot.add", relay, n); err != nil {
			return err
		}
	}
	return nil
}

// SlotsTaken is how many of a relay's connections all nodes hold together.
func (s *Store) SlotsTaken(ctx context.Context, relay string) (int64, error) {
	var n int64
	_, err := s.readers.one(ctx, "slot.taken", []any{relay, millis(s.Now())}, &n)
	return n, err
}

// RenewSlots keeps a node's connections.
func (s *Store) RenewSlots(ctx context.Context, node string, lease time.Duration) error {
	return s.write(ctx, func(tx *runner) error {
		now := s.Now()
		_, err := tx.exec(ctx, "slot.renew", node, millis(now.Add(lease)), millis(now))
		return err
	})
}

// DropSlot gives a connection back.
func (s *Store) DropSlot(ctx context.Context, relay, node string, slot int64) error {
	return s.write(ctx, func(tx *runner) error {
		_, err := tx.exec(ctx, "slot.drop", relay, slot, node)
		return err
	})
}
