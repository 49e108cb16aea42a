package relay

import (
	"context"
	"sync"
	"time"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/warmup"
)

// warmups limits the mails of a day over a relay by its warm-up plans, in all and to each recipient
// domain. A node fetches its allowance from the store.
type warmups struct {
	relay          string
	store          *store.Store
	all, perDomain warmup.Plan

	mu         sync.Mutex // also held while an allowance is fetched, since all connections need it
	allowances map[string]*allowance
}

// allowance is what a node may send today to a domain, or in all with an empty name.
type allowance struct {
	left  int64
	empty bool      // no node has any left
	ends  time.Time // when the day ends
}

// allDomains is the name of the allowance for all domains.
const allDomains = ""

func newWarmups(c Config, s *store.Store) *warmups {
	return &warmups{relay: c.Name, store: s, all: c.Warmup, perDomain: c.WarmupPerDomain, allowances: map[string]*allowance{}}
}

// plans returns the plans that apply to a mail, by the name of their allowance.
func (w *warmups) plans(domain string) map[string]warmup.Plan {
	out := map[string]warmup.Plan{}
	if w.all.Set() {
		out[allDomains] = w.all
	}
	if w.perDomain.Set() && domain != allDomains {
		out[domain] = w.perDomain
	}
	return out
}

// WarmupWait returns how long the relay takes no mail of editions because its warm-up allows no more
// today; 0 if it does.
func (r *Relay) WarmupWait() time.Duration { return r.warmups.wait(allDomains) }

// WarmupWaitOf is WarmupWait for the mails to one domain.
func (r *Relay) WarmupWaitOf(domain string) time.Duration { return r.warmups.wait(domain) }

// WarmupToday returns the state of the warm-up for all domains.
func (r *Relay) WarmupToday(ctx context.Context) (store.Warmup, error) {
	return r.warmups.store.WarmupOf(ctx, r.Name, allDomains, r.Warmup)
}

// limited reports whether there is a plan.
func (w *warmups) limited() bool { return w.all.Set() || w.perDomain.Set() }

// take counts a mail to a domain. If nothing is left, it counts nothing and returns how long to wait.
// A single mail, such as a confirmation, is counted and never waits.
func (w *warmups) take(ctx context.Context, domain string, single bool) (time.Duration, error) {
	if !w.limited() {
		return 0, nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var taken []*allowance
	for name, plan := range w.plans(domain) {
		s := w.allowance(name)
		if s.left == 0 && (single || !s.empty) {
			granted, state, err := w.store.TakeWarmup(ctx, w.relay, name, plan, single)
			if err != nil {
				undo(taken)
				return 0, err
			}
			s.left, s.empty, s.ends = granted, granted == 0 || single && s.empty, state.Ends
		}
		if s.left == 0 {
			undo(taken)
			return max(s.ends.Sub(w.store.Now()), time.Millisecond), nil
		}
		s.left--
		taken = append(taken, s)
	}
	return 0, nil
}

func undo(taken []*allowance) {
	for _, s := range taken {
		s.left++
	}
}

// allowance returns the allowance of today by its name, and makes one if needed. The caller has the lock.
func (w *warmups) allowance(name string) *allowance {
	s := w.allowances[name]
	if s == nil || !w.store.Now().Before(s.ends) && !s.ends.IsZero() {
		if len(w.allowances) >= maxDomains {
			clear(w.allowances) // what is left of them is not sent today
		}
		s = &allowance{}
		w.allowances[name] = s
	}
	return s
}

// wait returns how long the node must wait because its allowance, which it has asked for, is used up; 0 if it need
// not.
func (w *warmups) wait(name string) time.Duration {
	if !w.limited() {
		return 0
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.allowances[name]
	if s == nil || !s.empty || s.left > 0 {
		return 0
	}
	return max(s.ends.Sub(w.store.Now()), 0)
}

// returnOne takes back the count of a mail that was not sent.
func (w *warmups) returnOne(domain string) {
	if !w.limited() {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for name := range w.plans(domain) {
		w.allowance(name).left++
	}
}

// returnAll gives the mails of today that were not sent to the other nodes.
func (w *warmups) returnAll(ctx context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	left := map[string]int64{}
	var ends time.Time
	for name, s := range w.allowances {
		if s.left > 0 && w.store.Now().Before(s.ends) {
			left[name], ends = s.left, s.ends
		}
	}
	clear(w.allowances)
	if len(left) == 0 {
		return nil
	}
	return w.store.ReturnWarmup(ctx, w.relay, left, ends)
}

// WarmupWait returns how long no relay takes mail of editions because of its warm-up; 0 if one does,
// or does not for another reason.
func (s *Set) WarmupWait() time.Duration {
	var least time.Duration
	for _, r := range s.relays {
		if r.OnStandby() {
			continue
		}
		d := r.WarmupWait()
		if d == 0 {
			return 0
		}
		if least == 0 || d < least {
			least = d
		}
	}
	return least
}

// ReturnWarmups gives what this node may still send today to the other nodes. It is called when the
// node has stopped.
func (s *Set) ReturnWarmups(ctx context.Context) {
	for _, r := range s.relays {
		if err := r.warmups.returnAll(ctx); err != nil {
			s.Log.Warn("unused mails of the warm-up could not be returned", "relay", r.Name, "error", err)
		}
	}
}
