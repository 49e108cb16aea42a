package serve

import (
	"context"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tidings-press/tidings/feed"
)

// archiveMaxAge is how long an archive page may be kept: it hardly ever changes.
const archiveMaxAge = time.Hour

// editionsPoll is how old the feed of a digest's editions may be: the revision
// counts changes of articles only.
const editionsPoll = time.Second

func (d *document) private() bool { return d.definition.Kind == feed.Private }

// document returns the document of a target, rendered if need be. Requests that
// come for it at the same time wait for one rendering.
func (s *Server) document(ctx context.Context, t target) (*document, error) {
	key := t.key()
	old := s.cache.known(key)
	if old != nil && s.usable(old, &t) {
		return old, nil
	}
	generation := s.freshness.generation.Load()
	flight := strconv.FormatInt(generation, 36) + " " + key
	made, err, _ := s.rendering.Do(flight, func() (any, error) {
		if d := s.cache.known(key); d != nil && s.usable(d, &t) {
			return d, nil
		}
		// The rendering is for all who wait, not only for the request that began it.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer cancel()
		return s.render(ctx, t, old, generation)
	})
	if err != nil {
		if old != nil && !old.private() {
			s.options.Log.Error("an old feed is served: the new one cannot be rendered", "feed", old.key, "error", err)
			return old, nil
		}
		return nil, err
	}
	return made.(*document), nil
}

// usable reports whether a document in the cache answers a target.
func (s *Server) usable(d *document, t *target) bool {
	if d.stale.Load() || !d.expires.IsZero() && !s.options.Now().Before(d.expires) {
		return false
	}
	// A subscriber may have chosen other topics since.
	return !d.private() || reflect.DeepEqual(d.definition, t.definition)
}

// render makes a document and keeps it. Bytes that are the same as before keep the
// old document, with the codings that it has.
func (s *Server) render(ctx context.Context, t target, old *document, generation int64) (*document, error) {
	d, body, err := s.make(ctx, t, generation)
	if err != nil {
		return nil, err
	}
	if old != nil && d.same(old, body) {
		for c := range old.codings {
			if rep := &old.codings[c]; coding(c) != identity && rep.size.Load() > 0 {
				d.codings[c].once.Do(func() { d.codings[c].set(rep.body) })
			}
		}
	}
	s.keep(d, old, generation)
	return d, nil
}

// keep puts a document into the cache in place of an old one. If something changed
// since its rendering began, it is right for those who wait, but not to be kept.
func (s *Server) keep(d, old *document, generation int64) {
	f := &s.freshness
	f.marking.Lock()
	defer f.marking.Unlock()
	if f.generation.Load() != generation {
		d.stale.Store(true)
		return
	}
	if old != nil {
		s.cache.drop(old)
	}
	s.cache.put("", d)
}

func (d *document) same(old *document, body []byte) bool {
	return d.codings[identity].etag == old.codings[identity].etag && len(body) == len(old.codings[identity].body)
}

func (s *Server) make(ctx context.Context, t target, generation int64) (*document, []byte, error) {
	if t.opml {
		return s.makeOPML(ctx)
	}
	selection, prepared, err := s.prepare(ctx, t, generation)
	if err != nil {
		return nil, nil, err
	}
	body, err := t.format.Render(prepared)
	if err != nil {
		return nil, nil, err
	}
	d := &document{
		key: t.key(), feed: t.definition.Base(), definition: t.definition,
		modified: newMoment(prepared.Updated()), members: members(selection),
	}
	switch {
	case t.definition.Kind == feed.ByDigest:
		d.expires = s.options.Now().Add(editionsPoll)
	case t.definition.Kind == feed.Private:
		d.feed = "/private/"
	}
	maxAge := t.definition.MaxAge
	if maxAge <= 0 {
		maxAge = s.options.MaxAge
	}
	if t.cursor != "" {
		maxAge = max(maxAge, archiveMaxAge)
	}
	d.describe(body, contentType(t.format), maxAge, d.private())
	d.setLink(&s.options.Site, t)
	return d, body, nil
}

func contentType(f feed.Format) string {
	if f == feed.FormatJSON {
		return f.MediaType()
	}
	return f.MediaType() + "; charset=utf-8"
}

// setLink adds the Link header that WebSub subscribers look for first.
func (d *document) setLink(site *feed.Site, t target) {
	if len(site.Hubs) == 0 || !t.definition.Announced() || t.cursor != "" {
		return
	}
	links := []string{"<" + site.URL + d.key + `>; rel="self"`}
	for _, hub := range site.Hubs {
		links = append(links, "<"+hub+`>; rel="hub"`)
	}
	d.link = []string{strings.Join(links, ", ")}
}

func members(s feed.Selection) map[string]bool {
	ids := make(map[string]bool, len(s.Items)+len(s.Removed))
	for i := range s.Items {
		ids[s.Items[i].Article.ID] = true
	}
	for i := range s.Removed {
		ids[s.Removed[i].Article.ID] = true
	}
	return ids
}

// preparedCache keeps the last few selections for the other formats of the same
// feed, which readers ask for in turn after a change.
type preparedCache struct {
	mu   sync.Mutex
	last [8]preparedEntry
	next int
}

type preparedEntry struct {
	key       string
	selection feed.Selection
	prepared  *feed.Prepared
}

// prepare loads and cleans a selection, once for all formats of a generation.
func (s *Server) prepare(ctx context.Context, t target, generation int64) (feed.Selection, *feed.Prepared, error) {
	key := strconv.FormatInt(generation, 36) + " " + t.cursor + " " + t.definition.Path("", "")
	shared := t.definition.Kind != feed.Private && t.definition.Kind != feed.ByDigest
	if entry := s.prepared.get(key); shared && entry.prepared != nil {
		return entry.selection, entry.prepared, nil
	}
	selection, err := feed.Load(ctx, s.options.Source, s.options.Site, t.definition, t.cursor, s.options.Now())
	if err != nil {
		return selection, nil, err
	}
	prepared := feed.Prepare(selection)
	if shared && prepared.Bytes() < 1<<20 {
		s.prepared.put(preparedEntry{key, selection, prepared})
	}
	return selection, prepared, nil
}

func (p *preparedCache) get(key string) preparedEntry {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, entry := range p.last {
		if entry.key == key {
			return entry
		}
	}
	return preparedEntry{}
}

func (p *preparedCache) put(entry preparedEntry) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last[p.next] = entry
	p.next = (p.next + 1) % len(p.last)
}
