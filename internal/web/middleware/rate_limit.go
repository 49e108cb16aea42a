package middleware

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limiter is a rate limit per key. It is safe for concurrent use, and keeps a bounded number of
// keys.
type Limiter[K comparable] struct {
	interval time.Duration
	burst    int
	now      func() time.Time

	mu   sync.Mutex
	keys map[K]*rate.Limiter
}

// maxKeys is the maximum number of keys of a limiter. When it is reached, unused keys are
// dropped: those with all their attempts left, or, if there are none, all keys.
const maxKeys = 20_000

// NewLimiter returns a limiter that allows each key burst attempts at once, and one more per
// interval. now may be nil for time.Now.
func NewLimiter[K comparable](burst int, interval time.Duration, now func() time.Time) *Limiter[K] {
	if now == nil {
		now = time.Now
	}
	return &Limiter[K]{interval: interval, burst: burst, now: now, keys: map[K]*rate.Limiter{}}
}

// Allow reports whether a key has an attempt left, and uses it up.
func (l *Limiter[K]) Allow(key K) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	one := l.keys[key]
	if one == nil {
		l.forgetKeys(now)
		one = rate.NewLimiter(rate.Every(l.interval), l.burst)
		l.keys[key] = one
	}
	return one.AllowN(now, 1)
}

// forgetKeys drops keys if there are too many.
func (l *Limiter[K]) forgetKeys(now time.Time) {
	if len(l.keys) < maxKeys {
		return
	}
	for key, one := range l.keys {
		if one.TokensAt(now) >= float64(l.burst) {
			delete(l.keys, key)
		}
	}
	if len(l.keys) >= maxKeys {
		clear(l.keys)
	}
}
