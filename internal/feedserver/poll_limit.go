package feedserver

import (
	"hash/maphash"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// pollLimiter limits how often a client may fetch a document without a condition.
type pollLimiter struct {
	interval time.Duration
	seed     maphash.Seed
	mu       sync.Mutex
	last     map[uint64]int64 // hash of client and document: Unix seconds
}

// maxRememberedPolls is the maximum number of remembered requests. When it is reached, all are
// dropped, which only lets some clients through.
const maxRememberedPolls = 100_000

func newPollLimiter(every time.Duration) *pollLimiter {
	return &pollLimiter{interval: every, seed: maphash.MakeSeed(), last: map[uint64]int64{}}
}

// pollWait returns how long a client must wait that fetches a document without a condition
// again too soon; 0 for all others. A document that has changed since is not limited: with a
// condition it would be sent too, and hubs fetch without one after each notification.
func (s *Server) pollWait(r *http.Request, d *document, conditional bool) time.Duration {
	if s.pollLimiter.interval <= 0 || r.Method == http.MethodHead || conditional {
		return 0
	}
	return s.pollLimiter.wait(s.options.Client(r)+"\x00"+r.UserAgent()+"\x00"+d.Key+d.ETag(), s.options.Now())
}

// answerTooManyPolls answers 429 with the time to wait.
func answerTooManyPolls(w http.ResponseWriter, wait time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, "Too many polls. Send If-None-Match or If-Modified-Since with the values of the last response, or poll less often.", http.StatusTooManyRequests)
}

// wait returns how long a client must wait, or 0 and records the request.
func (p *pollLimiter) wait(client string, now time.Time) time.Duration {
	key := maphash.String(p.seed, client)
	p.mu.Lock()
	defer p.mu.Unlock()
	if last, known := p.last[key]; known {
		if wait := time.Unix(last, 0).Add(p.interval).Sub(now); wait > 0 {
			return wait
		}
	}
	if len(p.last) >= maxRememberedPolls {
		clear(p.last)
	}
	p.last[key] = now.Unix()
	return 0
}
