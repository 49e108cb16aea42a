// Package app wires the packages together to the service that serve, worker and demo run.
// Open opens the service, Node.Run runs it.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/cpulimit"
	"github.com/tidings-press/tidings/internal/feedserver"
	"github.com/tidings-press/tidings/internal/settings"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscription"
	"github.com/tidings-press/tidings/internal/web/middleware"
	"github.com/tidings-press/tidings/templates"
)

// Service is a publication: its settings, store and templates. Commands use what they need
// of it; a Node runs it.
type Service struct {
	Config    *config.Config // with the settings of the admin
	Store     *store.Store
	Templates *templates.Set
	Log       *slog.Logger

	imports  importProblems            // of watched folders
	revision int64                     // of the settings of the admin in Config
	changed  func(ctx context.Context) // takes settings that were changed in the admin; nil without a node
}

// Open opens the store, applies the settings of the admin to those of the file, and loads the templates.
func Open(ctx context.Context, file *config.Config, log *slog.Logger) (*Service, error) {
	s, err := store.Open(ctx, file.Store.DSN.Reveal(), StoreOptions(file))
	if err != nil {
		if _, wrong := CheckTemplates(file); wrong != nil {
			return nil, wrong
		}
		return nil, fmt.Errorf("%s: %w", file.Position("store.dsn"), err)
	}
	current, err := settings.Load(ctx, s, file)
	var set *templates.Set
	if err == nil {
		set, err = CheckTemplates(current.Config)
	}
	if err != nil {
		_ = s.Close()
		return nil, err
	}
	return &Service{Config: current.Config, Store: s, Templates: set, Log: log, revision: current.Revision}, nil
}

// Settings returns what changes the settings of the admin.
func (s *Service) Settings() *settings.Manager {
	return NewSettings(s.Store, s.Config.File(), s.changed)
}

// NewSettings returns what changes the settings of a store over those of a file. changed may be nil.
func NewSettings(s *store.Store, file *config.Config, changed func(ctx context.Context)) *settings.Manager {
	check := func(c *config.Config) error {
		_, err := CheckTemplates(c)
		return err
	}
	return &settings.Manager{Store: s, File: file, Check: check, Changed: changed}
}

// StoreOptions returns the options for the configured store.
func StoreOptions(c *config.Config) store.Options {
	return store.Options{Durability: store.Durability(c.Store.Durability), Journal: c.Store.JournalFolder()}
}

// Subscribers returns the manager of the site's subscribers.
func (s *Service) Subscribers() subscription.Manager {
	return subscription.Manager{Store: s.Store, Config: s.Config}
}

// Zone returns the site's timezone.
func (s *Service) Zone() *time.Location {
	if zone, err := time.LoadLocation(s.Config.Site.Timezone); err == nil {
		return zone
	}
	return time.UTC
}

// Close closes the store.
func (s *Service) Close() error { return s.Store.Close() }

// CheckTemplates loads the templates, and checks the template and subject of each digest. An
// error names the file and line.
func CheckTemplates(c *config.Config) (*templates.Set, error) {
	set, err := templates.Load(c.Templates)
	if err != nil {
		return nil, err
	}
	var wrong config.Problems
	for i, d := range c.Digests {
		key := fmt.Sprintf("digests[%d]", i)
		if _, err := set.Mail(d.Template); err != nil {
			wrong = append(wrong, c.Problem(key+".template", err.Error(), ""))
		}
		if _, err := templates.ParseSubject(d.Subject); err != nil {
			wrong = append(wrong, c.Problem(key+".subject", err.Error(), ""))
		}
	}
	if len(wrong) > 0 {
		return nil, wrong
	}
	return set, nil
}

// Feeds returns the server of all feeds.
func (s *Service) Feeds(ctx context.Context) (*feedserver.Server, error) { return s.feeds(ctx, nil) }

// feeds returns the server of all feeds. share bounds how much of the processors it uses.
func (s *Service) feeds(ctx context.Context, cpuLimiter *cpulimit.Limiter) (*feedserver.Server, error) {
	options, err := s.feedOptions(ctx)
	if err != nil {
		return nil, err
	}
	options.CPULimiter = cpuLimiter
	return feedserver.New(options), nil
}

// RecordFeedSettings stores a fingerprint of the settings that feeds are served with from now on. Call it
// right before the first document is served.
func (s *Service) RecordFeedSettings(ctx context.Context) error {
	options, err := s.feedOptions(ctx)
	if err != nil {
		return err
	}
	return s.Store.SetFeedSettings(ctx, options.Settings)
}

func (s *Service) feedOptions(ctx context.Context) (feedserver.Options, error) {
	identity, err1 := s.Store.Secret(ctx, "feed identity")
	pollKey, err2 := s.Store.Secret(ctx, "feed polls")
	definitions, err3 := feedDefinitions(s.Config)
	proxies, err4 := middleware.ParseProxies(s.Config.Server.TrustedProxies)
	site := feedSite(s.Config, identity)
	settings, err5 := settingsOf(site, definitions)
	source := NewFeedSource(s.Store)
	source.editions = newEditionFeeds(s)
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		return feedserver.Options{}, err
	}
	return feedserver.Options{
		Source:     source,
		Site:       site,
		Feeds:      definitions,
		Settings:   settings,
		Named:      s.NamedFeeds,
		Private:    s.PrivateFeed,
		Polls:      NewFeedPolls(s.Store, nodeName()),
		PollKey:    pollKey,
		Memory:     int64(s.Config.FeedSet.Memory),
		RetryAfter: s.Config.FeedSet.RetryAfter,
		Client: func(r *http.Request) string {
			if known := middleware.Client(r.Context()); known.IsValid() {
				return known.String()
			}
			return proxies.Client(r).String()
		},
		Now: s.Store.Now,
		Log: s.Log,
	}, nil
}

// nodeName returns the name under which this machine's counts are stored. Nodes with the
// same name share their counts.
func nodeName() string {
	name, err := os.Hostname()
	if err != nil || name == "" {
		return "node"
	}
	return name
}
