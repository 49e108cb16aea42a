package app

import (
	"context"
	"net/http"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/cpulimit"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/feedserver"
	"github.com/tidings-press/tidings/internal/health"
	"github.com/tidings-press/tidings/internal/web"
	"github.com/tidings-press/tidings/internal/websub"
)

// pageParts are the parts of an instance that its pages use.
type pageParts struct {
	engine     *delivery.Engine
	monitor    *health.Monitor
	feeds      *feedserver.Server
	hub        *websub.Hub // our own WebSub hub; it may be nil
	cpuLimiter *cpulimit.Limiter
	problem    func() string // of the templates, for the admin
	metrics    http.Handler  // it may be nil
}

// pages returns all HTTP pages.
func (s *Service) pages(ctx context.Context, parts pageParts) (*web.Site, error) {
	hooks, err := s.webhooks(ctx)
	if err != nil {
		return nil, err
	}
	polls := NewFeedPolls(s.Store, nodeName())
	deps := web.Deps{
		Store:      s.Store,
		Engine:     parts.engine,
		Feeds:      parts.feeds,
		Config:     s.Config,
		Templates:  s.Templates,
		Readers:    func(ctx context.Context) (map[string]feed.Readers, error) { return polls.Readers(ctx, s.Store.Now()) },
		Webhooks:   hooks,
		Ready:      parts.monitor,
		Metrics:    parts.metrics,
		CPULimiter: parts.cpuLimiter,
		Problem:    parts.problem,
		Imports:    s.imports.list,
		Diagnose:   func(ctx context.Context) error { _, err := s.Diagnose(ctx, DoctorOptions{}); return err },
		Settings:   s.Settings(),
		Log:        s.Log,
	}
	if parts.hub != nil {
		deps.Hub = parts.hub
	}
	return web.New(deps)
}
