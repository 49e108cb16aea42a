package store

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/warmup"
)

// Warmup is the state of a warm-up on a day.
type Warmup struct {
	Allowance int64     // mails of the day
	Used      int64     // of them, by all nodes; single mails may exceed the allowance
	Ends      time.Time // when the next day begins
}

// Left returns how many mails are left on the day.
func (w Warmup) Left() int64 { return max(w.Allowance-w.Used, 0) }

// day is a day of warm-ups. Days are in UTC: they are the same on all nodes, have 24 hours each,
// and do not depend on the settings.
const day = 24 * time.Hour

// warmupsFor is how many days without mail a warm-up is kept. Mailbox providers forget a sender
// after some weeks; then the plan begins again.
const warmupsFor = 60

// warmupOn returns what the plan allows on a day, from the row of an earlier or the same day.
func warmupOn(plan warmup.Plan, today, rowDay, allowance, used int64) Warmup {
	out := Warmup{Allowance: plan.Fit(allowance), Used: used, Ends: time.UnixMilli((today + 1) * day.Milliseconds())}
	if rowDay < today {
		out.Allowance, out.Used = plan.Next(out.Allowance, used), 0
	}
	return out
}

// TakeWarmup takes a share of the mails that a relay may send today, in all or to a domain. All nodes
// share them. A share is a twentieth of the allowance, so that nodes share it evenly and a node that
// dies wastes little. It returns the number of mails that may be sent, 0 if none is left. With single
// set it takes one mail even if none is left.
func (s *Store) TakeWarmup(ctx context.Context, relay, domain string, plan warmup.Plan, single bool) (granted int64, state Warmup, err error) {
	err = s.write(ctx, func(tx *conn) error {
		today := millis(s.Now()) / day.Milliseconds()
		if _, err := tx.Exec(ctx, "warmup.init", relay, domain, today, plan.Start); err != nil {
			return err
		}
		var rowDay, allowance, used int64
		if _, err := tx.One(ctx, "warmup.get", []any{relay, domain}, &rowDay, &allowance, &used); err != nil {
			return err
		}
		state = warmupOn(plan, today, rowDay, allowance, used)
		granted = min(max(state.Allowance/20, 1), state.Left())
		if single {
			granted = 1
		}
		if rowDay < today && domain == "" {
			if _, err := tx.Exec(ctx, "warmup.prune", today-warmupsFor); err != nil {
				return err
			}
		}
		if granted == 0 { // a day without mail does not count
			return nil
		}
		state.Used += granted
		// A clock that was set back continues the later day.
		_, err := tx.Exec(ctx, "warmup.put", relay, domain, max(today, rowDay), state.Allowance, state.Used)
		return err
	})
	return granted, state, err
}

// ReturnWarmup returns mails of a day that were taken and not sent, by domain; ends is the end of the day.
func (s *Store) ReturnWarmup(ctx context.Context, relay string, mails map[string]int64, ends time.Time) error {
	return s.write(ctx, func(tx *conn) error {
		for domain, n := range mails {
			if _, err := tx.Exec(ctx, "warmup.return", relay, domain, millis(ends)/day.Milliseconds()-1, n); err != nil {
				return err
			}
		}
		return nil
	})
}

// WarmupOf returns the state of a warm-up today.
func (s *Store) WarmupOf(ctx context.Context, relay, domain string, plan warmup.Plan) (Warmup, error) {
	today := millis(s.Now()) / day.Milliseconds()
	rowDay, allowance, used := today, plan.Start, int64(0)
	_, err := s.readers.One(ctx, "warmup.read", []any{relay, domain}, &rowDay, &allowance, &used)
	return warmupOn(plan, today, rowDay, allowance, used), err
}

// DomainWarmup is the state of the warm-up of a recipient domain on a day.
type DomainWarmup struct {
	Domain string
	Warmup
}

// DomainWarmups returns the recipient domains to which a relay sent the most mails today, at most limit.
func (s *Store) DomainWarmups(ctx context.Context, relay string, plan warmup.Plan, limit int) ([]DomainWarmup, error) {
	today := millis(s.Now()) / day.Milliseconds()
	var out []DomainWarmup
	err := s.readers.Each(ctx, "warmup.domains", []any{relay, today, limit}, func(rows *sql.Rows) error {
		var domain string
		var allowance, used int64
		err := rows.Scan(&domain, &allowance, &used)
		out = append(out, DomainWarmup{domain, warmupOn(plan, today, today, allowance, used)})
		return err
	})
	return out, err
}

// WaitsForWarmup reports whether a mail in a state with a reason waits for the warm-up of its domain. The
// queries compare with the same words.
func WaitsForWarmup(state digest.DeliveryState, reason string) bool {
	return state == digest.DeliveryDeferred && strings.HasPrefix(reason, "warm-up: ")
}
