package app

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/cpulimit"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/health"
	"github.com/tidings-press/tidings/internal/settings"
)

// Node is a running process: pages, feeds and mail, or mail only.
type Node struct {
	Service *Service
	// HTTP is the listener for pages; nil for a worker.
	HTTP net.Listener
	// Redirects is the listener for plain HTTP requests to a site with TLS; nil if there is none.
	Redirects net.Listener
	// Reload delivers new settings. It may be nil.
	Reload <-chan *config.Config
	// Ready is called when the node takes requests and mail. It may be nil.
	Ready func()
	// Development makes each request read the templates again if their files have changed.
	Development bool

	pages            atomic.Pointer[http.Handler]
	monitored        atomic.Pointer[monitored]    // of the current instance
	redirects        atomic.Pointer[http.Handler] // answers on Redirects
	site             atomic.Pointer[config.Site]  // with the address of pages
	requests         chan chan<- struct{}         // of requests that wait for the templates; with Development
	changes          chan chan<- struct{}         // of requests that wait for changed settings
	templateFiles    string                       // hash of the files that reloadTemplates read last
	templatesProblem atomic.Pointer[string]
}

// Run serves until the context ends. Then it stops gracefully: requests are answered, and
// mails in progress are finished and recorded.
func (n *Node) Run(ctx context.Context) error {
	cached := int64(0)
	if n.HTTP != nil { // a worker serves no feeds and no pages
		cached = 2 * int64(n.Service.Config.FeedSet.Memory) // feeds, and pages as much again
	}
	LimitMemory(cached)
	n.requests, n.templateFiles = make(chan chan<- struct{}), n.Service.Templates.Hash()
	n.changes, n.Service.changed = make(chan chan<- struct{}), n.takeChanges
	certs, err := n.certificates()
	if err != nil {
		return err
	}
	current, err := n.start(ctx, n.Service)
	if err != nil {
		return err
	}
	var listeners sync.WaitGroup
	stopped := make(chan error, 4)
	open := func(run func() error) { listeners.Go(func() { stopped <- run() }) }
	if n.HTTP != nil {
		open(func() error { return n.serveHTTP(ctx, certs) })
	}
	if err := errors.Join(n.openBounceListeners(ctx, open), n.openMetrics(ctx, open)); err != nil {
		current.stop()
		return err
	}
	if q, err := n.Service.Store.Quarantine(ctx); err != nil {
		current.stop()
		return err
	} else if q != nil {
		n.Service.Log.Warn("the store is quarantined: nothing is sent until an owner releases it (see tidings quarantine show)", "reason", string(q.Reason), "store_from", q.Taken)
	}
	n.Service.Log.Info("running", "site", n.Service.Config.Site.URL, "store", n.Service.Store.Engine(), "settings", n.Service.Config.SharedHash())
	if n.Ready != nil {
		n.Ready()
	}
	n.notifySystemd(daemon.SdNotifyReady)
	listeners.Go(func() { n.keepWatchdog(ctx) })
	settings := time.NewTicker(settingsEvery)
	defer settings.Stop()
	for ctx.Err() == nil {
		select {
		case file := <-n.Reload:
			current = n.reload(ctx, current, file)
		case <-settings.C:
			current = n.reloadSettings(ctx, current, nil)
		case done := <-n.changes:
			current = n.reloadSettings(ctx, current, done)
		case done := <-n.requests:
			current = n.reloadTemplates(ctx, current)
			close(done)
		case err = <-stopped:
			if err != nil && ctx.Err() == nil {
				current.stop()
				return err
			}
		case <-ctx.Done():
		}
	}
	n.notifySystemd(daemon.SdNotifyStopping)
	n.Service.Log.Info("stopping: mails in progress are finished first")
	current.stop()
	listeners.Wait()
	return nil
}

// reload takes the settings of a file, with those of the admin over them.
func (n *Node) reload(ctx context.Context, current *instance, file *config.Config) *instance {
	next, err := settings.Load(ctx, n.Service.Store, file)
	if err != nil {
		n.Service.Log.Error("the new settings have errors; the old ones stay in use", "error", err)
		return current
	}
	return n.replace(ctx, current, next, nil)
}

