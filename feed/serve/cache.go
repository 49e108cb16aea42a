package serve

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
)

// cache keeps documents by the addresses they are asked for, bounded by bytes.
// Looking one up takes no lock.
type cache struct {
	capacity int64
	clock    atomic.Int64 // requests so far, which age is measured in
	byKey    sync.Map     // key of the document: *document
	byPath   sync.Map     // path and query of a request: *document
	added    atomic.Int64 // since the last look at the total
	sweeping sync.Mutex
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

// put keeps a document under its key and, unless that is "", under the address it
// was asked for.
func (c *cache) put(path string, d *document) {
	d.used.Store(c.clock.Add(1))
	c.byKey.Store(d.key, d)
	if path != "" {
		c.byPath.Store(path, d)
	}
	c.grow(d.size())
}

// grow says that so many bytes were added. When they may fill the cache, what
// has not been asked for the longest goes, down to nine tenths.
func (c *cache) grow(bytes int64) {
	if c.added.Add(bytes) < c.capacity/16 || !c.sweeping.TryLock() {
		return
	}
	defer c.sweeping.Unlock()
	c.added.Store(0)
	all, total := c.all()
	if total <= c.capacity-c.capacity/16 {
		return
	}
	slices.SortFunc(all, func(a, b *document) int { return cmp.Compare(a.used.Load(), b.used.Load()) })
	for _, d := range all {
		if total <= c.capacity*8/10 {
			break
		}
		total -= d.size()
		c.drop(d)
	}
}

// drop forgets a document and all addresses that lead to it.
func (c *cache) drop(d *document) {
	d.stale.Store(true) // nobody would mark it any more, should a request put its address back
	c.byKey.CompareAndDelete(d.key, d)
	c.byPath.Range(func(path, value any) bool {
		if value.(*document) == d {
			c.byPath.Delete(path)
		}
		return true
	})
}

// all returns the documents and their size in bytes.
func (c *cache) all() ([]*document, int64) {
	var all []*document
	var total int64
	c.byKey.Range(func(_, value any) bool {
		d := value.(*document)
		all = append(all, d)
		total += d.size()
		return true
	})
	return all, total
}
