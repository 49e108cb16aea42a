package middleware

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limiter is a rate limit for each of many keys. It is safe for concurrent use and
// remembers a bounded number of keys.
type Limiter[K comparable] struct {
	interval time.Duration
	burst    int
	now      func() time.Time

	mu   sync.Mutex
	keys map[K]*rate.Limiter
}

// maxKeys bounds the memory of a limiter. When it is reached, the keys that have all
// their attempts left are forgotten, and if there are none, all keys.
const maxKeys = 20_000

// NewLimiter returns a limiter that allows each key burst attempts at once and one more
// in each interval. A nil clock is time.Now.
func NewLimiter[K comparable](burst int, interval time.Duration, now func() time.Time) *Limiter[K] {
	if now == nil {
		now = time.Now
	}
	return &Limiter[K]{interval: interval, burst: burst, now: now, keys: map[K]*rate.Limiter{}}
}

// Allow uses up one attempt of a key and reports whether it had one.
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

// forgetKeys bounds the number of keys.
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
