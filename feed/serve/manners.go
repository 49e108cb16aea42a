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

// rude answers a client that fetches the same document unconditionally more often
// than it may with 429 and the time to wait, and reports whether it did.
func (s *Server) rude(w http.ResponseWriter, r *http.Request, d *document) bool {
	m := s.manners
	if m.every <= 0 || r.Method != http.MethodGet {
		return false
	}
	wait := m.wait(s.options.Client(r)+"\x00"+r.UserAgent()+"\x00"+d.key, s.options.Now())
	if wait <= 0 {
		return false
	}
	w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, "Please send If-None-Match or If-Modified-Since with what the last response said, or poll less often.", http.StatusTooManyRequests)
	return true
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
