package delivery

import (
	"sync"
	"sync/atomic"
	"time"
)

// domains is how the recipients' domains bear what comes over one relay. Another
// relay has another name and address, and may be heard where this one is not.
type domains struct {
	mu    sync.Mutex
	known map[string]*domain
	many  atomic.Int64 // of known, so that most mails need no look
}

type domain struct {
	until  time.Time // it rests until then
	asked  int       // rests in a row that it asked for
	faults int       // refusals in a row for what we are
}

const (
	// restFirst and restLongest bound the rests that a domain asks for.
	restFirst   = 30 * time.Second
	restLongest = time.Hour
	// faultsOfDomain is how many refusals in a row for what we are make a domain
	// rest. One says little: some addresses take no mail from outside.
	faultsOfDomain = 3
	// mostDomains bounds what is known. To forget a rest is to try too soon.
	mostDomains = 10_000
)

// restOf says until when a domain rests; zero when it does not.
func (d *domains) restOf(name string) time.Time {
	if d.many.Load() == 0 {
		return time.Time{}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if known := d.known[name]; known != nil && time.Now().Before(known.until) {
		return known.until
	}
	return time.Time{}
}

// throttled says for how long a domain rests that asked to slow down, longer each
// time. What was under way when the rest began asks with it: 0 then.
func (d *domains) throttled(name string) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	known := d.of(name)
	if time.Now().Before(known.until) {
		return 0
	}
	known.asked++
	return known.rest(backoff(restFirst, restLongest, known.asked))
}

// blamed counts a refusal for what we are, and says for how long the domain rests;
// 0 when it does not, or does already.
func (d *domains) blamed(name string) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	known := d.of(name)
	if time.Now().Before(known.until) {
		return 0
	}
	if known.faults++; known.faults < faultsOfDomain {
		return 0
	}
	known.faults = 0
	return known.rest(faultWait)
}

// took says that a domain takes mail.
func (d *domains) took(name string) {
	if d.many.Load() == 0 {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	// An answer from before the rest does not end it.
	if known := d.known[name]; known != nil && !time.Now().Before(known.until) {
		delete(d.known, name)
		d.many.Store(int64(len(d.known)))
	}
}

// learn takes over what another node found out.
func (d *domains) learn(name string, until time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if known := d.of(name); until.After(known.until) {
		known.until = until
	}
}

// of returns what is known of a domain, for those who have the lock.
func (d *domains) of(name string) *domain {
	if known := d.known[name]; known != nil {
		return known
	}
	if d.known == nil {
		d.known = map[string]*domain{}
	}
	if len(d.known) >= mostDomains {
		d.forget()
	}
	made := &domain{}
	d.known[name] = made
	d.many.Store(int64(len(d.known)))
	return made
}

// forget drops what is known of a domain: one that has rested among some, else any.
func (d *domains) forget() {
	const looks = 32
	looked := 0
	for name, known := range d.known {
		if looked++; looked == looks || time.Now().After(known.until) {
			delete(d.known, name)
			return
		}
	}
}

func (d *domain) rest(wait time.Duration) time.Duration {
	d.until = time.Now().Add(wait)
	return wait
}
