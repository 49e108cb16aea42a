package feedserver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/loadshare"
	"github.com/tidings-press/tidings/internal/rendercache"
)

// archiveMaxAge is how long an archive page may be kept: it hardly ever changes.
const archiveMaxAge = time.Hour

// editionsPoll is how old the feed of a digest's editions may be: the revision
// counts changes of articles only.
const editionsPoll = time.Second

// How long a rendering may take, and how long a request waits for one: for a new
// document in place of an old one, and for one that was not there before.
const (
	renderTimeout = 30 * time.Second
	waitForNew    = 2 * time.Second
	waitForFirst  = 10 * time.Second
)

// errSlow says that a rendering goes on without the request that waited for it.
var errSlow = errors.New("the feed is not rendered yet")

func (d *document) private() bool { return d.definition.Kind == feed.Private }

// class is the kind of a target's rendering: feeds of searches and expressions are made up
// by their addresses, so that there is no end of them.
func (t *target) class() loadshare.Class {
	if t.definition.Kind == feed.BySearch || t.definition.Kind == feed.ByMatch {
		return loadshare.AdHoc
	}
	return loadshare.Linked
}

// document returns the document of a target, rendered if need be. If that fails or
// takes long, it is the old one.
func (s *Server) document(ctx context.Context, t target) (*document, error) {
	old, known := s.cache.ByKey(t.key())
	patience := waitForFirst
	if known {
		patience = waitForNew
	}
	d, err := s.fresh(ctx, t, patience)
	if err != nil && known && !old.private() {
		old.MarkStale() // it may only have expired so far
		return old, nil
	}
	return d, err
}

// fresh returns the document of a target as it is now. Requests that come for it
// at the same time wait for one rendering.
func (s *Server) fresh(ctx context.Context, t target, patience time.Duration) (*document, error) {
	if d, ok := s.cache.ByKey(t.key()); ok && s.usable(d, &t) {
		return d, nil
	}
	generation := s.freshness.generation.Load()
	made := s.rendering.DoChan(renderKey(&t, generation), func() (any, error) {
		// For all who wait, not only for the request that began it.
		return s.rendered(context.WithoutCancel(ctx), t, generation)
	})
	wait := time.NewTimer(patience)
	defer wait.Stop()
	select {
	case result := <-made:
		if result.Err != nil {
			return nil, result.Err
		}
		return result.Val.(*document), nil
	case <-wait.C:
		return nil, errSlow
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// renderKey names the renderings that are one: of a document in one state of the
// articles and, for a subscriber's, of what they choose.
func renderKey(t *target, generation int64) string {
	name := strconv.FormatInt(generation, 36) + " " + t.key()
	if t.definition.Kind == feed.Private {
		name += " " + t.definition.Filter.String()
	}
	return name
}

// rendered renders a document, unless another request has just done so. Whatever
// goes wrong is an error: nobody else would catch a panic here.
func (s *Server) rendered(ctx context.Context, t target, generation int64) (d *document, err error) {
	old, known := s.cache.ByKey(t.key())
	if known && s.usable(old, &t) {
		return old, nil
	}
	defer func() {
		if problem := recover(); problem != nil {
			err = fmt.Errorf("panic: %v\n%s", problem, debug.Stack())
		}
		if err != nil && !errors.Is(err, loadshare.ErrBusy) {
			s.options.Log.Error("feed not rendered", "feed", logName(&t), "error", err)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, renderTimeout)
	defer cancel()
	if busy := s.options.Share.Render(ctx, t.class(), func() { d, err = s.render(ctx, t, old, generation) }); busy != nil {
		return nil, busy
	}
	return d, err
}

// logName is a target's address as logs may show it: the token of a private feed
// opens it.
func logName(t *target) string {
	if t.definition.Kind == feed.Private {
		return "/private/"
	}
	return t.key()
}

// usable reports whether a document in the cache answers a target.
func (s *Server) usable(d *document, t *target) bool {
	if d.Stale() || !d.expires.IsZero() && !s.options.Now().Before(d.expires) {
		return false
	}
	// A subscriber may have chosen other topics since.
	return !d.private() || reflect.DeepEqual(d.definition, t.definition)
}

// render makes a document and keeps it. Bytes that are the same as before keep the
// codings that they have.
func (s *Server) render(ctx context.Context, t target, old *document, generation int64) (*document, error) {
	d, err := s.make(ctx, t)
	if err != nil {
		return nil, err
	}
	if old != nil {
		d.Reuse(old.Document)
	}
	s.keep(d, generation)
	return d, nil
}

// keep puts a document into the cache. If something changed since its rendering
// began, it is right for those who wait, but not to be kept.
func (s *Server) keep(d *document, generation int64) {
	f := &s.freshness
	f.marking.Lock()
	defer f.marking.Unlock()
	if f.generation.Load() != generation {
		d.MarkStale()
		return
	}
	s.cache.Put(d)
}

func (s *Server) make(ctx context.Context, t target) (*document, error) {
	if t.opml {
		return s.makeOPML(ctx)
	}
	content, err := s.load(ctx, t)
	if err != nil {
		return nil, err
	}
	return s.compose(t, content)
}

// compose makes the document of a target from its content.
func (s *Server) compose(t target, content content) (*document, error) {
	body, err := t.format.Render(content.prepared)
	if err != nil {
		return nil, err
	}
	page := content.selection.Page
	d := &document{
		feed: t.definition.Base(), definition: t.definition,
		dependencies: content.dependencies,
		mediaType:    contentType(t.format),
	}
	// What a subscriber chooses has no date, nor has a feed without articles, and where the oldest page leads to changes
	// by articles that it does not show.
	if updated := content.prepared.Updated(); !updated.IsZero() && !d.private() && !(page.Archive() && page.Older == "") {
		d.modified = newHTTPDate(updated)
	}
	switch {
	case t.definition.Kind == feed.ByDigest:
		d.expires = s.options.Now().Add(editionsPoll)
	case t.definition.Kind == feed.Private:
		d.feed = "/private/"
	}
	maxAge := cmp.Or(max(t.definition.MaxAge, 0), s.options.MaxAge)
	if t.cursor != "" {
		maxAge = max(maxAge, archiveMaxAge)
	}
	h := headers(d.mediaType, caching{maxAge, d.private()}, hubLinks(&s.options.Site, t))
	d.Document = rendercache.New(t.key(), body, h, d.dependencies.memory())
	return d, nil
}

func contentType(f feed.Format) string {
	if f == feed.FormatJSON {
		return f.MediaType()
	}
	return f.MediaType() + "; charset=utf-8"
}

// hubLinks is the Link header that WebSub subscribers look for first; nil for documents
// that no hub is told of.
func hubLinks(site *feed.Site, t target) []string {
	if len(site.Hubs) == 0 || !t.definition.Announced() || t.cursor != "" {
		return nil
	}
	links := []string{"<" + site.URL + t.key() + `>; rel="self"`}
	for _, hub := range site.Hubs {
		links = append(links, "<"+hub+`>; rel="hub"`)
	}
	return []string{strings.Join(links, ", ")}
}
