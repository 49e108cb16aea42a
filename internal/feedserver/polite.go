package feedserver

import (
	"hash/maphash"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// politeness remembers which clients fetched what without a condition.
type politeness struct {
	every time.Duration
	seed  maphash.Seed
	mu    sync.Mutex
	last  map[uint64]int64 // hash of client and document: Unix seconds
}

// maxRemembered bounds how many fetches are remembered. Beyond it all are forgotten, which
// only lets some clients through.
const maxRemembered = 100_000

func newPoliteness(every time.Duration) *politeness {
	return &politeness{every: every, seed: maphash.MakeSeed(), last: map[uint64]int64{}}
}

// impolite returns how long a client has to wait that fetches the same document without
// a condition more often than it may; 0 for all others. A document that has
// changed since is another one: with a condition it would have been sent too, and
// hubs fetch without one whenever they are told of a change.
func (s *Server) impolite(r *http.Request, d *document, conditional bool) time.Duration {
	if s.polite.every <= 0 || r.Method == http.MethodHead || conditional {
		return 0
	}
	return s.polite.wait(s.options.Client(r)+"\x00"+r.UserAgent()+"\x00"+d.Key+d.ETag(), s.options.Now())
}

// slowDown asks a client to come back later.
func slowDown(w http.ResponseWriter, wait time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, "Please send If-None-Match or If-Modified-Since with what the last response said, or poll less often.", http.StatusTooManyRequests)
}

// wait returns how long a client has to wait; 0 when it may have the document now.
func (m *politeness) wait(client string, now time.Time) time.Duration {
	key := maphash.String(m.seed, client)
	m.mu.Lock()
	defer m.mu.Unlock()
	if last, known := m.last[key]; known {
		if wait := time.Unix(last, 0).Add(m.every).Sub(now); wait > 0 {
			return wait
		}
	}
	if len(m.last) >= maxRemembered {
		clear(m.last)
	}
	m.last[key] = now.Unix()
	return 0
}
