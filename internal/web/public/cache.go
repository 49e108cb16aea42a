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

	"github.com/tidings-press/tidings/internal/loadshare"
	"github.com/tidings-press/tidings/internal/rendercache"
	"github.com/tidings-press/tidings/internal/web/middleware"
)

// cachedPage is a page in memory. It shows the articles of one generation: when any article
// has changed or appeared since, it is rendered again.
type cachedPage struct {
	*rendercache.Document
	header     http.Header
	generation int64
	expires    time.Time // for what the generation does not cover; zero for never
}

// pageCache keeps rendered pages. Those whose address has a query are kept apart: there is no
// end of them, and they must not displace the others.
type pageCache struct {
	plain, queried rendercache.Cache[*cachedPage]
	rendering      singleflight.Group
}

func (c *pageCache) of(query string) *rendercache.Cache[*cachedPage] {
	if query == "" {
		return &c.plain
	}
	return &c.queried
}

// How long a page may take to render, and how long a request waits for it.
const (
	renderTimeout = 20 * time.Second
	waitForRender = 12 * time.Second
)

// FromMemory answers a GET or HEAD request for a page that is in memory and up to date. It
// returns false, having done nothing, for all others. secure says that the site is served over
// HTTPS.
func (p *Pages) FromMemory(w http.ResponseWriter, r *http.Request, secure bool) bool {
	if p.feeds == nil || r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	cache, address, generation := p.cache.of(r.URL.RawQuery), addressOf(r.URL), p.feeds.Generation()
	page, ok := cache.ByAddress(address)
	if !ok || !p.fresh(page, generation) {
		offered := p.chromes.offered.Load()
		if offered == nil {
			return false
		}
		page, ok = cache.ByAddress(inLanguage(offered.choose(r.Header.Get("Accept-Language")), address))
		if !ok || !p.fresh(page, generation) {
			return false
		}
	}
	middleware.PageHeaders(w.Header(), secure)
	_, unchanged := page.Unchanged(r)
	cache.Answer(w, r, page, unchanged)
	return true
}

func (p *Pages) fresh(page *cachedPage, generation int64) bool {
	return page.generation == generation && (page.expires.IsZero() || time.Now().Before(page.expires))
}

// addressOf is a request's address as the cache is asked by it.
func addressOf(u *url.URL) string {
	if u.RawQuery == "" {
		return u.EscapedPath()
	}
	return u.EscapedPath() + "?" + u.RawQuery
}

// inLanguage is the key of a page whose language depends on the reader.
func inLanguage(tag, address string) string { return tag + " " + address }

// keyOf is the address of a page without the parameters that it does not know, such as those
// that count where visitors come from.
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

