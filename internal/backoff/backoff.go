// Package backoff spaces out retries: Delay returns how long to wait before the next one.
package backoff

import (
	"math/rand/v2"
	"time"
)

// Delay returns how long to wait after a number of failed tries: first after one, doubled
// with each further one, and never more than longest. A tenth of jitter either way keeps
// those that failed together from coming back together.
func Delay(first, longest time.Duration, tries int) time.Duration {
	d := longest
	// longest is shifted down rather than first up, which would overflow after 40 tries.
	if shift := max(tries-1, 0); first < longest>>shift {
		d = first << shift
	}
	return d - d/10 + rand.N(d/5+1)
}
