package backoff_test

import (
	"testing"
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
