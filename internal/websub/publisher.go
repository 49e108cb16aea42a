package websub

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/store"
)

// gatherTime is how long a change waits for others, and for the other nodes to see it.
const gatherTime = 2 * time.Second

// maxArticles is how many changed articles are compared with the feeds that have a
// filter. After more changes, all of these feeds are announced.
const maxArticles = 100

// Publisher tells hubs which feeds have changed. It turns changes in the store into
// pending notifications of each hub, and one job for each hub sends them: however
// long a hub is down, each topic is pending once, and one request at a time is made.
type Publisher struct {
	Store *store.Store
	Site  feed.Site
	// Definitions are the feeds that have names of their own.
	Definitions []feed.Definition
	Client      *http.Client // NewNotifier() when nil
	Log         *slog.Logger
	// Fresh is called after a change, before hubs are told: what they fetch then must
	// not be what was there before. Nil when that is certain anyway.
	Fresh  func()
	Poll   time.Duration // how often it looks for changes; half a second when 0
	Gather time.Duration // how long a change waits for others; 2 s when 0
	// Local takes a topic for a hub of our own, which needs no request; nil when there
	// is none.
	Local    func(ctx context.Context, topic string) error
	LocalHub string // its address, one of Site.Hubs

	announced bool  // by this node
	seen      int64 // announcements, of all nodes
}

