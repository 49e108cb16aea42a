package websub

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"net/http"
	"time"

	"github.com/tidings-press/tidings/feed"
)

// gather is how long a change waits for others, and for the other nodes to see it.
const gather = 2 * time.Second

// mostArticles is how many changed articles are looked at one by one, for the feeds
// that select by a filter; after more, all of these are told.
const mostArticles = 100

// News finds what changed for readers; the store does.
type News interface {
	// Look finds what changed since the last announcement, with at most so many of the
	// articles. It is called all the time and must be cheap when nothing did.
	Look(ctx context.Context, most int) (Change, error)
	// Announce puts topics on the lists of hubs and jobs in the queue, and counts from
	// the change on. It does nothing, and returns false, when another node has announced
	// since the look.
	Announce(ctx context.Context, a Announcement) (bool, error)
}

// Lists are what hubs have yet to be told of; the store keeps them.
type Lists interface {
	// Of is a hub's list, what is due first first.
	Of(ctx context.Context, hub string, most int) ([]Untold, error)
	// Strike takes a topic from a hub's list, unless it was announced again.
	Strike(ctx context.Context, hub string, u Untold) error
	// Defer puts a topic behind the others on a hub's list.
	Defer(ctx context.Context, hub string, u Untold) error
}

// Announcement is what hubs are going to be told.
type Announcement struct {
	Change   Change
	Settings string // that are announced with it
	Hubs     []string
	Topics   []string
	After    time.Duration // when they are due
	Jobs     []Job         // which tell the hubs
}

// Untold is a topic that a hub has yet to be told of.
type Untold struct {
	Topic  string
	Due    time.Time
	Since  time.Time // when it was last announced
	Handle any       // the keeper's own
}

// Publisher tells hubs which feeds have changed. Look and Announce turn changes into
// lists, one for each hub, and a job for each hub works its list off: however long a
// hub is down, each topic is on its list once, and it is asked once at a time.
type Publisher struct {
	News  News
	Lists Lists
	Site  feed.Site
	// Definitions are the feeds that have names of their own.
	Definitions []feed.Definition
	Client      *http.Client // NewNotifier() when nil
	Now         func() time.Time
	Log         *slog.Logger
	// Fresh is called when something changed, before hubs are told: what they fetch
	// then must not be what was there before. Nil when that is certain anyway.
	Fresh  func()
	Poll   time.Duration // how often it asks for changes; half a second when 0
	Gather time.Duration // how long a change waits for others; 2 s when 0
	// Local takes a topic for a hub of our own, which needs no request; nil when there
	// is none.
	Local    func(ctx context.Context, topic string) error
	LocalHub string // its address, one of Site.Hubs

	begun bool
	seen  int64 // announcements, of all nodes
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

// look announces what changed. The first look also compares the settings with those
// that were last announced: titles, filters and the like show in feeds too, without
// any article having changed. Later ones do not, or two nodes with different settings
// would announce for ever.
func (p *Publisher) look(ctx context.Context) error {
	change, err := p.News.Look(ctx, p.most())
	if err != nil {
		return err
	}
	if p.Fresh != nil && (change.Moved || change.Count != p.seen) { // or another node has announced
		p.Fresh()
	}
	p.seen = change.Count
	a := Announcement{Change: change, Settings: change.Settings, Hubs: p.Site.Hubs, After: cmp.Or(p.Gather, gather)}
	if !p.begun {
		a.Settings = p.settings()
	}
	a.Topics = Topics(p.Site.URL, p.Definitions, change, a.Settings != change.Settings)
	if len(a.Topics) == 0 && !change.Moved {
		p.begun = true
		return nil
	}
	for _, hub := range p.Site.Hubs {
		a.Jobs = append(a.Jobs, Job{Kind: publishKind, Key: hub, Payload: encode(publication{hub, rand.Text()}), After: a.After, Newest: true})
	}
	won, err := p.News.Announce(ctx, a)
	p.begun = p.begun || won // who lost has not announced its settings yet
	return err
}

// most is how many articles are worth a look: one where no feed has a filter.
func (p *Publisher) most() int {
	for i := range p.Definitions {
		if p.Definitions[i].Filter.Expr != nil {
			return mostArticles
		}
	}
	return 1
}

// settings is a hash of what feeds say besides their articles.
func (p *Publisher) settings() string {
	site := p.Site
	site.Identity, site.Hubs = nil, nil
	said := []any{site}
	for _, d := range p.Definitions {
		filter := d.Filter.String()
		d.Filter.Expr = nil
		said = append(said, d, filter)
	}
	sum := sha256.Sum256(encode(said))
	return hex.EncodeToString(sum[:16])
}

func (p *Publisher) now() time.Time {
	if p.Now == nil {
		return time.Now()
	}
	return p.Now()
}
