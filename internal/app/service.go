package app

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/health"
	"github.com/tidings-press/tidings/internal/loadshare"
)

// Node is a running process: pages, feeds and mail, or mail only.
type Node struct {
	Service *Service
	// HTTP is the listener for pages; nil for a worker.
	HTTP net.Listener
	// Reload delivers new settings. It may be nil.
	Reload <-chan *config.Config
	// Ready is called when the node takes requests and mail. It may be nil.
	Ready func()

	pages atomic.Pointer[http.Handler]
}

// Run serves until the context ends. Then it stops gracefully: requests are answered, and
// mails in progress are finished and recorded.
func (s *Node) Run(ctx context.Context) error {
	cached := int64(0)
	if s.HTTP != nil { // a worker serves no feeds and no pages
		cached = 2 * int64(s.Service.Config.FeedSet.Memory) // feeds, and pages as much again
	}
	LimitMemory(cached)
	current, err := s.start(ctx, s.Service)
	if err != nil {
		return err
	}
	var listeners sync.WaitGroup
	stopped := make(chan error, 3)
	open := func(run func() error) { listeners.Go(func() { stopped <- run() }) }
	if s.HTTP != nil {
		open(func() error { return s.serveHTTP(ctx) })
	}
	if err := s.openBounceListeners(ctx, open); err != nil {
		current.stop()
		return err
	}
	if q, err := s.Service.Store.Quarantine(ctx); err != nil {
		current.stop()
		return err
	} else if q != nil {
		s.Service.Log.Warn("the store is quarantined: nothing is sent until an owner releases it (see tidings quarantine show)", "reason", string(q.Reason), "store_from", q.Taken)
	}
	s.Service.Log.Info("running", "site", s.Service.Config.Site.URL, "store", s.Service.Store.Engine(), "settings", s.Service.Config.Fingerprint())
	if s.Ready != nil {
		s.Ready()
	}
	for ctx.Err() == nil {
		select {
		case c := <-s.Reload:
			current = s.reload(ctx, current, c)
		case err = <-stopped:
			if err != nil && ctx.Err() == nil {
				current.stop()
				return err
			}
		case <-ctx.Done():
		}
	}
	s.Service.Log.Info("stopping: mails in progress are finished first")
	current.stop()
	listeners.Wait()
	return nil
}

// reload starts a generation with other settings, and stops the current one when the new one
// runs. Settings that cannot be reloaded stay the same.
func (s *Node) reload(ctx context.Context, current *generation, c *config.Config) *generation {
	c.Store, c.Server.Listen, c.Log.Format = s.Service.Config.Store, s.Service.Config.Server.Listen, s.Service.Config.Log.Format
	c.FeedSet.Memory, c.Bounces.SMTP, c.Bounces.LMTP = s.Service.Config.FeedSet.Memory, s.Service.Config.Bounces.SMTP, s.Service.Config.Bounces.LMTP
	set, err := CheckTemplates(c)
	var next *generation
	if err == nil {
		next, err = s.start(ctx, &Service{Config: c, Store: s.Service.Store, Templates: set, Log: s.Service.Log})
	}
	if err != nil {
		s.Service.Log.Error("the new settings have errors; the old ones stay in use", "error", err)
		return current
	}
	SetLevel(c.Log)
	s.Service.Log.Info("reloaded", "settings", c.Fingerprint())
	current.stop()
	return next
}

// generation is everything that runs with one version of the settings.
type generation struct {
	cancel context.CancelFunc
	work   sync.WaitGroup
}

// stop stops a generation and waits until its work is finished.
func (g *generation) stop() {
	g.cancel()
	g.work.Wait()
}

// start starts a generation and publishes its pages.
func (s *Node) start(ctx context.Context, p *Service) (*generation, error) {
	engine, err := p.Engine(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx)) // stop cancels it, so that everything stops in order
	g := &generation{cancel: cancel}
	g.work.Go(func() {
		if err := engine.Run(ctx); err != nil && !errors.Is(err, context.Canceled) {
			p.Log.Error("the engine stopped", "error", err)
		}
	})
	monitor := p.monitor(engine)
	g.work.Go(func() { monitor.Run(ctx) })
	g.work.Go(func() { p.maintain(ctx) })
	g.work.Go(func() { p.withdrawExpired(ctx) })
	g.work.Go(func() { p.makeCopies(ctx) })
	g.work.Go(func() { p.pollMailbox(ctx) })
	if s.HTTP == nil {
		return g, nil
	}
	if err := s.publish(ctx, p, engine, monitor, g); err != nil {
		g.stop()
		return nil, err
	}
	return g, nil
}

// publish serves a generation's pages and feeds from now on.
func (s *Node) publish(ctx context.Context, p *Service, engine *delivery.Engine, monitor *health.Monitor, g *generation) error {
	share := loadshare.New(engine.Busy)
	feeds, err := p.feeds(ctx, share)
	if err != nil {
		return err
	}
	push := p.WebSub(feeds)
	pages, err := p.pages(ctx, engine, monitor, feeds, push.Hub, share)
	if err != nil {
		return err
	}
	if err := p.SettleFeeds(ctx); err != nil {
		return err
	}
	s.pages.Store(&pages.Handler)
	g.work.Go(func() { pages.Run(ctx) })
	g.work.Go(func() { p.flushPolls(ctx, feeds) })
	g.work.Go(func() { p.watchSources(ctx, feeds.Changed) })
	g.work.Go(func() { p.logError(ctx, "changes of feeds are not published", push.Run(ctx)) })
	return nil
}
