package delivery

import (
	"math/rand/v2"
	"time"
)

// Waiting times between tries, doubled each time.
const (
	firstWait = time.Minute
	longWait  = 4 * time.Hour
	// A connection that broke before anything was accepted says little of the
	// recipient, so the next try may come soon.
	brokenWait     = 2 * time.Second
	longBrokenWait = 15 * time.Minute
	// A refusal for what we are needs a person; the same mail would be refused again.
	faultWait = 15 * time.Minute
)

// backoff is how long to wait after so many tries: doubled each time up to a
// bound, with a fifth of jitter so that those who were put off together do not
// come back together.
func backoff(first, longest time.Duration, tries int) time.Duration {
	d := longest
	// Shifted the other way, since a mail of many tries would shift beyond 64 bits.
	if shift := max(tries-1, 0); first < longest>>shift {
		d = first << shift
	}
	return d - d/10 + rand.N(d/5+1)
}
