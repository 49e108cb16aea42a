package public

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/tidings-press/tidings/internal/cpulimit"
	"github.com/tidings-press/tidings/internal/metrics"
	"github.com/tidings-press/tidings/internal/rendercache"
	"github.com/tidings-press/tidings/internal/web/middleware"
)

// cachedPage is a rendered page. It is valid for one version of the content: after any change
// of an article, it is rendered again.
type cachedPage struct {
	*rendercache.Document
	header         http.Header
	contentVersion int64
	expires        time.Time // for content that the content version does not cover; zero for never
}

// pageCache caches rendered pages. Pages with a query have a cache of their own, since their
// number is unlimited and they must not displace the others.
type pageCache struct {
	plain, queried *rendercache.Cache[*cachedPage]
	rendering      singleflight.Group
}

func (c *pageCache) forQuery(query string) *rendercache.Cache[*cachedPage] {
	if query == "" {
		return c.plain
	}
	return c.queried
}

// CacheSize returns the memory that rendered pages take, in bytes.
func (p *Pages) CacheSize() int64 { return p.cache.plain.Size() + p.cache.queried.Size() }

// The time limit for rendering a page, and for a request that waits for it.
const (
	renderTimeout = 20 * time.Second
	waitForRender = 12 * time.Second
)

// FromMemory answers a GET or HEAD request for a page that is in the cache and up to date. It
// returns false, without having written anything, for all others. secure reports whether the
// site is served over HTTPS.
func (p *Pages) FromMemory(w http.ResponseWriter, r *http.Request, secure bool) bool {
	if p.feeds == nil || r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	cache, address, version := p.cache.forQuery(r.URL.RawQuery), addressOf(r.URL), p.feeds.ContentVersion()
	page, ok := cache.ByAddress(address)
	if !ok || !p.fresh(page, version) {
		offered := p.layouts.offered.Load()
		if offered == nil {
			return false
		}
		page, ok = cache.ByAddress(inLanguage(offered.Choose(r.Header.Get("Accept-Language")), address))
		if !ok || !p.fresh(page, version) {
			return false
		}
	}
	metrics.PageCache.Hit()
	middleware.PageHeaders(w.Header(), secure)
	_, unchanged := page.Unchanged(r)
	cache.Answer(w, r, page, unchanged)
	return true
}

func (p *Pages) fresh(page *cachedPage, version int64) bool {
	return page.contentVersion == version && (page.expires.IsZero() || time.Now().Before(page.expires))
}

// addressOf returns the address under which the cache knows the page of a URL.
func addressOf(u *url.URL) string {
	if u.RawQuery == "" {
		return u.EscapedPath()
	}
	return u.EscapedPath() + "?" + u.RawQuery
}

// inLanguage returns the key of a page whose language depends on the request.
func inLanguage(tag, address string) string { return tag + " " + address }

// keyOf returns the address of a page without unknown query parameters, such as those of
// campaign tracking.
func keyOf(u *url.URL, parameters []string) string {
	if u.RawQuery == "" {
		return u.EscapedPath()
	}
	known := url.Values{}
	for name, values := range u.Query() {
		if slices.Contains(parameters, name) {
			known[name] = values
		}
	}
	if len(known) == 0 {
		return u.EscapedPath()
	}
	return u.EscapedPath() + "?" + known.Encode()
}

// cached returns the handler of a page that is the same for everyone. The page is rendered once
// per change of the articles, within the limits of processor time. limit may refuse a request
// before the page is rendered; it may be nil.
func (p *Pages) cached(class cpulimit.Class, parameters []string, limit handler, h handler) http.Handler {
	return p.handle(func(w http.ResponseWriter, r *http.Request) error {
		key := keyOf(r.URL, parameters)
		cache := p.cacheFor(key)
		version := int64(-1) // without feeds, which track changes, nothing is cached
		if p.feeds != nil {
			version = p.feeds.ContentVersion()
			for _, k := range []string{key, inLanguage(p.layout(r.Context()).language, key)} {
				if page, ok := cache.ByKey(k); ok && p.fresh(page, version) {
					metrics.PageCache.Hit()
					p.answer(w, r, cache, page)
					return nil
				}
			}
		}
		if limit != nil {
			if err := limit(w, r); err != nil {
				return err
			}
		}
		metrics.PageCache.Miss()
		made, err := p.renderOnce(r, class, key, version, h)
		if err != nil {
			return err
		}
		if made.page == nil {
			made.send(w, r)
			return nil
		}
		p.answer(w, r, cache, made.page)
		return nil
	})
}

// cacheFor returns the cache of the pages with a key.
func (p *Pages) cacheFor(key string) *rendercache.Cache[*cachedPage] {
	_, query, _ := strings.Cut(key, "?")
	return p.cache.forQuery(query)
}

// answer sends a page. It links the request's address to the page if that is its canonical one.
func (p *Pages) answer(w http.ResponseWriter, r *http.Request, cache *rendercache.Cache[*cachedPage], page *cachedPage) {
	address := addressOf(r.URL)
	if variesByLanguage(page.header) {
		address = inLanguage(p.layout(r.Context()).language, address)
	}
	if address == page.Key {
		cache.Link(address, page)
	}
	_, unchanged := page.Unchanged(r)
	cache.Answer(w, r, page, unchanged)
}

