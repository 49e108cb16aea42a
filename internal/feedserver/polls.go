package feedserver

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash"
	"hash/maphash"
	"maps"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidings-press/tidings/feed"
)

// PollRecorder keeps the statistics. RecordPolls adds to what it has for the same
// feed and day: counts by adding them, sketches by Sketch.Merge, subscribers by
// the larger number of each aggregator.
type PollRecorder interface {
	RecordPolls(ctx context.Context, polls []Polls) error
}

// Polls is who asked for a feed on a day.
type Polls struct {
	Feed        string // base path, "/tags/go/"; all private feeds together as "/private/"
	Day         string // UTC, "2026-03-02"
	Requests    int64
	NotModified int64
	Pollers     Sketch         // distinct clients, by a keyed hash of address and User-Agent
	Subscribers map[string]int // aggregator: the readers that it says to fetch for
}

// Readers sums up a day.
func (p *Polls) Readers() feed.Readers {
	r := feed.Readers{Polls: int(p.Requests), Pollers: p.Pollers.Estimate()}
	for _, n := range p.Subscribers {
		r.Subscribers += n
	}
	// Each aggregator is a poller too; all others read for themselves.
	r.Subscribers += max(r.Pollers-len(p.Subscribers), 0)
	return r
}

// Merge adds what another node or another minute saw of the same feed and day.
func (p *Polls) Merge(q *Polls) {
	p.Requests += q.Requests
	p.NotModified += q.NotModified
	p.Pollers.Merge(&q.Pollers)
	if p.Subscribers == nil {
		p.Subscribers = map[string]int{}
	}
	for name, n := range q.Subscribers {
		p.Subscribers[name] = max(p.Subscribers[name], n)
	}
}

// counter gathers polls until they are flushed.
type counter struct {
	hashes sync.Pool // of keyed hashes: to set one up takes longer than to use it
	recent [recentPollers]atomic.Pointer[poller]
	seed   maphash.Seed
	mu     sync.Mutex
	now    map[string]*Polls // by feed
	day    int64             // days since 1970, UTC
	old    []Polls           // of a day that ended since the last flush
}

func newCounter(key []byte) *counter {
	c := &counter{now: map[string]*Polls{}, seed: maphash.MakeSeed()}
	c.hashes.New = func() any { return hmac.New(sha256.New, key) }
	return c
}

// maxCounted bounds the feeds that are counted between two flushes, and the
// aggregators of each.
const maxCounted = 4096

func (s *Server) count(r *http.Request, d *document, unchanged bool) {
	if s.options.Polls == nil || d.opml {
		return
	}
	c := s.counter
	from := c.poller(s.options.Client(r), r.UserAgent())
	day := s.options.Now().Unix() / secondsADay

	c.mu.Lock()
	defer c.mu.Unlock()
	c.begin(day)
	p := c.now[d.feed]
	if p == nil {
		if len(c.now) >= maxCounted {
			return
		}
		p = &Polls{Feed: d.feed, Day: time.Unix(day*secondsADay, 0).UTC().Format(time.DateOnly), Subscribers: map[string]int{}}
		c.now[d.feed] = p
	}
	p.Requests++
	if unchanged {
		p.NotModified++
	}
	p.Pollers.Add(from.hash)
	if from.readers > 0 && len(p.Subscribers) < 256 {
		p.Subscribers[from.aggregator] = max(p.Subscribers[from.aggregator], from.readers)
	}
}

const secondsADay = 24 * 60 * 60

// poller is the client of a request, as far as the statistics need it.
type poller struct {
	client     string
	agent      string
	hash       uint64 // keyed hash of address and User-Agent
	aggregator string // and for how many it asks
	readers    int
}

// recentPollers is how many pollers are remembered: the keyed hash and the look at the
// User-Agent take a tenth of a 304's time.
const recentPollers = 512

// poller returns the poller of a client and its User-Agent.
func (c *counter) poller(client, agent string) *poller {
	slot := &c.recent[(maphash.String(c.seed, client)^maphash.String(c.seed, agent))%recentPollers]
	if p := slot.Load(); p != nil && p.client == client && p.agent == agent {
		return p
	}
	p := c.newPoller(client, agent)
	slot.Store(p)
	return p
}

func (c *counter) newPoller(client, agent string) *poller {
	mac := c.hashes.Get().(hash.Hash)
	defer c.hashes.Put(mac)
	mac.Reset()
	var space [128]byte
	mac.Write(append(append(append(space[:0], client...), 0), agent...))
	p := &poller{client: client, agent: agent, hash: binary.BigEndian.Uint64(mac.Sum(space[:0]))}
	p.aggregator, p.readers = subscribers(agent)
	return p
}

// begin sets the counts of another day aside.
func (c *counter) begin(day int64) {
	if c.day == day {
		return
	}
	for _, p := range c.now {
		c.old = append(c.old, *p)
	}
	clear(c.now)
	c.day = day
}

// agentSubscribers is how aggregators say for how many they fetch:
// "Feedly/1.0 (+https://…; 12 subscribers)".
var agentSubscribers = regexp.MustCompile(`(?i)\b(\d{1,9})\s+(?:subscribers?|readers?)\b`)

// subscribers reads the number of subscribers that a User-Agent states, and the
// name of the program that states it.
func subscribers(agent string) (name string, n int) {
	if !strings.Contains(agent, "ubscriber") && !strings.Contains(agent, "eader") {
		return "", 0
	}
	found := agentSubscribers.FindStringSubmatch(agent)
	if found == nil {
		return "", 0
	}
	n, err := strconv.Atoi(found[1])
	if err != nil {
		return "", 0
	}
	// The number leaves the name, so that tomorrow's larger one is of the same name.
	name = agentSubscribers.ReplaceAllString(agent, "subscribers")
	return name[:min(len(name), 200)], n
}

// Flush hands the statistics gathered so far to the recorder. Call it every now
// and then and before the end; what a recorder refuses is kept for the next time.
func (s *Server) Flush(ctx context.Context) error {
	if s.options.Polls == nil {
		return nil
	}
	batch := s.counter.take()
	if len(batch) == 0 {
		return nil
	}
	if err := s.options.Polls.RecordPolls(ctx, batch); err != nil {
		s.counter.giveBack(batch)
		return errors.Join(errors.New("poll statistics are not stored yet"), err)
	}
	return nil
}

func (c *counter) take() []Polls {
	c.mu.Lock()
	defer c.mu.Unlock()
	batch := c.old
	for p := range maps.Values(c.now) {
		batch = append(batch, *p)
	}
	c.old = nil
	clear(c.now)
	return batch
}

func (c *counter) giveBack(batch []Polls) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.old)+len(batch) <= 4*maxCounted {
		c.old = append(c.old, batch...)
	}
}
