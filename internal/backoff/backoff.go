// Package backoff computes the waiting time before a retry; see Delay.
package backoff

import (
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
