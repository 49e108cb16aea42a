package websub

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tidings-press/tidings/feed"
)

// publishKind is the kind of the jobs that tell one hub of changed topics.
const publishKind = "websub.publish"

// gather is how long a change waits for others, and for the other nodes to see it:
// the same revision makes one job, whichever nodes find it in that time.
const gather = 2 * time.Second

// Publisher tells hubs which feeds have changed.
type Publisher struct {
	Source feed.Source
	Site   feed.Site
	// Definitions are the feeds that have names of their own.
	Definitions []feed.Definition
	Queue       Queue
	Client      *http.Client // http.DefaultClient when nil
	Log         *slog.Logger
	Poll        time.Duration // how often it asks for changes; half a second when 0
	Gather      time.Duration // how long a change waits for others; 2 s when 0
	// Local takes the topics for a hub of our own, which needs no request; nil when
	// there is none.
	Local    func(ctx context.Context, topics []string) error
	LocalHub string // its address, one of Site.Hubs

	revision int64
}

type publication struct {
	Hub    string
	Topics []string
}

// Run watches until ctx ends. At first it tells of all feeds: what changed while no
// node ran is not known, and a hub that finds nothing new tells nobody.
func (p *Publisher) Run(ctx context.Context) error {
	if len(p.Site.Hubs) == 0 {
		return nil
	}
	tick := time.NewTicker(cmp.Or(p.Poll, 500*time.Millisecond))
	defer tick.Stop()
	failing := false
	for {
		err := p.look(ctx)
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

// look enqueues a job for each hub when something changed.
func (p *Publisher) look(ctx context.Context) error {
	change, err := p.Source.Changed(ctx, p.revision)
	if err != nil {
		return err
	}
	topics := Topics(p.Site.URL, p.Definitions, change)
	if len(topics) > 0 {
		for _, hub := range p.Site.Hubs {
			job := Job{
				Kind: publishKind, Key: fmt.Sprintf("%s at revision %d", hub, change.Revision), After: cmp.Or(p.Gather, gather),
				Payload: encode(publication{hub, topics}),
			}
			if err := p.Queue.Enqueue(ctx, job); err != nil {
				return err // the revision stays: the next look finds the same change
			}
		}
	}
	p.revision = change.Revision
	return nil
}

// Topics are the addresses of the documents that a change shows in.
func Topics(site string, definitions []feed.Definition, change feed.Change) []string {
	var topics []string
	add := func(d feed.Definition) {
		for _, format := range feed.Formats {
			topics = append(topics, site+d.Path(format, ""))
		}
	}
	for _, d := range definitions {
		touched := change.All
		for i := range change.Articles {
			touched = touched || d.Filter.Match(&change.Articles[i])
		}
		if touched && d.Kind != feed.Private && d.Kind != feed.ByDigest {
			add(d)
		}
	}
	for i := range change.Articles {
		a := &change.Articles[i]
		for _, tag := range a.Tags {
			add(feed.Definition{Kind: feed.ByTag, Name: tag})
		}
		for _, author := range a.Authors {
			add(feed.Definition{Kind: feed.ByAuthor, Name: author.Name})
		}
		if a.Language != "" {
			add(feed.Definition{Kind: feed.ByLanguage, Name: a.Language})
		}
	}
	slices.Sort(topics)
	return slices.Compact(topics)
}

// Jobs are the jobs that a Worker does for the publisher.
func (p *Publisher) Jobs() map[string]func(context.Context, []byte) error {
	return map[string]func(context.Context, []byte) error{publishKind: p.publish}
}

func (p *Publisher) publish(ctx context.Context, payload []byte) error {
	var what publication
	if err := decode(payload, &what); err != nil {
		return err
	}
	if p.Local != nil && what.Hub == p.LocalHub {
		return p.Local(ctx, what.Topics)
	}
	for _, topic := range what.Topics {
		if err := Notify(ctx, p.Client, what.Hub, topic); err != nil {
			return err
		}
	}
	return nil
}

// Notify tells a hub that a topic has changed. WebSub leaves this request open; the
// form of PubSubHubbub 0.4 is what the hubs in use take, some by the one name and
// some by the other, and not all of them several topics at once.
func Notify(ctx context.Context, client *http.Client, hub, topic string) error {
	form := url.Values{"hub.mode": {"publish"}, "hub.url": {topic}, "hub.topic": {topic}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, hub, strings.NewReader(form.Encode()))
	if err != nil {
		return fmt.Errorf("%w: hub %q: %v", errGone, hub, err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("User-Agent", "Tidings")
	response, err := cmp.Or(client, http.DefaultClient).Do(request)
	if err != nil {
		return fmt.Errorf("hub %s: %w", hub, err)
	}
	defer response.Body.Close()
	answer, _ := io.ReadAll(io.LimitReader(response.Body, 500))
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("hub %s answers %s: %s", hub, response.Status, strings.TrimSpace(string(answer)))
	}
	return nil
}