// reading makes the handler of a page that shows the same to everyone. It is rendered once per
// change of the articles, when it is its turn beside the mails. limit may refuse a client before
// something is rendered for it; it may be nil.
func (p *Pages) reading(class loadshare.Class, parameters []string, limit handler, h handler) http.Handler {
	return p.handle(func(w http.ResponseWriter, r *http.Request) error {
		key := keyOf(r.URL, parameters)
		cache := p.cacheFor(key)
		generation := int64(-1) // nothing is kept without feeds, which know what changed
		if p.feeds != nil {
			generation = p.feeds.Generation()
			for _, k := range []string{key, inLanguage(p.in(r.Context()).language, key)} {
				if page, ok := cache.ByKey(k); ok && p.fresh(page, generation) {
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
		made, err := p.rendered(r, class, key, generation, h)
		if err != nil {
			return err
		}
		if made.page == nil {
			made.replay(w, r)
			return nil
		}
		p.answer(w, r, cache, made.page)
		return nil
	})
}

// cacheFor returns the cache of the pages with a key.
func (p *Pages) cacheFor(key string) *rendercache.Cache[*cachedPage] {
	_, query, _ := strings.Cut(key, "?")
	return p.cache.of(query)
}

// answer sends a page. Its address leads to it from then on, if that is the one that links have.
func (p *Pages) answer(w http.ResponseWriter, r *http.Request, cache *rendercache.Cache[*cachedPage], page *cachedPage) {
	address := addressOf(r.URL)
	if variesByLanguage(page.header) {
		address = inLanguage(p.in(r.Context()).language, address)
	}
	if address == page.Key {
		cache.Link(address, page)
	}
	_, unchanged := page.Unchanged(r)
	cache.Answer(w, r, page, unchanged)
}

// rendered renders a page, once for all who ask for it at the same time.
func (p *Pages) rendered(r *http.Request, class loadshare.Class, key string, generation int64, h handler) (*capture, error) {
	flight := strconv.FormatInt(generation, 36) + " " + inLanguage(p.in(r.Context()).language, key)
	made := p.cache.rendering.DoChan(flight, func() (any, error) {
		// For all who wait, not only for the request that began it.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), renderTimeout)
		defer cancel()
		c := &capture{header: http.Header{}}
		var err error
		if busy := p.load.Render(ctx, class, func() { err = p.render(c, r.WithContext(ctx), key, generation, h) }); busy != nil {
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
		return nil, loadshare.ErrBusy
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

// render runs a page's handler and keeps what it made.
func (p *Pages) render(c *capture, r *http.Request, key string, generation int64, h handler) (err error) {
	defer func() { // nothing else would catch a panic here
		if problem := recover(); problem != nil {
			err = fmt.Errorf("panic: %v\n%s", problem, debug.Stack())
		}
	}()
	c.header.Set("Content-Security-Policy", policy)
	c.header.Set("Cache-Control", "no-store")
	r.Method, r.Header = http.MethodGet, r.Header.Clone() // of a copy; conditions are for answer
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
		key = inLanguage(p.in(r.Context()).language, key)
	}
	page := &cachedPage{Document: rendercache.New(key, bytes.Clone(c.body.Bytes()), c.header, 0), header: c.header, generation: generation}
	if c.keep > 0 {
		page.expires = time.Now().Add(c.keep)
	}
	c.page = page
	if generation < 0 {
		return nil
	}
	if old, ok := cache.ByKey(key); ok {
		page.Reuse(old.Document)
	}
	cache.Put(page)
	return nil
}

// capture is an answer that is not sent yet.
type capture struct {
	header http.Header
	status int
	body   bytes.Buffer
	keep   time.Duration // how long the page may be kept; 0 until an article changes
	page   *cachedPage   // when it may be kept
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

// keepFor limits how long a page is kept that shows more than articles.
func keepFor(w http.ResponseWriter, d time.Duration) {
	if c, ok := w.(*capture); ok {
		c.keep = d
	}
}

// replay sends the answer as it was made.
func (c *capture) replay(w http.ResponseWriter, r *http.Request) {
	for name, values := range c.header {
		w.Header()[name] = values
	}
	w.WriteHeader(c.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(c.body.Bytes()) // a reader who went away needs no answer
	}
}

// fixedPages are refusals, which are the same for everyone. Strangers ask for missing pages
// more than for any other.
type fixedPages struct {
	mu   sync.Mutex
	made map[string]*rendercache.Document
}

// mostFixed bounds the refusals that are kept.
const mostFixed = 64

// refuse sends a refusal.
func (p *Pages) refuse(w http.ResponseWriter, r *http.Request, refused *refusal) error {
	c := p.in(r.Context())
	key := c.language + "\x00" + refused.title + "\x00" + refused.Text + "\x00" + refused.Link
	p.fixed.mu.Lock()
	made, ok := p.fixed.made[key]
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
	if f.made == nil {
		f.made = map[string]*rendercache.Document{}
	}
	if len(f.made) < mostFixed {
		f.made[key] = made
	}
}

// turn makes the handler of a page that is not kept: it waits for its turn beside the mails.
func (p *Pages) turn(class loadshare.Class, h handler) http.Handler {
	return p.handle(func(w http.ResponseWriter, r *http.Request) (err error) {
		busy := p.load.Render(r.Context(), class, func() { err = h(w, r) })
		return errors.Join(busy, err)
	})
}