// renderOnce renders a page once for all concurrent requests.
func (p *Pages) renderOnce(r *http.Request, class cpulimit.Class, key string, version int64, h handler) (*capture, error) {
	flight := strconv.FormatInt(version, 36) + " " + inLanguage(p.layout(r.Context()).language, key)
	made := p.cache.rendering.DoChan(flight, func() (any, error) {
		// Other requests wait for it too, so the first one must not cancel it.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), renderTimeout)
		defer cancel()
		c := &capture{header: http.Header{}}
		var err error
		if busy := p.cpuLimiter.Render(ctx, class, func() { err = p.render(c, r.WithContext(ctx), key, version, h) }); busy != nil {
			err = busy
		}
		return c, err
	})
	patience := time.NewTimer(waitForRender)
	defer patience.Stop()
	select {
	case result := <-made:
		if result.Err != nil {
			return nil, result.Err
		}
		return result.Val.(*capture), nil
	case <-patience.C:
		return nil, cpulimit.ErrBusy
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

// render runs a page's handler and caches the page.
func (p *Pages) render(c *capture, r *http.Request, key string, version int64, h handler) (err error) {
	defer func() { // it runs outside of the request's handler
		if problem := recover(); problem != nil {
			err = fmt.Errorf("panic: %v\n%s", problem, debug.Stack())
		}
	}()
	c.header.Set("Content-Security-Policy", policy)
	c.header.Set("Cache-Control", "no-store")
	r.Method, r.Header = http.MethodGet, r.Header.Clone() // on a copy; answer evaluates the conditions
	r.Header.Del("If-None-Match")
	r.Header.Del("If-Modified-Since")
	if err := h(c, r); err != nil {
		return err
	}
	if c.status != http.StatusOK {
		return nil
	}
	cache := p.cacheFor(key)
	if variesByLanguage(c.header) {
		key = inLanguage(p.layout(r.Context()).language, key)
	}
	page := &cachedPage{Document: rendercache.New(key, bytes.Clone(c.body.Bytes()), c.header, 0), header: c.header, contentVersion: version}
	if c.maxAge > 0 {
		page.expires = time.Now().Add(c.maxAge)
	}
	c.page = page
	if version < 0 {
		return nil
	}
	if old, ok := cache.ByKey(key); ok {
		page.Reuse(old.Document)
	}
	cache.Put(page)
	return nil
}

// capture is a ResponseWriter that records a response.
type capture struct {
	header http.Header
	status int
	body   bytes.Buffer
	maxAge time.Duration // how long the page may be cached; 0 until an article changes
	page   *cachedPage   // the page, if it may be cached
}

// Header implements http.ResponseWriter.
func (c *capture) Header() http.Header { return c.header }

// WriteHeader implements http.ResponseWriter.
func (c *capture) WriteHeader(status int) {
	if c.status == 0 {
		c.status = status
	}
}

// Write implements http.ResponseWriter.
func (c *capture) Write(b []byte) (int, error) {
	c.WriteHeader(http.StatusOK)
	return c.body.Write(b)
}

// limitCaching limits how long a page is cached that depends on more than articles.
func limitCaching(w http.ResponseWriter, d time.Duration) {
	if c, ok := w.(*capture); ok {
		c.maxAge = d
	}
}

// send sends the recorded response.
func (c *capture) send(w http.ResponseWriter, r *http.Request) {
	for name, values := range c.header {
		w.Header()[name] = values
	}
	w.WriteHeader(c.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(c.body.Bytes()) // a client that disconnected needs no response
	}
}

// fixedPages caches the pages of refusals, which are the same for everyone. Bots request missing
// pages more often than any other.
type fixedPages struct {
	mu    sync.Mutex
	pages map[string]*rendercache.Document
}

// maxFixedPages is the maximum number of cached refusals.
const maxFixedPages = 64

// refuse sends a refusal.
func (p *Pages) refuse(w http.ResponseWriter, r *http.Request, refused *refusal) error {
	c := p.layout(r.Context())
	key := c.language + "\x00" + refused.title + "\x00" + refused.Text + "\x00" + refused.Link
	p.fixed.mu.Lock()
	made, ok := p.fixed.pages[key]
	p.fixed.mu.Unlock()
	if !ok {
		body, err := p.fill(r.Context(), "message", page{Title: refused.title, NoIndex: true, Body: refused})
		if err != nil {
			return err
		}
		made = rendercache.New(key, body, nil, 0)
		p.fixed.keep(key, made)
	}
	pageHeaders(w.Header(), c.language, true)
	made.Send(w, r, refused.status)
	return nil
}

func (f *fixedPages) keep(key string, made *rendercache.Document) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.pages == nil {
		f.pages = map[string]*rendercache.Document{}
	}
	if len(f.pages) < maxFixedPages {
		f.pages[key] = made
	}
}

// uncached returns the handler of a page that is not cached, within the limits of processor time.
func (p *Pages) uncached(class cpulimit.Class, h handler) http.Handler {
	return p.handle(func(w http.ResponseWriter, r *http.Request) (err error) {
		busy := p.cpuLimiter.Render(r.Context(), class, func() { err = h(w, r) })
		return errors.Join(busy, err)
	})
}
