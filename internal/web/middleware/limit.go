package middleware

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limiter lets each key do something a number of times at once, and again after a
// pause. It is safe for concurrent use and remembers a bounded number of keys.
type Limiter[K comparable] struct {
	every time.Duration
	burst int
	now   func() time.Time

	mu   sync.Mutex
	keys map[K]*rate.Limiter
}

// mostKeys bounds the memory of a limiter. When there are more, those who have all
// their tries left are forgotten, and if there are none, everyone.
const mostKeys = 20_000

// NewLimiter allows burst tries at once and one more after each pause. A nil clock
// is time.Now.
func NewLimiter[K comparable](burst int, every time.Duration, now func() time.Time) *Limiter[K] {
	if now == nil {
		now = time.Now
	}
	return &Limiter[K]{every: every, burst: burst, now: now, keys: map[K]*rate.Limiter{}}
}

// Allow uses up one try of a key, if it has one.
func (l *Limiter[K]) Allow(key K) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	one := l.keys[key]
	if one == nil {
		l.tidy(now)
		one = rate.NewLimiter(rate.Every(l.every), l.burst)
		l.keys[key] = one
	}
	return one.AllowN(now, 1)
}

// Spent says whether a key has no try left, and uses up none.
func (l *Limiter[K]) Spent(key K) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	one := l.keys[key]
	return one != nil && one.TokensAt(l.now()) < 1
}

// Forget gives a key all its tries back.
func (l *Limiter[K]) Forget(key K) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.keys, key)
}

func (l *Limiter[K]) tidy(now time.Time) {
	if len(l.keys) < mostKeys {
		return
	}
	for key, one := range l.keys {
		if one.TokensAt(now) >= float64(l.burst) {
			delete(l.keys, key)
		}
	}
	if len(l.keys) >= mostKeys {
		clear(l.keys)
	}
}
