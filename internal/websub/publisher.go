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

// gatherTime is the delay between a change and its notification, so that several changes
// become one notification and all nodes have seen the change.
const gatherTime = 2 * time.Second

// maxArticles is the maximum number of changed articles that are compared with the filters of
// feeds. After more changes, all feeds with a filter are announced.
const maxArticles = 100

// Publisher notifies hubs of changed feeds. It turns changes in the store into pending
// notifications of each hub, and one job per hub sends them. So even for a hub that is down
// for long, each topic is pending only once, and one request is sent at a time.
type Publisher struct {
	Store *store.Store
	Site  feed.Site
	// Definitions are all feeds except those of tags, authors and languages.
	Definitions []feed.Definition
	Client      *http.Client // NewNotifier() when nil
	Log         *slog.Logger
	// Fresh is called after a change, before hubs are notified, so that they do not fetch old
	// documents from this node. Nil if the node serves no feeds.
	Fresh  func()
	Poll   time.Duration // interval of checks for changes; half a second when 0
	Gather time.Duration // delay of notifications; 2 s when 0
	// Local notifies the built-in hub, which needs no request; nil if there is none.
	Local    func(ctx context.Context, topic string) error
	LocalHub string // address of the built-in hub, one of Site.Hubs

	announced bool  // this node has announced once, or had nothing to announce
	seen      int64 // number of announcements of all nodes at the last check
}

// Run announces changes until ctx ends.
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
			p.Log.Error("WebSub hubs are not notified of changes", "error", err)
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// announce announces the changes since the last announcement. The first time it also announces
// all feeds if the settings differ from those of the last announcement, since titles, filters
// and other settings change documents too. It does that only once: otherwise two nodes with
// different settings would announce again and again.
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
	if p.Fresh != nil && (moved || from.Count != p.seen) { // another node has announced
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

// articlesToRead returns how many changed articles to read: one if no feed has a filter.
func (p *Publisher) articlesToRead() int {
	for i := range p.Definitions {
		if p.Definitions[i].Filter.Expr != nil {
			return maxArticles
		}
	}
	return 1
}

// settings returns a hash of all settings that documents depend on.
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
	// batch is the maximum number of notifications in one run of a job. After batchTime, a
	// run begins no other notification, so that it stays below runTimeout.
	batch     = 50
	batchTime = 30 * time.Second
	// giveUpAfter is how long a notification is retried.
	giveUpAfter = 3 * 24 * time.Hour
	// maxHubDelay is the longest delay between two tries for one hub. New changes wait for it
	// too.
	maxHubDelay = 15 * time.Minute
)

// publication is the payload of a hub's job. Notice is random, so that each announcement has
// another payload, and a job that is running is run again.
type publication struct {
	Hub    string
	Notice string
}

// Tasks returns the publisher's tasks for a Worker. The tries of a job are not limited, since
// its notifications are given up one by one.
func (p *Publisher) Tasks() map[string]Task {
	return map[string]Task{publishKind: {Run: p.publish, Tries: math.MaxInt, MaxDelay: maxHubDelay}}
}

// publish sends a hub's pending notifications. Each accepted notification is deleted at once,
// so that it is not sent again after a later failure. One that fails is moved to the end.
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
				return moreToDo{failed: err} // the hub accepted others, so it is not down
			}
			return err
		}
	}
	if len(pending) == batch {
		return moreToDo{}
	}
	return nil
}

// notify sends one notification. It returns only errors after which a retry makes sense.
func (p *Publisher) notify(ctx context.Context, hub string, n store.PendingNotification) error {
	if !slices.Contains(p.Site.Hubs, hub) {
		return p.Store.DropNotification(ctx, hub, n) // the hub is no longer in the settings
	}
	err := p.send(ctx, hub, n.Topic)
	switch {
	case err == nil:
	case errors.Is(err, errPermanent), p.Store.Now().Sub(n.Since) > giveUpAfter:
		p.Log.Warn("WebSub notification given up", "hub", hub, "topic", n.Topic, "error", err)
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

// NewNotifier returns the client that notifies hubs. The hubs are configured, so they may have
// any address. It follows only redirects that keep the method and body (307, 308); for others,
// net/http would send a GET, and its 200 would be taken for the hub's acceptance.
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

// Notify notifies a hub that a topic has changed. WebSub does not define this request, so it
// has the form of PubSubHubbub 0.4, which hubs accept: some read hub.url and some hub.topic,
// and not all of them accept several topics in one request.
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

// checkHubAnswer returns an error unless the hub accepted the notification; errPermanent if a
// retry is useless.
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

// maxTopic is the maximum length of a topic in bytes, which is a key of the pending
// notifications. Imported names are far shorter.
const maxTopic = 2_000

// labelKinds maps the kinds of labels in the store to kinds of feeds.
var labelKinds = map[string]feed.Kind{"tag": feed.ByTag, "author": feed.ByAuthor, "language": feed.ByLanguage}

// Topics returns the addresses of the documents that a change affects, exactly as in their
// self links. If all is true, every one of the definitions may have changed.
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

// showsIn reports whether a change may affect a feed. An edited article may have been in any
// feed before the edit; if a feed has not changed, the hub finds no new content and does not
// notify subscribers.
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
