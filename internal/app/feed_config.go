package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"runtime/debug"
	"slices"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/feedserver"
	"github.com/tidings-press/tidings/internal/store"
)

// feedSite returns the settings of the site for feeds.
func feedSite(c *config.Config, identity []byte) feed.Site {
	return feed.Site{
		Title:       c.Site.Title.String(),
		Description: c.Site.Description.String(),
		URL:         c.Site.URL,
		Language:    c.Site.Language,
		Copyright:   c.Site.Copyright,
		Editor:      c.Site.Editor,
		Webmaster:   c.Site.Webmaster,
		Icon:        c.Site.Icon,
		Image:       c.Site.Image,
		Hubs:        c.FeedSet.Hubs,
		Identity:    identity,

		NoTombstones: !c.FeedSet.Tombstones,
	}.Normalized()
}

// settingsOf returns a fingerprint of everything in documents except articles. With other settings,
// or another version of the program, documents may have other bytes.
func settingsOf(site feed.Site, definitions []feed.Definition) (string, error) {
	site.Identity = nil
	parts := []any{site}
	for _, d := range definitions {
		filter := d.Filter.String()
		d.Filter, d.MaxAge = article.Filter{}, 0 // MaxAge stands in no document
		parts = append(parts, d, filter)
	}
	if built, ok := debug.ReadBuildInfo(); ok {
		parts = append(parts, built.Main.Version)
	}
	data, err := json.Marshal(parts)
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:16]), err
}

// feedDefinitions returns the configured feeds, and a feed of each digest's editions.
func feedDefinitions(c *config.Config) ([]feed.Definition, error) {
	var out []feed.Definition
	for _, f := range c.Feeds {
		definition, err := feedDefinition(f)
		if err != nil {
			return nil, err
		}
		out = append(out, definition)
	}
	for _, d := range c.Digests {
		out = append(out, feed.Definition{Kind: feed.ByDigest, Name: d.Name, Title: d.Title.In(d.Language), Description: d.Description.In(d.Language), Language: d.Language, Home: digest.ListPath(d.Name)})
	}
	return out, nil
}

// feedDefinition returns the feed for its settings. The one named "all" without a filter is
// the feed at the root.
func feedDefinition(f config.Feed) (feed.Definition, error) {
	filter, err := f.Filter.Compile()
	d := feed.Definition{
		Kind:        feed.Named,
		Name:        f.Name,
		Title:       f.Title,
		Description: f.Description,
		Filter:      filter,
		Limit:       f.Limit,
		SummaryOnly: f.Content == "summary",
		Language:    f.Language,
		MaxAge:      f.MaxAge,
		Podcast:     podcast(f.Podcast),
	}
	if d.Podcast != nil { // an episode has a file
		d.Filter = filter.And(article.Filter{Expr: article.HasFile{}})
	}
	if f.Name == "all" && filter.Expr == nil {
		d.Kind, d.Name = feed.Everything, ""
	}
	return d, err
}

func podcast(p *config.Podcast) *feed.Podcast {
	if p == nil {
		return nil
	}
	out := &feed.Podcast{
		Author: p.Author, Owner: p.Owner, Image: p.Image, Category: p.Category, Explicit: p.Explicit, Type: p.Type,
		Subtitle: p.Subtitle, Block: p.Block, Complete: p.Complete, Locked: p.Locked, GUID: p.GUID,
	}
	for _, person := range p.Persons {
		out.Persons = append(out.Persons, article.Person(person))
	}
	return out
}

// NamedFeeds returns the feeds of all tags, authors and languages of the stored articles.
func (s *Service) NamedFeeds(ctx context.Context) ([]feed.Definition, error) {
	var all []feed.Definition
	for _, list := range []struct {
		kind  feed.Kind
		names func(context.Context) ([]store.LabelCount, error)
	}{{feed.ByTag, s.Store.Tags}, {feed.ByAuthor, s.Store.Authors}, {feed.ByLanguage, s.Store.Languages}} {
		counts, err := list.names(ctx)
		if err != nil {
			return nil, err
		}
		for _, count := range counts {
			d, err := feedserver.LabelFeed(list.kind, count.Name)
			if err != nil {
				return nil, err
			}
			all = append(all, d)
		}
	}
	return all, nil
}

// PrivateFeed returns the feed for a subscriber's token: the articles that the digest sends to
// this subscriber, by topics and language.
func (s *Service) PrivateFeed(ctx context.Context, token string) (feed.Definition, error) {
	subscription, err := s.Store.FeedToken(ctx, token)
	if isNotFound(err) {
		return feed.Definition{}, feedserver.ErrUnknown
	}
	if err != nil {
		return feed.Definition{}, err
	}
	at := slices.IndexFunc(s.Config.Digests, func(d config.Digest) bool { return d.Name == subscription.Digest })
	if at < 0 {
		return feed.Definition{}, feedserver.ErrUnknown
	}
	d := &s.Config.Digests[at]
	reader, err1 := s.Store.Subscriber(ctx, subscription.Subscriber)
	languages, err2 := s.Store.LanguageKeys(ctx)
	filter, err3 := d.Filter.Compile()
	if err := errors.Join(err1, err2, err3); err != nil {
		return feed.Definition{}, err
	}
	preferences := digest.PreferencesFor(digest.Definition{Name: d.Name, Language: d.Language}, subscription.Topics, reader.Language)
	return feed.Definition{
		Kind: feed.Private, Title: d.Title.In(d.Language), Description: d.Description.In(d.Language), Language: d.Language, Filter: filter.And(preferences.Filter(languages)),
	}, nil
}
