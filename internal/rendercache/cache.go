package rendercache

import (
	"cmp"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
)

// Entry is a value of a Cache: a Document, usually embedded in a struct with the data that
// it was rendered from.
type Entry interface {
	comparable
	Rendered() *Document
}

// Cache keeps documents, which are found by their key and by the addresses of requests. It
// limits their total size in bytes. Lookups take no lock. All changes are made under one
// lock, so that every address leads to a document that is counted and can be evicted. Set
// Capacity before the first use.
type Cache[E Entry] struct {
	Capacity int64 // bytes

	clock     atomic.Int64 // number of lookups; serves as the time of Document.used
	byKey     sync.Map     // key of the document: E
	byAddress sync.Map     // path and query of a request: E

	mu    sync.Mutex
	bytes int64 // of all documents; guarded by mu
}

// ByAddress returns the document for the address of a request.
func (c *Cache[E]) ByAddress(address string) (e E, ok bool) {
	value, ok := c.byAddress.Load(address)
	if !ok {
		return e, false
	}
	e = value.(E)
	e.Rendered().used.Store(c.clock.Add(1))
	return e, true
}

// ByKey returns the document with a key.
func (c *Cache[E]) ByKey(key string) (e E, ok bool) {
	value, ok := c.byKey.Load(key)
	if !ok {
		return e, false
	}
	return value.(E), true
}

// Put stores a document under its key and evicts the previous one.
func (c *Cache[E]) Put(e E) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := e.Rendered()
	if old, ok := c.ByKey(d.Key); ok {
		c.evict(old)
	}
	d.used.Store(c.clock.Add(1))
	c.byKey.Store(d.Key, e)
	c.updateSize(d)
}

// Link makes a document available to ByAddress, if the cache contains it.
func (c *Cache[E]) Link(address string, e E) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := e.Rendered()
	if known, ok := c.ByKey(d.Key); !ok || known != e || slices.Contains(d.addresses, address) {
		return
	}
	d.addresses = append(d.addresses, address)
	c.byAddress.Store(address, e)
}

// Answer sends a document in the coding that the request prefers, or 304 when
// unchanged is set. The caller may have set more headers. The body is compressed in a coding
// when it is first requested.
func (c *Cache[E]) Answer(w http.ResponseWriter, r *http.Request, e E, unchanged bool) {
	d := e.Rendered()
	coding := Choose(r.Header.Get("Accept-Encoding"))
	rep := &d.codings[coding]
	d.setHeaders(w.Header(), rep)
	if unchanged {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if rep.size.Load() == 0 {
		d.Body(coding)
		c.updateSizeOf(e)
	}
	d.setBodyHeaders(w.Header(), rep)
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(rep.body) // an error means that the client has disconnected
	}
}

// All returns all documents of the cache.
func (c *Cache[E]) All() []E {
	var all []E
	c.byKey.Range(func(_, value any) bool {
		all = append(all, value.(E))
		return true
	})
	return all
}

// Sizes returns how many bytes and addresses the cache holds.
func (c *Cache[E]) Sizes() (bytes int64, addresses int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.byAddress.Range(func(any, any) bool { addresses++; return true })
	return c.bytes, addresses
}

// updateSizeOf counts the growth of a document, if the cache contains it.
func (c *Cache[E]) updateSizeOf(e E) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := e.Rendered()
	if known, ok := c.ByKey(d.Key); ok && known == e {
		c.updateSize(d)
	}
}

// updateSize counts the growth of a document since the last call. If the cache is then over
// its capacity, the least recently used documents are evicted until it is at most 80 % full.
// The most recently used one stays even if it alone exceeds the capacity: otherwise each
// request would render it again. c.mu must be held.
func (c *Cache[E]) updateSize(d *Document) {
	size := d.Size()
	c.bytes += size - d.countedSize
	d.countedSize = size
	if c.bytes <= c.Capacity {
		return
	}
	all := c.All()
	slices.SortFunc(all, func(a, b E) int { return cmp.Compare(a.Rendered().used.Load(), b.Rendered().used.Load()) })
	for _, e := range all[:len(all)-1] {
		if c.bytes <= c.Capacity*8/10 {
			break
		}
		c.evict(e)
	}
}

// evict removes a document and all addresses that lead to it. c.mu must be held.
func (c *Cache[E]) evict(e E) {
	d := e.Rendered()
	d.MarkStale() // for requests that still use it: later marks no longer reach it
	c.byKey.Delete(d.Key)
	for _, address := range d.addresses {
		c.byAddress.Delete(address)
	}
	c.bytes -= d.countedSize
	d.addresses, d.countedSize = nil, 0
}
