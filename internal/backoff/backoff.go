// Package backoff computes the waiting time before a retry, with Delay, and waits for it, with Wait.
package backoff

import (
	"context"
	"math/rand/v2"
	"time"
)

// Delay returns how long to wait after a number of failed tries: first after one try, twice as
// long after each further one, and at most longest. It adds jitter of up to a tenth either way,
// so that jobs that failed together are not retried together.
func Delay(first, longest time.Duration, tries int) time.Duration {
	d := longest
	// Shift longest down and not first up: first would overflow after some 40 tries.
	if shift := max(tries-1, 0); first < longest>>shift {
		d = first << shift
	}
	return d - d/10 + rand.N(d/5+1)
}

// Wait waits for a time. If the context ends before, it returns the context's error.
func Wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
