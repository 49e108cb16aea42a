package serve

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
)

// cache keeps documents by the addresses they are asked for, bounded by bytes.
// Looking one up takes no lock; what changes the cache is done under one, so that
// every address leads to a document that is counted, marked and dropped with
// the others.
type cache struct {
	capacity int64
	clock    atomic.Int64 // requests so far, which age is measured in
	byKey    sync.Map     // key of the document: *document
	byPath   sync.Map     // path and query of a request: *document

	changing sync.Mutex
	bytes    int64 // of all documents kept; guarded by changing
}

// get returns the document for a request's address.
func (c *cache) get(path string) *document {
	value, ok := c.byPath.Load(path)
	if !ok {
		return nil
	}
	d := value.(*document)
	d.used.Store(c.clock.Add(1))
	return d
}

// known returns the document with a key.
func (c *cache) known(key string) *document {
	value, ok := c.byKey.Load(key)
	if !ok {
		return nil
	}
	return value.(*document)
}

// put keeps a document under its key, in place of the one that is there.
func (c *cache) put(d *document) {
	c.changing.Lock()
	defer c.changing.Unlock()
	if old := c.known(d.key); old != nil {
		c.drop(old)
	}
	d.used.Store(c.clock.Add(1))
	c.byKey.Store(d.key, d)
	c.count(d)
}

// call lets an address lead to a document, if that is kept.
func (c *cache) call(path string, d *document) {
	c.changing.Lock()
	defer c.changing.Unlock()
	if c.known(d.key) != d || slices.Contains(d.paths, path) {
		return
	}
	d.paths = append(d.paths, path)
	c.byPath.Store(path, d)
}

// grew says that a document has got another coding.
func (c *cache) grew(d *document) {
	c.changing.Lock()
	defer c.changing.Unlock()
	if c.known(d.key) == d {
		c.count(d)
	}
}

// count adds what a document has grown by. When the cache is full, what has not
// been asked for the longest goes, down to eight tenths. The last one used stays
// even if it fills the cache alone: else each request would render it anew.
func (c *cache) count(d *document) {
	size := d.size()
	c.bytes += size - d.counted
	d.counted = size
	if c.bytes <= c.capacity {
		return
	}
	all := c.all()
	slices.SortFunc(all, func(a, b *document) int { return cmp.Compare(a.used.Load(), b.used.Load()) })
	for _, d := range all[:len(all)-1] {
		if c.bytes <= c.capacity*8/10 {
			break
		}
		c.drop(d)
	}
}

// drop forgets a document and all addresses that lead to it.
func (c *cache) drop(d *document) {
	d.stale.Store(true) // nobody would mark it any more, and a request may still hold it
	c.byKey.Delete(d.key)
	for _, path := range d.paths {
		c.byPath.Delete(path)
	}
	c.bytes -= d.counted
	d.paths, d.counted = nil, 0
}

// all returns the documents.
func (c *cache) all() []*document {
	var all []*document
	c.byKey.Range(func(_, value any) bool {
		all = append(all, value.(*document))
		return true
	})
	return all
}
