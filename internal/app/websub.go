package app

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/tidings-press/tidings/internal/connlimit"
	"github.com/tidings-press/tidings/internal/feedserver"
	"github.com/tidings-press/tidings/internal/web"
	"github.com/tidings-press/tidings/internal/web/middleware"
	"github.com/tidings-press/tidings/internal/websub"
)

// HubPath is the path of our own WebSub hub. The hub is active when the configuration lists it
// among the hubs.
const HubPath = web.HubPath

// WebSub notifies hubs of changed feeds. Run it, and mount Hub at HubPath when it is not nil.
type WebSub struct {
	Hub       *websub.Hub
	publisher *websub.Publisher
	worker    *websub.Worker
}

// WebSub returns the WebSub publisher, and the hub if it is configured.
func (s *Service) WebSub(feeds *feedserver.Server) *WebSub {
	site := feedSite(s.Config, nil)
	w := &WebSub{publisher: &websub.Publisher{
		Store: s.Store, Site: site, Definitions: feeds.Definitions(), Log: s.Log,
		Fresh: feeds.Changed,
	}}
	tasks := w.publisher.Tasks()
	if own := site.URL + HubPath; slices.Contains(site.Hubs, own) {
		w.Hub = &websub.Hub{
			Address: own, Site: site.URL, Feeds: feeds, Store: s.Store, Log: s.Log,
			Allow: allowSubscriptions(),
		}
		w.publisher.LocalHub, w.publisher.Local = own, w.Hub.Distribute
		maps.Copy(tasks, w.Hub.Tasks())
	}
	w.worker = &websub.Worker{Store: s.Store, Tasks: tasks, Log: s.Log}
	return w
}

// A network may request this many subscriptions at our hub at once, and one more after each pause.
// Aggregators subscribe to many topics from a few addresses.
const (
	hubRequests = 200
	hubPause    = 5 * time.Second
)

func allowSubscriptions() func(*http.Request) bool {
	limit := middleware.NewLimiter[netip.Prefix](hubRequests, hubPause, nil)
	return func(r *http.Request) bool {
		client := middleware.Client(r.Context())
		return !client.IsValid() || limit.Allow(connlimit.Network32or64(client))
	}
}

// Run publishes changes until ctx ends.
func (w *WebSub) Run(ctx context.Context) error {
	if len(w.publisher.Site.Hubs) == 0 {
		return nil
	}
	done := make(chan error, 1)
	go func() { done <- w.worker.Run(ctx) }()
	return errors.Join(w.publisher.Run(ctx), <-done)
}