// Run watches until ctx ends.
func (p *Publisher) Run(ctx context.Context) error {
	if len(p.Site.Hubs) == 0 {
		return nil
	}
	tick := time.NewTicker(cmp.Or(p.Poll, 500*time.Millisecond))
	defer tick.Stop()
	failing := false
	for {
		err := p.announce(ctx)
		if err != nil && !failing && ctx.Err() == nil {
			p.Log.Error("hubs are not told of changes", "error", err)
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// announce announces what changed since the last announcement. The first time it also
// compares the settings with those that were announced last: titles, filters and the
// like show in feeds too, without a change of any article. It does so once, or two
// nodes with different settings would announce without end.
func (p *Publisher) announce(ctx context.Context) error {
	from, err := p.Store.HubPosition(ctx)
	if err != nil {
		return err
	}
	change, err := p.Store.FeedChanges(ctx, from, p.articlesToRead())
	if err != nil {
		return err
	}
	to := change.After
	moved := from.Count == 0 || to.Revision != from.Revision || !to.At.Equal(from.At)
	if p.Fresh != nil && (moved || from.Count != p.seen) { // or another node has announced
		p.Fresh()
	}
	p.seen = from.Count
	if to.Settings = from.Settings; !p.announced {
		to.Settings = p.settings()
	}
	topics := Topics(p.Site.URL, p.Definitions, change, to.Settings != from.Settings)
	if len(topics) == 0 && !moved {
		p.announced = true
		return nil
	}
	due := p.Store.Now().Add(cmp.Or(p.Gather, gatherTime))
	announcement := store.Announcement{From: from, To: to, Hubs: p.Site.Hubs, Topics: topics, Due: due}
	for _, hub := range p.Site.Hubs {
		announcement.Jobs = append(announcement.Jobs, store.Job{
			Kind: publishKind, Key: hub, Payload: encode(publication{hub, rand.Text()}), Due: due, Newest: true,
		})
	}
	won, err := p.Store.Announce(ctx, announcement)
	p.announced = p.announced || won // otherwise the settings are not announced yet
	return err
}

// articlesToRead returns how many changed articles are read: one when no feed has a
// filter.
func (p *Publisher) articlesToRead() int {
	for i := range p.Definitions {
		if p.Definitions[i].Filter.Expr != nil {
			return maxArticles
		}
	}
	return 1
}

// settings is a hash of what feeds show besides their articles.
func (p *Publisher) settings() string {
	site := p.Site
	site.Identity, site.Hubs = nil, nil
	parts := []any{site}
	for _, d := range p.Definitions {
		filter := d.Filter.String()
		d.Filter.Expr = nil
		parts = append(parts, d, filter)
	}
	sum := sha256.Sum256(encode(parts))
	return hex.EncodeToString(sum[:16])
}

// publishKind is the kind of the jobs that send a hub's pending notifications.
const publishKind = "websub.publish"

const (
	// batch is how many notifications one run of a job sends at most, and batchTime how
	// long they may take: with the last request a run stays below runTimeout.
	batch     = 50
	batchTime = 30 * time.Second
	// giveUpAfter is how long a topic is sent to a hub that does not take it.
	giveUpAfter = 3 * 24 * time.Hour
	// maxHubDelay is the longest delay before a hub is asked again. Changes wait for it.
	maxHubDelay = 15 * time.Minute
)

// publication is the payload of a hub's job. The notice makes the payload of each
// announcement a new one, so that a running job finds that there is more.
type publication struct {
	Hub    string
	Notice string
}

// Tasks are the publisher's tasks for a Worker. The number of tries is up to the
// topics, which are given up one by one.
func (p *Publisher) Tasks() map[string]Task {
	return map[string]Task{publishKind: {Run: p.publish, Tries: math.MaxInt, MaxDelay: maxHubDelay}}
}

// publish sends a hub its pending notifications. Each that it takes is dropped, so
// that none is sent again after a failure. One that fails goes behind the others.
func (p *Publisher) publish(ctx context.Context, payload []byte) error {
	var job publication
	if err := decode(payload, &job); err != nil {
		return err
	}
	pending, err := p.Store.PendingNotifications(ctx, job.Hub, batch)
	if err != nil {
		return err
	}
	began := time.Now()
	for i, n := range pending {
		if wait := n.Due.Sub(p.Store.Now()); wait > 0 {
			return moreToDo{after: wait}
		}
		if time.Since(began) > batchTime {
			return moreToDo{}
		}
		if err := p.notify(ctx, job.Hub, n); err != nil {
			if i > 0 {
				return moreToDo{failed: err} // the hub took the others, so it is not down
			}
			return err
		}
	}
	if len(pending) == batch {
		return moreToDo{}
	}
	return nil
}

// notify sends one notification. It returns the errors that are worth another try.
func (p *Publisher) notify(ctx context.Context, hub string, n store.PendingNotification) error {
	if !slices.Contains(p.Site.Hubs, hub) {
		return p.Store.DropNotification(ctx, hub, n) // the hub is no longer in the settings
	}
	err := p.send(ctx, hub, n.Topic)
	switch {
	case err == nil:
	case errors.Is(err, errPermanent), p.Store.Now().Sub(n.Since) > giveUpAfter:
		p.Log.Warn("a hub is not told of a topic", "hub", hub, "topic", n.Topic, "error", err)
	case ctx.Err() != nil: // the worker stops
		return err
	default:
		return errors.Join(err, p.Store.DeferNotification(ctx, hub, n))
	}
	return p.Store.DropNotification(ctx, hub, n)
}

func (p *Publisher) send(ctx context.Context, hub, topic string) error {
	if p.Local != nil && hub == p.LocalHub {
		return p.Local(ctx, topic)
	}
	return Notify(ctx, cmp.Or(p.Client, defaultNotifier()), hub, topic)
}

// NewNotifier makes the client that notifies hubs. The site's owner chooses the hubs,
// so they may have any address. It follows a redirect that keeps the request as it is
// (307, 308); for any other, net/http would send a GET, and the page that it gets
// would pass for the hub's consent.
func NewNotifier() *http.Client {
	return &http.Client{
		Timeout: 15 * time.Second,
		CheckRedirect: func(next *http.Request, before []*http.Request) error {
			if next.Method != before[0].Method || len(before) > 5 {
				return http.ErrUseLastResponse
			}
			return nil
		},
	}
}

var defaultNotifier = sync.OnceValue(NewNotifier)

// Notify tells a hub that a topic has changed. WebSub does not define this request.
// The form is that of PubSubHubbub 0.4, which the hubs in use take: some by one name
// and some by the other, and not all of them several topics at once.
func Notify(ctx context.Context, client *http.Client, hub, topic string) error {
	form := url.Values{"hub.mode": {"publish"}, "hub.url": {topic}, "hub.topic": {topic}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, hub, strings.NewReader(form.Encode()))
	if err != nil {
		return fmt.Errorf("%w: hub %q: %v", errPermanent, hub, err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("User-Agent", "Tidings")
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("hub %s: %w", hub, err)
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(response.Body, 500))
	return checkHubAnswer(hub, response, strings.TrimSpace(string(text)))
}

// checkHubAnswer returns an error unless the hub took the notification; errPermanent
// if it will not take it later either.
func checkHubAnswer(hub string, response *http.Response, text string) error {
	switch status := response.StatusCode; {
	case status/100 == 2:
		return nil
	case status/100 == 3:
		return fmt.Errorf("hub %s has moved to %.200q; put that address into feed_server.hubs", hub, response.Header.Get("Location"))
	case status/100 == 4 && status != http.StatusRequestTimeout && status != http.StatusTooEarly && status != http.StatusTooManyRequests:
		return fmt.Errorf("%w: hub %s answers %s: %s", errPermanent, hub, response.Status, text)
	}
	return fmt.Errorf("hub %s answers %s: %s", hub, response.Status, text)
}

// maxTopic is how long a topic may be, in bytes. It is a key of the pending
// notifications; import cuts names off long before.
const maxTopic = 2_000

// labelKinds are the kinds of feeds of the store's labels.
var labelKinds = map[string]feed.Kind{"tag": feed.ByTag, "author": feed.ByAuthor, "language": feed.ByLanguage}

// Topics returns the addresses of the documents that a change shows in, byte for byte
// as the documents name themselves. all says that every feed with a name of its own
// may have changed.
func Topics(site string, definitions []feed.Definition, change store.FeedChanges, all bool) []string {
	var topics []string
	add := func(d feed.Definition) {
		for _, format := range feed.Formats {
			if topic := site + d.Path(format, ""); len(topic) <= maxTopic {
				topics = append(topics, topic)
			}
		}
	}
	for _, d := range definitions {
		if d.Announced() && (all || showsIn(&change, &d)) {
			add(d)
		}
	}
	for _, label := range change.Labels {
		add(feed.Definition{Kind: labelKinds[label.Kind], Name: label.Name})
	}
	slices.Sort(topics)
	return slices.Compact(topics)
}

// showsIn reports whether a change shows in a feed that has a name of its own. An
// edited article may have been in any of them before: a hub that finds nothing new
// tells no subscriber.
func showsIn(change *store.FeedChanges, d *feed.Definition) bool {
	if d.Kind == feed.ByDigest {
		return slices.Contains(change.Digests, d.Name)
	}
	if change.More || change.Edited {
		return true
	}
	for i := range change.Articles {
		if d.Filter.Match(&change.Articles[i]) {
			return true
		}
	}
	return false
}
