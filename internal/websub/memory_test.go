package websub_test

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/websub"
)

// queue keeps jobs in memory, with the rules of the store's.
type queue struct {
	mu      sync.Mutex
	open    map[string]*queued
	ends    map[string]string // key and payload: how it ended
	claimed int               // at the moment
	most    int               // so far
	delays  []time.Duration
}

type queued struct {
	job     websub.Job
	due     time.Time
	claimed bool
}

func newQueue() *queue { return &queue{open: map[string]*queued{}, ends: map[string]string{}} }

func (q *queue) Enqueue(_ context.Context, jobs ...websub.Job) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, job := range jobs {
		key := job.Kind + job.Key
		if one := q.open[key]; one == nil {
			q.open[key] = &queued{job: job, due: time.Now().Add(job.After)}
		} else if job.Newest {
			one.job.Payload = job.Payload
		}
	}
	return nil
}

func (q *queue) Open(_ context.Context, kind, prefix string, limit int64) (n int64, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, one := range q.open {
		if one.job.Kind == kind && strings.HasPrefix(one.job.Key, prefix) {
			n++
		}
	}
	return min(n, limit), nil
}

func (q *queue) Claim(_ context.Context, kinds []string, n int, _ time.Duration) ([]websub.Job, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	var jobs []websub.Job
	for _, one := range q.open {
		if len(jobs) < n && !one.claimed && slices.Contains(kinds, one.job.Kind) && !time.Now().Before(one.due) {
			one.claimed = true
			one.job.Tries++
			jobs = append(jobs, one.job)
		}
	}
	q.claimed += len(jobs)
	q.most = max(q.most, q.claimed)
	return jobs, nil
}

func (q *queue) Settle(ctx context.Context, job websub.Job, end websub.End) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.claimed--
	key := job.Kind + job.Key
	one := q.open[key]
	one.claimed, one.due = false, time.Now().Add(end.After)
	switch {
	case end.State == websub.Stumbled:
		q.delays = append(q.delays, end.After)
	case end.State == websub.GotOn || end.State == websub.Done && !bytes.Equal(one.job.Payload, job.Payload):
		one.job.Tries = 0
	default:
		delete(q.open, key)
		q.ends[job.Key+" "+string(job.Payload)] = cmp.Or(end.Reason, "done")
	}
	return nil
}

func (q *queue) ended(part string) string {
	q.mu.Lock()
	defer q.mu.Unlock()
	for key, how := range q.ends {
		if strings.Contains(key, part) {
			return how
		}
	}
	return ""
}

// idle reports whether there is nothing to do.
func (q *queue) idle() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.open) == 0
}

// registry keeps subscriptions in memory.
type registry struct {
	mu  sync.Mutex
	all map[string]websub.Subscription
	// full is what Count says; nil for the truth
	full *websub.Counts
}

func (r *registry) Put(_ context.Context, s websub.Subscription) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := s.Topic + " " + s.Callback
	s.Sent = r.all[key].Sent
	r.all[key] = s
	return nil
}

func (r *registry) Drop(_ context.Context, topic, callback string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.all, topic+" "+callback)
	return nil
}

func (r *registry) Of(_ context.Context, topic string) ([]websub.Subscription, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []websub.Subscription
	for s := range maps.Values(r.all) {
		if s.Topic == topic && s.Expires.After(time.Now()) {
			all = append(all, s)
		}
	}
	return all, nil
}

func (r *registry) Find(ctx context.Context, topic, callback string) (websub.Subscription, error) {
	all, _ := r.Of(ctx, topic)
	for _, s := range all {
		if s.Callback == callback {
			return s, nil
		}
	}
	return websub.Subscription{}, websub.ErrNoSubscription
}

func (r *registry) Sent(_ context.Context, topic, callback, version string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s, known := r.all[topic+" "+callback]; known {
		s.Sent = version
		r.all[topic+" "+callback] = s
	}
	return nil
}

func (r *registry) Count(_ context.Context, topic, callback string) (n websub.Counts, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.full != nil {
		return *r.full, nil
	}
	host := func(callback string) string { u, _ := url.Parse(callback); return u.Hostname() }
	for _, s := range r.all {
		n.All++
		if s.Topic == topic {
			n.Topic++
		}
		if host(s.Callback) == host(callback) {
			n.Host++
		}
	}
	return n, nil
}

// journal is news in memory, and what hubs have yet to be told of.
type journal struct {
	queue *queue
	looks atomic.Int64

	mu       sync.Mutex
	changed  []article.Article
	revision int
	count    int64
	settings string
	lost     int // announcements that another node makes first
	lists    map[string]map[string]websub.Untold
}

// note makes an article news.
func (j *journal) note(a article.Article) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.changed = append(j.changed, a)
}

func (j *journal) Look(context.Context, int) (websub.Change, error) {
	j.looks.Add(1)
	j.mu.Lock()
	defer j.mu.Unlock()
	change := websub.Change{Settings: j.settings, Count: j.count, Handle: len(j.changed), Moved: len(j.changed) != j.revision || j.count == 0}
	if j.count == 0 {
		return change, nil
	}
	change.Articles = slices.Clone(j.changed[j.revision:])
	for _, a := range change.Articles {
		for _, tag := range a.Tags {
			change.Labels = append(change.Labels, websub.Label{Kind: feed.ByTag, Name: tag})
		}
	}
	return change, nil
}

func (j *journal) Announce(ctx context.Context, a websub.Announcement) (bool, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.lost > 0 {
		j.lost--
		return false, nil
	}
	j.count++
	j.revision, j.settings = a.Change.Handle.(int), a.Settings
	if len(a.Topics) == 0 {
		return true, nil
	}
	now := time.Now()
	for _, hub := range a.Hubs {
		if j.lists[hub] == nil {
			j.lists[hub] = map[string]websub.Untold{}
		}
		for _, topic := range a.Topics {
			due := now.Add(a.After)
			if old, there := j.lists[hub][topic]; there {
				due = old.Due
			}
			j.lists[hub][topic] = websub.Untold{Topic: topic, Due: due, Since: now, Handle: j.count}
		}
	}
	return true, j.queue.Enqueue(ctx, a.Jobs...)
}

func (j *journal) Of(_ context.Context, hub string, most int) ([]websub.Untold, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	list := slices.SortedFunc(maps.Values(j.lists[hub]), func(a, b websub.Untold) int {
		return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(a.Topic, b.Topic))
	})
	return list[:min(len(list), most)], nil
}

func (j *journal) Strike(_ context.Context, hub string, u websub.Untold) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.lists[hub][u.Topic].Handle == u.Handle {
		delete(j.lists[hub], u.Topic)
	}
	return nil
}

func (j *journal) Defer(_ context.Context, hub string, u websub.Untold) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if one, there := j.lists[hub][u.Topic]; there {
		one.Due = time.Now()
		j.lists[hub][u.Topic] = one
	}
	return nil
}

// begun reports whether anything was announced.
func (j *journal) begun() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.count > 0
}

// list puts topics on a hub's list, with a job for it, as they were announced at a
// time.
func (j *journal) list(hub string, since time.Time, job websub.Job, topics ...string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lists[hub] = map[string]websub.Untold{}
	for _, topic := range topics {
		j.lists[hub][topic] = websub.Untold{Topic: topic, Since: since, Handle: int64(0)}
	}
	_ = j.queue.Enqueue(context.Background(), job)
}