// replace starts an instance with other settings, closes done, and stops the current instance.
// Settings that cannot be reloaded stay the same. done may be nil.
func (n *Node) replace(ctx context.Context, current *instance, s settings.Current, done chan<- struct{}) *instance {
	for _, c := range []*config.Config{s.Config.File(), s.Config} {
		old, server := n.Service.Config, c.Server
		c.Store, c.Server, c.Log.Format, c.Metrics = old.Store, old.Server, old.Log.Format, old.Metrics
		c.Server.TrustedProxies, c.Server.HSTS = server.TrustedProxies, server.HSTS
		c.FeedSet.Memory, c.Bounces.SMTP, c.Bounces.LMTP = old.FeedSet.Memory, old.Bounces.SMTP, old.Bounces.LMTP
	}
	next, err := n.startWith(ctx, s.Config, s.Revision)
	if err != nil {
		n.Service.Log.Error("the new settings have errors; the old ones stay in use", "error", err)
		current.refused = max(s.Revision, current.refused)
		return current
	}
	SetLevel(n.Service.Log, s.Config.Log)
	n.Service.Log.Info("reloaded", "settings", s.Config.SharedHash())
	if done != nil {
		close(done)
	}
	current.stop()
	return next
}

// startWith starts an instance with other settings, and with the templates as their files are now.
func (n *Node) startWith(ctx context.Context, c *config.Config, revision int64) (*instance, error) {
	set, err := CheckTemplates(c)
	if err != nil {
		return nil, err
	}
	return n.start(ctx, &Service{Config: c, Store: n.Service.Store, Templates: set, Log: n.Service.Log, revision: revision, changed: n.takeChanges})
}

// instance is everything that runs with one version of the settings.
type instance struct {
	config   *config.Config
	revision int64 // of the settings of the admin in config
	refused  int64 // a later revision that could not be used
	cancel   context.CancelFunc
	work     sync.WaitGroup
}

// stop stops an instance and waits until its work is finished.
func (g *instance) stop() {
	g.cancel()
	g.work.Wait()
}

// start starts an instance and publishes its pages.
func (n *Node) start(ctx context.Context, p *Service) (*instance, error) {
	engine, err := p.Engine(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx)) // stop cancels it, so that everything stops in order
	g := &instance{config: p.Config, revision: p.revision, cancel: cancel}
	g.work.Go(func() {
		if err := engine.Run(ctx); err != nil && !errors.Is(err, context.Canceled) {
			p.Log.Error("the engine stopped", "error", err)
		}
	})
	monitor := p.monitor(engine)
	monitor.ReadOwners(ctx)
	g.work.Go(func() { monitor.Run(ctx) })
	g.work.Go(func() { p.maintain(ctx) })
	g.work.Go(func() { p.countSubscribers(ctx) })
	g.work.Go(func() { p.withdrawExpired(ctx) })
	g.work.Go(func() { p.makeCopies(ctx) })
	g.work.Go(func() { p.Subscribers().RunUploads(ctx, p.Log) })
	g.work.Go(func() { p.makeBackups(ctx) })
	g.work.Go(func() { p.pollMailbox(ctx) })
	if n.HTTP == nil {
		n.monitored.Store(&monitored{engine: engine, monitor: monitor})
		return g, nil
	}
	if err := n.publish(ctx, p, engine, monitor, g); err != nil {
		g.stop()
		return nil, err
	}
	return g, nil
}

// publish serves an instance's pages and feeds from now on.
func (n *Node) publish(ctx context.Context, p *Service, engine *delivery.Engine, monitor *health.Monitor, g *instance) error {
	cpuLimiter := cpulimit.New(engine.Busy)
	feeds, err := p.feeds(ctx, cpuLimiter)
	if err != nil {
		return err
	}
	push := p.WebSub(feeds)
	pages, err := p.pages(ctx, pageParts{engine, monitor, feeds, push.Hub, cpuLimiter, n.problemOfTemplates, n.publicMetrics()})
	if err != nil {
		return err
	}
	if err := p.RecordFeedSettings(ctx); err != nil {
		return err
	}
	n.monitored.Store(&monitored{engine, monitor, map[string]func() int64{"feeds": feeds.CacheSize, "pages": pages.CacheSize}})
	if err := n.publishSite(p.Config.Site); err != nil {
		return err
	}
	n.pages.Store(&pages.Handler)
	g.work.Go(func() { pages.Run(ctx) })
	g.work.Go(func() { p.flushPolls(ctx, feeds) })
	g.work.Go(func() { p.watchSources(ctx, feeds.Changed) })
	g.work.Go(func() { p.logError(ctx, "changes of feeds are not published", push.Run(ctx)) })
	return nil
}
