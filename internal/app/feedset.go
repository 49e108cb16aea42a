package app

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"runtime/debug"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/config"
)

// feedSite is the publication as the feeds know it.
func feedSite(c *config.Config, identity []byte) feed.Site {
	return feed.Site{
		Title:       c.Site.Title,
		Description: c.Site.Description,
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
	}.Spelled()
}

// settingsOf is a fingerprint of what documents are made of besides articles. Other
// settings, or another version of the program, may give other bytes.
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

// feedDefinitions are the configured feeds, and one of each digest's editions.
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
		out = append(out, feed.Definition{Kind: feed.ByDigest, Name: d.Name, Title: d.Title, Description: d.Description, Language: d.Language})
	}
	return out, nil
}

// feedDefinition makes a feed of its settings. The one named "all" without a filter is the
// feed at the root.
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
	if f.Name == "all" && filter.Expr == nil {
		d.Kind, d.Name = feed.Everything, ""
	}
	return d, err
}

func podcast(p *config.Podcast) *feed.Podcast {
	if p == nil {
		return nil
	}
	return &feed.Podcast{Author: p.Author, Owner: p.Owner, Image: p.Image, Category: p.Category, Explicit: p.Explicit, Type: p.Type}
}
