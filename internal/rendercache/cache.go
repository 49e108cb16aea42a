package rendercache

import (
	"net/http"
	"slices"
	"sync"

	"github.com/tidings-press/tidings/internal/lru"
)

// Entry is a value of a Cache: a Document, usually embedded in a struct with the data that
// it was rendered from.
type Entry interface {
	comparable
	Rendered() *Document
}

// Cache keeps documents, which are found by their key and by the addresses of requests. It
// limits their total size in bytes; see package lru. Every address leads to a document that is
// counted and can be dropped.
type Cache[E Entry] struct {
	documents *lru.Cache[string, E] // by the key of the document
	byAddress sync.Map              // path and query of a request: E
}

// NewCache returns a cache for documents of a total size in bytes.
func NewCache[E Entry](capacity int64) *Cache[E] {
	c := &Cache[E]{}
	c.documents = lru.New[string](capacity, func(e E) int64 { return e.Rendered().Size() }, c.unlink)
	return c
}

// unlink removes all addresses that lead to a document that was dropped.
func (c *Cache[E]) unlink(e E) {
	d := e.Rendered()
	d.MarkStale() // for requests that still use it: later marks no longer reach it
	for _, address := range d.addresses {
		c.byAddress.Delete(address)
	}
	d.addresses = nil
}

// ByAddress returns the document for the address of a request.
func (c *Cache[E]) ByAddress(address string) (e E, ok bool) {
	value, ok := c.byAddress.Load(address)
	if !ok {
		return e, false
	}
	e = value.(E)
	c.documents.Get(e.Rendered().Key) // counts as a use
	return e, true
}

// ByKey returns the document with a key.
func (c *Cache[E]) ByKey(key string) (e E, ok bool) { return c.documents.Get(key) }

// Put stores a document under its key and drops the previous one.
func (c *Cache[E]) Put(e E) { c.documents.Put(e.Rendered().Key, e) }

// Link makes a document available to ByAddress, if the cache contains it.
func (c *Cache[E]) Link(address string, e E) {
	d := e.Rendered()
	c.documents.Update(d.Key, e, func() {
		if !slices.Contains(d.addresses, address) {
			d.addresses = append(d.addresses, address)
			c.byAddress.Store(address, e)
		}
	})
}

// Size returns the memory that the documents take, in bytes.
func (c *Cache[E]) Size() int64 { return c.documents.Size() }

// All returns all documents of the cache.
func (c *Cache[E]) All() []E { return c.documents.Values() }

// Answer sends a document in the coding that the request prefers, or 304 when
// unchanged is set. The caller may have set more headers. The body is compressed in a coding
// when it is first requested. Answer returns the coding.
func (c *Cache[E]) Answer(w http.ResponseWriter, r *http.Request, e E, unchanged bool) Coding {
	d := e.Rendered()
	coding := Choose(r.Header.Get("Accept-Encoding"))
	rep := &d.codings[coding]
	d.setHeaders(w.Header(), rep)
	if unchanged {
		w.WriteHeader(http.StatusNotModified)
		return coding
	}
	if rep.size.Load() == 0 {
		d.Body(coding)
		c.documents.Update(d.Key, e, func() {}) // it has grown
	}
	d.setBodyHeaders(w.Header(), rep)
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(rep.body) // an error means that the client has disconnected
	}
	return coding
}
