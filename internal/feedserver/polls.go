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

// PollRecorder stores the statistics. RecordPolls merges them with those stored for the same
// feed and day, as Polls.Merge does.
type PollRecorder interface {
	RecordPolls(ctx context.Context, polls []Polls) error
}

// Polls are the statistics of one feed on one day.
type Polls struct {
	Feed        string // base path, "/tags/go/"; all private feeds together as "/private/"
	Day         string // UTC, "2026-03-02"
	Requests    int64
	NotModified int64
	Pollers     HyperLogLog    // distinct clients, by a keyed hash of address and User-Agent
	Subscribers map[string]int // by aggregator: the number of subscribers in its User-Agent
}

// Readers returns the estimated number of readers of that day.
func (p *Polls) Readers() feed.Readers {
	r := feed.Readers{Polls: int(p.Requests), Pollers: p.Pollers.Estimate()}
	for _, n := range p.Subscribers {
		r.Subscribers += n
	}
	// The aggregators are among the pollers; each other poller counts as one reader.
	r.Subscribers += max(r.Pollers-len(p.Subscribers), 0)
	return r
}

// Merge adds the statistics of another node or period for the same feed and day.
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

// counter counts polls until Flush.
type counter struct {
	hashes   sync.Pool // of keyed hashes, since creating one takes longer than using it
	recent   [recentPollers]atomic.Pointer[poller]
	seed     maphash.Seed
	mu       sync.Mutex
	today    map[string]*Polls // by feed
	day      int64             // days since 1970, UTC
	finished []Polls           // of days that ended since the last flush
}

func newCounter(key []byte) *counter {
	c := &counter{today: map[string]*Polls{}, seed: maphash.MakeSeed()}
	c.hashes.New = func() any { return hmac.New(sha256.New, key) }
	return c
}

// maxCounted is the maximum number of feeds that are counted between two flushes.
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
	c.startDay(day)
	p := c.today[d.feed]
	if p == nil {
		if len(c.today) >= maxCounted {
			return
		}
		p = &Polls{Feed: d.feed, Day: time.Unix(day*secondsADay, 0).UTC().Format(time.DateOnly), Subscribers: map[string]int{}}
		c.today[d.feed] = p
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

// poller is a client in the statistics.
type poller struct {
	client     string
	agent      string
	hash       uint64 // keyed hash of address and User-Agent
	aggregator string // "" for other clients
	readers    int    // number of subscribers that the aggregator states
}

// recentPollers is the size of the cache of pollers: the keyed hash and the search in the
// User-Agent would take a tenth of the time of a 304.
const recentPollers = 512

// poller returns the poller of a client's address and User-Agent, from the cache if possible.
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

// startDay moves the counts to finished when a new day begins.
func (c *counter) startDay(day int64) {
	if c.day == day {
		return
	}
	for _, p := range c.today {
		c.finished = append(c.finished, *p)
	}
	clear(c.today)
	c.day = day
}

// agentSubscribers matches the number of subscribers in an aggregator's User-Agent, such as
// "Feedly/1.0 (+https://…; 12 subscribers)".
var agentSubscribers = regexp.MustCompile(`(?i)\b(\d{1,9})\s+(?:subscribers?|readers?)\b`)

// subscribers returns the number of subscribers in a User-Agent, and the User-Agent without
// the number as the name of the aggregator. It returns "" and 0 for other clients.
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
	// Without the number, so that the name stays the same when the number changes.
	name = agentSubscribers.ReplaceAllString(agent, "subscribers")
	return name[:min(len(name), 200)], n
}

// Flush passes the statistics so far to the recorder. Call it regularly and before the program
// ends. If the recorder fails, they are kept for the next call.
func (s *Server) Flush(ctx context.Context) error {
	if s.options.Polls == nil {
		return nil
	}
	batch := s.counter.take()
	if len(batch) == 0 {
		return nil
	}
	if err := s.options.Polls.RecordPolls(ctx, batch); err != nil {
		s.counter.putBack(batch)
		return errors.Join(errors.New("poll statistics not stored; the next flush tries again"), err)
	}
	return nil
}

func (c *counter) take() []Polls {
	c.mu.Lock()
	defer c.mu.Unlock()
	batch := c.finished
	for p := range maps.Values(c.today) {
		batch = append(batch, *p)
	}
	c.finished = nil
	clear(c.today)
	return batch
}

func (c *counter) putBack(batch []Polls) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.finished)+len(batch) <= 4*maxCounted {
		c.finished = append(c.finished, batch...)
	}
}
