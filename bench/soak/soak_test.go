package main

import (
	"os"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// TestMain runs a node in the processes that the soak starts.
func TestMain(m *testing.M) {
	if os.Getenv(nodeVariable) != "" {
		exit(runNode())
	}
	os.Exit(m.Run())
}

// TestShortSoakKeepsAllPromises is the short form of "make soak".
func TestShortSoakKeepsAllPromises(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			if engine == store.Postgres {
				testkit.SharedPostgres(t) // skips the test without PostgreSQL
			}
			if err := soak(t.Context(), engine, options{time: 25 * time.Second, subscribers: 150, verbose: testing.Verbose()}); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestBrokenPromisesToSubscribersAreFound(t *testing.T) {
	t.Parallel()
	const address = "ada@example.org"
	for _, c := range []struct {
		name   string
		copies map[string]int
		store  tally
		left   bool
		broken bool
	}{
		{"each once", map[string]int{"<1>": 1, "<2>": 1}, tally{all: 2, sent: 2}, false, false},
		{"twice", map[string]int{"<1>": 2, "<2>": 1}, tally{all: 2, sent: 2}, false, true},
		{"twice and recorded as uncertain", map[string]int{"<1>": 2, "<2>": 1}, tally{all: 2, sent: 2, doubtful: 1}, false, false},
		{"recorded as sent, and lost", map[string]int{"<1>": 1}, tally{all: 2, sent: 2}, false, true},
		{"sent and not recorded", map[string]int{"<1>": 1, "<2>": 1}, tally{all: 2, sent: 1}, false, true},
		{"left out of an edition", map[string]int{"<1>": 1}, tally{all: 1, sent: 1}, false, true},
		{"unsubscribed before an edition", map[string]int{"<1>": 1}, tally{all: 1, sent: 1}, true, false},
		{"refused before an edition", nil, tally{all: 1, refused: 1}, false, false},
	} {
		s := &site{mails: newReceived()}
		s.mails.copies[address] = c.copies
		if c.left {
			s.mails.unsubscribed(address, true)
		}
		s.checkPerson(address, &c.store, 2)
		if broken := len(s.broken) > 0; broken != c.broken {
			t.Errorf("%s: %q", c.name, s.broken)
		}
	}
}

func TestGrowthOfTheProcessIsFound(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		time          time.Duration
		late, settled sample
		broken        bool
	}{
		"flat":                         {time.Hour, sample{heap: 50 << 20, goroutines: 45}, sample{heap: 40 << 20, goroutines: 30}, false},
		"heap at rest":                 {time.Minute, sample{heap: 50 << 20}, sample{heap: 90 << 20}, true},
		"heap under way":               {time.Hour, sample{heap: 90 << 20}, sample{heap: 50 << 20}, true},
		"heap under way, in a minute":  {time.Minute, sample{heap: 90 << 20}, sample{heap: 50 << 20}, false},
		"memory under way":             {time.Hour, sample{memory: 900 << 20}, sample{}, true},
		"memory under way in a minute": {time.Minute, sample{memory: 900 << 20}, sample{}, false},
		"descriptors at rest":          {time.Minute, sample{openFiles: 20}, sample{openFiles: 400}, true},
		"goroutines under way":         {time.Minute, sample{goroutines: 4000}, sample{goroutines: 40}, true},
	} {
		s := &site{}
		s.time = c.time
		c.settled.atRest = true
		for n := range 20 {
			one := sample{heap: 50 << 20, goroutines: 40, openFiles: 30}
			if n >= 16 {
				one = c.late
			}
			s.samples = append(s.samples, one)
		}
		s.samples = append(s.samples, c.settled)
		if err := s.checkUsage(); err != nil || len(s.broken) > 0 != c.broken {
			t.Errorf("%s: %v, %q", name, err, s.broken)
		}
	}
}
