package serve

import (
	"hash/maphash"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// manners remembers who fetched what without asking whether it had changed.
type manners struct {
	every time.Duration
	seed  maphash.Seed
	mu    sync.Mutex
	last  map[uint64]int64 // hash of client and document: Unix seconds
}

// mostMannered bounds what is remembered; past it all is forgotten, which only
// ever lets somebody off.
const mostMannered = 100_000

func newManners(every time.Duration) *manners {
	return &manners{every: every, seed: maphash.MakeSeed(), last: map[uint64]int64{}}
}

// rude returns how long a client has to wait that fetches the same document
// unconditionally more often than it may; 0 for all others. A document that has
// changed since is another one: with a condition it would have been sent too, and
// hubs fetch without one whenever they are told of a change.
func (s *Server) rude(q *request, d *document, conditional bool) time.Duration {
	if s.manners.every <= 0 || q.head || conditional {
		return 0
	}
	return s.manners.wait(q.client()+"\x00"+q.agent+"\x00"+d.key+d.codings[identity].etag, s.options.Now())
}

// slowDown asks a client to come back later.
func slowDown(w http.ResponseWriter, wait time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, "Please send If-None-Match or If-Modified-Since with what the last response said, or poll less often.", http.StatusTooManyRequests)
}

// wait returns how long a client has to wait, 0 if it is welcome now.
func (m *manners) wait(client string, now time.Time) time.Duration {
	key := maphash.String(m.seed, client)
	m.mu.Lock()
	defer m.mu.Unlock()
	if last, known := m.last[key]; known {
		if wait := time.Unix(last, 0).Add(m.every).Sub(now); wait > 0 {
			return wait
		}
	}
	if len(m.last) >= mostMannered {
		clear(m.last)
	}
	m.last[key] = now.Unix()
	return 0
}
