package rendercache

import (
	"cmp"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
)

// Entry is what a Cache holds: a Document, usually embedded in a struct that says
// what the document was made of.
type Entry interface {
	comparable
	Rendered() *Document
}

// Cache keeps documents by their key and by the addresses they are asked for. It is
// bounded by bytes. Lookups take no lock; all changes are made under one lock, so
// that every address leads to a document that is counted and evicted with the
// others. Set Capacity before the first use.
type Cache[E Entry] struct {
	Capacity int64 // bytes

	clock     atomic.Int64 // lookups so far: the age of documents is measured in them
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

// Put keeps a document under its key and drops the one that was there.
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

// Link lets an address lead to a document, if the document is kept.
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
// unchanged is set. The caller may have set more headers. A coding is made the first
// time that it is asked for.
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
		_, _ = w.Write(rep.body) // an error means that the client has gone
	}
}

// All returns the documents that are kept.
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

// updateSizeOf adds what a document has grown by since it was counted.
func (c *Cache[E]) updateSizeOf(e E) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := e.Rendered()
	if known, ok := c.ByKey(d.Key); ok && known == e {
		c.updateSize(d)
	}
}

// updateSize adds what a document has grown by. When the cache is full, the documents that
// were not asked for the longest are dropped, down to eight tenths. The one that was
// used last stays even if it fills the cache alone: otherwise each request would
// render it again.
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

// evict forgets a document and all addresses that lead to it.
func (c *Cache[E]) evict(e E) {
	d := e.Rendered()
	d.MarkStale() // a request may still hold it, and it is not marked with the others any more
	c.byKey.Delete(d.Key)
	for _, address := range d.addresses {
		c.byAddress.Delete(address)
	}
	c.bytes -= d.countedSize
	d.addresses, d.countedSize = nil, 0
}
