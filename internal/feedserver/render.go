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
	"github.com/tidings-press/tidings/internal/cpulimit"
	"github.com/tidings-press/tidings/internal/metrics"
	"github.com/tidings-press/tidings/internal/rendercache"
)

// archiveMaxAge is the max-age of archive pages, which rarely change.
const archiveMaxAge = time.Hour

// editionsPoll is the maximum age of a feed of editions: the revision counts changes of
// articles only.
const editionsPoll = time.Second

// errSlow is returned when a request stops waiting for a rendering, which continues.
var errSlow = errors.New("the feed is not rendered yet")

func (d *document) private() bool { return d.definition.Kind == feed.Private }

// class returns the class of a target's rendering: feeds of searches and expressions are ad
// hoc, since any address defines one.
func (t *target) class() cpulimit.Class {
	if t.definition.Kind == feed.BySearch || t.definition.Kind == feed.ByMatch {
		return cpulimit.Search
	}
	return cpulimit.Cacheable
}

// document returns the document of a target. It renders the document if necessary; if that
// fails or takes too long, it returns the old document.
func (s *Server) document(ctx context.Context, t target) (*document, error) {
	old, known := s.cache.ByKey(t.key())
	timeout := s.options.Limits.WaitFirst
	if known {
		timeout = s.options.Limits.WaitNew
	}
	d, err := s.latest(ctx, t, timeout)
	if err != nil && known && !old.private() {
		old.MarkStale() // it may only be past its expiry
		return old, nil
	}
	return d, err
}

// latest returns the up-to-date document of a target. Concurrent requests for it share one
// rendering.
func (s *Server) latest(ctx context.Context, t target, timeout time.Duration) (*document, error) {
	if d, ok := s.cache.ByKey(t.key()); ok && s.usable(d, &t) {
		metrics.FeedCache.Hit()
		return d, nil
	}
	metrics.FeedCache.Miss()
	version := s.freshness.contentVersion.Load()
	made := s.rendering.DoChan(renderKey(&t, version), func() (any, error) {
		// Other requests wait for it too, so the first one must not cancel it.
		return s.renderOnce(context.WithoutCancel(ctx), t, version)
	})
	wait := time.NewTimer(timeout)
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

// renderKey returns the key by which concurrent renderings are shared: the document, the
// content version and, for a private feed, its filter.
func renderKey(t *target, version int64) string {
	name := strconv.FormatInt(version, 36) + " " + t.key()
	if t.definition.Kind == feed.Private {
		name += " " + t.definition.Filter.String()
	}
	return name
}

// renderOnce renders a document, unless another request has just done so. It turns a panic
// into an error, since it runs outside of a request's handler.
func (s *Server) renderOnce(ctx context.Context, t target, version int64) (d *document, err error) {
	old, known := s.cache.ByKey(t.key())
	if known && s.usable(old, &t) {
		return old, nil
	}
	defer func() {
		if problem := recover(); problem != nil {
			err = fmt.Errorf("panic: %v\n%s", problem, debug.Stack())
		}
		if err != nil && !errors.Is(err, cpulimit.ErrBusy) {
			s.options.Log.Error("feed not rendered", "feed", logName(&t), "error", err)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, s.options.Limits.Render)
	defer cancel()
	if busy := s.options.CPULimiter.Render(ctx, t.class(), func() { d, err = s.render(ctx, t, old, version) }); busy != nil {
		return nil, busy
	}
	return d, err
}

// logName returns a target's path for the log, without the token of a private feed, which
// grants access to it.
func logName(t *target) string {
	if t.definition.Kind == feed.Private {
		return "/private/"
	}
	return t.key()
}

// usable reports whether a cached document is up to date for a target.
func (s *Server) usable(d *document, t *target) bool {
	if d.Stale() || !d.expires.IsZero() && !s.options.Now().Before(d.expires) {
		return false
	}
	// The subscriber may have changed the topics since.
	return !d.private() || reflect.DeepEqual(d.definition, t.definition)
}

// render builds a document and stores it in the cache. If its bytes are the same as before,
// it reuses their compressed variants.
func (s *Server) render(ctx context.Context, t target, old *document, version int64) (*document, error) {
	d, err := s.build(ctx, t)
	if err != nil {
		return nil, err
	}
	if old != nil {
		d.Reuse(old.Document)
	}
	s.keep(d, version)
	return d, nil
}

// keep puts a document into the cache, unless an article has changed since its rendering
// began. Requests that already wait may still get the document then.
func (s *Server) keep(d *document, version int64) {
	f := &s.freshness
	f.marking.Lock()
	defer f.marking.Unlock()
	if f.contentVersion.Load() != version {
		d.MarkStale()
		return
	}
	s.cache.Put(d)
}

func (s *Server) build(ctx context.Context, t target) (*document, error) {
	if t.opml {
		return s.makeOPML(ctx)
	}
	content, err := s.load(ctx, t)
	if err != nil {
		return nil, err
	}
	return s.compose(t, content)
}

// compose renders the document of a target from its content.
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
	// No date: private feeds, whose filter changes without one; feeds without articles; and the oldest page, whose
	// link to the newer page changes with articles that it does not show.
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

// hubLinks returns the Link header that WebSub subscribers look for first (WebSub, section 4);
// nil for documents whose changes are not announced to hubs.
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
