package delivery

import (
	"context"
	"math"
	"sync"
	"time"

	"github.com/tidings-press/tidings/internal/store"
)

// rates are a relay's limits of mails in a time, which all nodes share. This node
// takes mails from them in batches.
type rates struct {
	relay   string
	store   *store.Store
	windows []window
	mu      sync.Mutex // also held while a batch is fetched: nobody else needs to ask then
}

// window is one limit: so many mails in each span of time.
type window struct {
	kind  string
	span  time.Duration
	limit int64
	left  int64     // mails that this node may still send
	empty bool      // nobody has any left
	next  time.Time // when the span ends
}

func newRates(r Relay, s *store.Store) *rates {
	limits := &rates{relay: r.Name, store: s}
	if r.PerHour > 0 {
		limits.windows = append(limits.windows, window{kind: "hour", span: time.Hour, limit: int64(r.PerHour)})
	}
	if r.PerSecond > 0 {
		span, limit := perSecond(r.PerSecond)
		limits.windows = append(limits.windows, window{kind: "second", span: span, limit: limit})
	}
	return limits
}

// perSecond finds a span of whole seconds in which a rate is a whole number of
// mails: 1.5 a second are 3 in 2 seconds. Fewer than one a second are counted over
// as long as one takes.
func perSecond(rate float64) (span time.Duration, limit int64) {
	if rate < 1 {
		return time.Duration(float64(time.Second) / rate), 1
	}
	const longest = 10 // seconds; what is left then is cut off
	for seconds := 1.0; seconds <= longest; seconds++ {
		if whole := math.Round(rate * seconds); math.Abs(rate*seconds-whole) < whole/1000 {
			return time.Duration(seconds) * time.Second, int64(whole)
		}
	}
	return longest * time.Second, int64(rate * longest)
}

// take takes a mail's place within all limits. When there is none it returns how
// long to wait.
func (l *rates) take(ctx context.Context) (time.Duration, error) {
	if len(l.windows) == 0 {
		return 0, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.windows {
		if d, err := l.takeOf(ctx, &l.windows[i]); d > 0 || err != nil {
			l.back(l.windows[:i])
			return d, err
		}
	}
	return 0, nil
}

// giveBack returns the place of a mail that was not sent.
func (l *rates) giveBack() {
	if len(l.windows) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.back(l.windows)
}

func (l *rates) back(windows []window) {
	for i := range windows {
		windows[i].left++
	}
}

// takeOf takes from one limit, fetching a batch from the store when this node has
// none left: a twentieth of the limit, so that nodes share it evenly and a dead one
// takes little along.
func (l *rates) takeOf(ctx context.Context, w *window) (time.Duration, error) {
	now := l.store.Now()
	if !now.Before(w.next) || w.next.Sub(now) > w.span { // over, or a clock that was put back
		w.left, w.empty = 0, false
	}
	if w.left == 0 {
		if w.empty {
			return w.next.Sub(now), nil
		}
		granted, next, err := l.store.TakeQuota(ctx, l.relay, w.kind, w.span, w.limit, max(1, w.limit/20))
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
