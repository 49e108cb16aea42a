package feedserver

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"sync/atomic"

	"golang.org/x/sync/singleflight"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/lru"
	"github.com/tidings-press/tidings/internal/metrics"
	"github.com/tidings-press/tidings/internal/rendercache"
)

// CacheSize returns the memory that rendered documents take, in bytes.
func (s *Server) CacheSize() int64 { return s.cache.Size() }

// Server is the http.Handler of all feeds. Its methods are safe for concurrent use.
type Server struct {
	options     Options
	everything  feed.Definition
	cache       *rendercache.Cache[*document]
	freshness   freshness
	rendering   singleflight.Group
	bodies      *lru.Cache[bodyKey, string]
	counter     *counter
	pollLimiter *pollLimiter
	newest      atomic.Pointer[httpDate] // the newest second that may be sent as Last-Modified
}

// New returns a Server.
func New(options Options) *Server {
	s := &Server{options: options.withDefaults(), everything: feed.Definition{Kind: feed.Everything}}
	for _, d := range options.Feeds {
		if d.Kind == feed.Everything {
			s.everything = d
		}
	}
	s.everything.Name = ""
	s.cache = rendercache.NewCache[*document](s.options.Memory)
	s.bodies = lru.New[bodyKey](maxBodies, func(body string) int64 { return int64(len(body)) + bodyOverhead }, nil)
	s.counter = newCounter(options.PollKey)
	s.pollLimiter = newPollLimiter(s.options.RetryAfter)
	return s
}

// FromMemory answers a GET or HEAD request for a document that is in the cache and up to date.
// It returns false, without having written anything, for all others.
func (s *Server) FromMemory(w http.ResponseWriter, r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	d, ok := s.cache.ByAddress(cacheAddress(r.URL))
	if !ok {
		return false
	}
	s.refresh()
	// Documents are marked as stale before departed is stored, so a document that is still
	// current after departed was read is not older.
	departed := s.freshness.departed.Load()
	if !s.current(d) || s.options.Browser != nil && !d.opml && navigation(r) {
		return false
	}
	metrics.FeedCache.Hit()
	s.respond(w, r, d, departed)
	return true
}

// ServeHTTP answers GET and HEAD requests for feeds, and 404 for paths that are not feeds; see
// Handles.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "Feeds can only be read: use GET or HEAD.", http.StatusMethodNotAllowed)
		return
	}
	s.refresh()
	departed := s.freshness.departed.Load()
	path := cacheAddress(r.URL)
	if d, ok := s.cache.ByAddress(path); ok && s.current(d) {
		metrics.FeedCache.Hit()
		s.respond(w, r, d, departed)
		return
	}
	d, err := s.lookUp(r, path)
	if err != nil {
		s.refuse(w, err)
		return
	}
	s.respond(w, r, d, departed)
}

// cacheAddress returns the address under which the cache knows the document of a URL.
func cacheAddress(u *url.URL) string {
	if u.RawQuery != "" {
		return u.EscapedPath() + "?" + u.RawQuery
	}
	return u.EscapedPath()
}

// lookUp finds or renders the document of a request. If the store cannot resolve the address,
// it returns the document that is cached for the address.
func (s *Server) lookUp(r *http.Request, path string) (*document, error) {
	ctx, cancel := context.WithTimeout(r.Context(), s.options.Limits.Find)
	defer cancel()
	t, err := s.find(ctx, r)
	if err != nil {
		var missing errNotFound
		if errors.As(err, &missing) {
			return nil, err
		}
		if r.Context().Err() == nil {
			s.options.Log.Error("the feed of an address cannot be read from the store", "error", err)
		}
		if old, ok := s.cache.ByAddress(path); ok && !old.private() {
			old.MarkStale() // it may only be past its expiry
			return old, nil
		}
		return nil, err
	}
	d, err := s.document(r.Context(), t)
	if err == nil && canonical(path, d.Key) {
		s.cache.Link(path, d)
	}
	return d, err
}

// canonical reports whether an address is one that documents link to, or that feed readers
// probe. Other addresses are not cached, since their number is unlimited.
func canonical(address, key string) bool {
	_, probe := probes[address]
	return probe || address == key
}

// refuse answers a request for which there is no document.
func (s *Server) refuse(w http.ResponseWriter, err error) {
	var missing errNotFound
	if errors.As(err, &missing) {
		w.Header().Set("Cache-Control", "public, max-age=60")
		http.Error(w, missing.Error(), http.StatusNotFound)
		metrics.FeedRequest(http.StatusNotFound, int(rendercache.Identity))
		return
	}
	w.Header().Set("Retry-After", "60")
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, "The feed cannot be read right now. Please try again in a minute.", http.StatusServiceUnavailable)
	metrics.FeedRequest(http.StatusServiceUnavailable, int(rendercache.Identity))
}
