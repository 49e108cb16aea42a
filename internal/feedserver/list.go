package feedserver

import (
	"context"
	"time"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/rendercache"
)

// Definitions returns the public feeds that are not made for a label or search: the feed of
// everything, the configured feeds and the feeds of digests.
func (s *Server) Definitions() []feed.Definition {
	all := []feed.Definition{s.everything}
	for _, d := range s.options.Feeds {
		if d.Kind != feed.Everything {
			all = append(all, d)
		}
	}
	return all
}

func (s *Server) makeOPML(ctx context.Context) (*document, error) {
	newest := feed.Definition{Kind: feed.Everything, Limit: 1}
	selection, err := Load(ctx, s.options.Source, s.options.Site, newest, "", s.asOf())
	if err != nil {
		return nil, err
	}
	updated := feed.Prepare(selection).Updated()
	definitions := s.Definitions()
	if s.options.Named != nil {
		named, err := s.options.Named(ctx)
		if err != nil {
			return nil, err
		}
		definitions = append(definitions, named...)
	}
	listing := feed.List(s.options.Site, definitions, nil, nil)
	body, err := feed.OPML(s.options.Site, listing, updated)
	if err != nil {
		return nil, err
	}
	const mediaType = "text/x-opml; charset=utf-8"
	h := headers(mediaType, caching{maxAge: max(s.options.MaxAge, 5*time.Minute)}, nil)
	d := &document{Document: rendercache.New(opmlPath, body, h, 0), opml: true, mediaType: mediaType}
	if !updated.IsZero() {
		d.modified = newHTTPDate(updated)
	}
	return d, nil
}
