package middleware_test

import (
	"sync"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/web/middleware"
)

func TestLimiterForgetsUnusedKeysFirst(t *testing.T) {
	t.Parallel()
	now := time.Unix(0, 0)
	l := middleware.NewLimiter[int](1, time.Hour, func() time.Time { return now })
	for key := range 20_000 - 1 {
		l.Allow(key)
	}
	now = now.Add(time.Hour) // these have their attempt again
	if !l.Allow(-1) || l.Allow(-1) {
		t.Fatal("a new key has not one attempt")
	}
	l.Allow(-2) // one more key than are kept
	if l.Allow(-1) {
		t.Error("a key that has used its attempts was forgotten while others were unused")
	}
}

func TestLimiterKeepsABoundedNumberOfKeys(t *testing.T) {
	t.Parallel()
	now := time.Unix(0, 0)
	l := middleware.NewLimiter[int](1, time.Hour, func() time.Time { return now })
	for key := range 20_000 {
		l.Allow(key)
	}
	if l.Allow(0) {
		t.Fatal("a key has a second attempt")
	}
	l.Allow(20_000)
	if !l.Allow(0) {
		t.Error("all keys are in use, and none was dropped for a new one")
	}
}

func TestLimiterOfConcurrentRequestsAllowsTheBurst(t *testing.T) {
	t.Parallel()
	now := time.Unix(0, 0)
	l := middleware.NewLimiter[string](50, time.Hour, func() time.Time { return now })
	var all sync.WaitGroup
	var mu sync.Mutex
	allowed := 0
	for range 10 {
		all.Go(func() {
			for range 20 {
				if l.Allow("a") {
					mu.Lock()
					allowed++
					mu.Unlock()
				}
			}
		})
	}
	all.Wait()
	if allowed != 50 {
		t.Errorf("%d of 200 attempts were allowed, want 50", allowed)
	}
	now = now.Add(-time.Hour) // the clock was set back
	if l.Allow("a") {
		t.Error("a clock that is set back gives attempts")
	}
}
