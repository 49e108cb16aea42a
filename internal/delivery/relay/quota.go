package relay

import (
	"context"
	"math"
	"sync"
	"time"

	"github.com/tidings-press/tidings/internal/store"
)

// quota limits a relay's mails per second and per hour, over all nodes. A node fetches its share
// from the store in batches.
type quota struct {
	relay   string
	store   *store.Store
	windows []window
	mu      sync.Mutex // also held while a batch is fetched, since all connections need the batch
}

// window is one limit of mails per span of time.
type window struct {
	kind  string
	span  time.Duration
	limit int64
	left  int64     // mails that this node may still send
	empty bool      // no node has any left
	next  time.Time // when the span ends
}

func newQuota(c Config, s *store.Store) *quota {
	q := &quota{relay: c.Name, store: s}
	if c.PerHour > 0 {
		q.windows = append(q.windows, window{kind: "hour", span: time.Hour, limit: int64(c.PerHour)})
	}
	if c.PerSecond > 0 {
		span, limit := perSecond(c.PerSecond)
		q.windows = append(q.windows, window{kind: "second", span: span, limit: limit})
	}
	return q
}

// perSecond turns a rate per second into a whole number of mails per span: 1.5 per second is 3
// in 2 seconds. For a rate below 1 the span is the time of one mail.
func perSecond(rate float64) (span time.Duration, limit int64) {
	if rate < 1 {
		return time.Duration(float64(time.Second) / rate), 1
	}
	const longest = 10 // seconds; beyond that the number is rounded down
	for seconds := 1.0; seconds <= longest; seconds++ {
		if whole := math.Round(rate * seconds); math.Abs(rate*seconds-whole) < whole/1000 {
			return time.Duration(seconds) * time.Second, int64(whole)
		}
	}
	return longest * time.Second, int64(rate * longest)
}

// UsedThisHour returns how many mails of the hourly quota all nodes have taken, 0 without a quota.
func (r *Relay) UsedThisHour(ctx context.Context) (int64, error) {
	if r.PerHour == 0 {
		return 0, nil
	}
	return r.quota.store.QuotaUsed(ctx, r.Name, "hour", time.Hour)
}

// TakeQuota counts one mail of an edition to a domain against all quotas of the relay and its warm-up.
// When one is used up, it counts nothing and returns how long to wait.
func (r *Relay) TakeQuota(ctx context.Context, domain string) (time.Duration, error) {
	return r.takeQuota(ctx, domain, false)
}

// TakeQuotaForSingleMail is TakeQuota for a mail outside an edition, such as a confirmation: it counts
// for the warm-up and does not wait for it.
func (r *Relay) TakeQuotaForSingleMail(ctx context.Context, domain string) (time.Duration, error) {
	return r.takeQuota(ctx, domain, true)
}

func (r *Relay) takeQuota(ctx context.Context, domain string, single bool) (time.Duration, error) {
	if d, err := r.quota.take(ctx); d > 0 || err != nil {
		return d, err
	}
	d, err := r.warmups.take(ctx, domain, single)
	if d > 0 || err != nil {
		r.quota.returnOne()
	}
	return d, err
}

// ReturnQuota takes back the count of a mail to a domain that was not sent.
func (r *Relay) ReturnQuota(domain string) {
	r.quota.returnOne()
	r.warmups.returnOne(domain)
}

func (q *quota) take(ctx context.Context) (time.Duration, error) {
	if len(q.windows) == 0 {
		return 0, nil
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := range q.windows {
		if d, err := q.takeFrom(ctx, &q.windows[i]); d > 0 || err != nil {
			add(q.windows[:i], 1)
			return d, err
		}
	}
	return 0, nil
}

func (q *quota) returnOne() {
	if len(q.windows) == 0 {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	add(q.windows, 1)
}

func add(windows []window, mails int64) {
	for i := range windows {
		windows[i].left += mails
	}
}

// takeFrom takes one mail from a window. When this node has none left, it fetches a batch from the
// store: a twentieth of the limit, so that nodes share it evenly and a node that dies wastes little
// of it.
func (q *quota) takeFrom(ctx context.Context, w *window) (time.Duration, error) {
	now := q.store.Now()
	if !now.Before(w.next) || w.next.Sub(now) > w.span { // the span is over, or the clock was set back
		w.left, w.empty = 0, false
	}
	if w.left == 0 {
		if w.empty {
			return w.next.Sub(now), nil
		}
		granted, next, err := q.store.TakeQuota(ctx, q.relay, w.kind, w.span, w.limit, max(1, w.limit/20))
		if err != nil {
			return 0, err
		}
		if w.left, w.next = granted, next; granted == 0 {
			w.empty = true
			return max(next.Sub(now), time.Millisecond), nil
		}
	}
	w.left--
	return 0, nil
}
