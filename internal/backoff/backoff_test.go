package backoff_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidings-press/tidings/internal/backoff"
)

func TestDelayDoublesUpToLimitWithJitter(t *testing.T) {
	t.Parallel()
	seen := map[time.Duration]bool{}
	for tries := range 2000 {
		d := backoff.Delay(time.Minute, 4*time.Hour, tries)
		want := min(4*time.Hour, time.Minute<<min(max(tries-1, 0), 20))
		if d < want-want/10 || d > want+want/10 {
			t.Errorf("try %d: %v, want about %v", tries, d, want)
		}
		seen[d] = true
	}
	if len(seen) < 30 {
		t.Errorf("only %d different delays", len(seen))
	}
}

func TestWaitEndsAfterTheTimeOrWithTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		start := time.Now()
		if err := backoff.Wait(ctx, time.Minute); err != nil || time.Since(start) != time.Minute {
			t.Errorf("%v after %v, want nil after a minute", err, time.Since(start))
		}
		if err := backoff.Wait(ctx, 2*time.Hour); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Hour {
			t.Errorf("%v after %v, want the context's error after an hour", err, time.Since(start))
		}
		if err := backoff.Wait(ctx, 0); err != nil {
			t.Errorf("no time to wait: %v", err)
		}
	})
}
