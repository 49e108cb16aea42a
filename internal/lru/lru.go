// Package lru keeps values in memory up to a total size, and then drops the least recently used
// ones. It is the only bounded cache of the program: documents, sanitized bodies of articles,
// compiled mails, loaded editions, the languages that browsers prefer and the keys of SNS are kept in a
// Cache. Start with New, Cache.Get and Cache.Put.
package lru

import (
	"math"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// Cache keeps values by key. It is safe for concurrent use.
type Cache[K, V comparable] struct {
	capacity int64
	sizeOf   func(V) int64
	dropped  func(V)

	mu      sync.Mutex
	size    int64 // of all entries
	entries *simplelru.LRU[K, *entry[V]]
}

type entry[V any] struct {
	value V
	size  int64 // as counted in Cache.size
}

// New returns a cache for values of a total size, in the unit of sizeOf. dropped, which may be
// nil, is called for each value that leaves the cache, with the cache locked.
func New[K, V comparable](capacity int64, sizeOf func(V) int64, dropped func(V)) *Cache[K, V] {
	entries, _ := simplelru.NewLRU[K, *entry[V]](math.MaxInt, nil) // it fails for a size of 0 only
	return &Cache[K, V]{capacity: capacity, sizeOf: sizeOf, dropped: dropped, entries: entries}
}

// Get returns the value of a key and counts as its use.
func (c *Cache[K, V]) Get(key K) (value V, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries.Get(key)
	if ok {
		value = e.value
	}
	return value, ok
}

// Put stores a value in place of the previous one of its key, and drops the least recently used
// values that no longer fit. The new value stays even if it alone exceeds the capacity: otherwise
// each request would make it again.
func (c *Cache[K, V]) Put(key K, value V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old, ok := c.entries.Peek(key); ok {
		c.entries.Remove(key)
		c.drop(old)
	}
	e := &entry[V]{value: value}
	c.entries.Add(key, e)
	c.measure(e)
}

// Update calls change, with the cache locked, if value is still the one of the key, and measures
// the value again. It does not count as a use.
func (c *Cache[K, V]) Update(key K, value V, change func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.entries.Peek(key); ok && e.value == value {
		change()
		c.measure(e)
	}
}

// Size returns the size of all values, in the unit of sizeOf.
func (c *Cache[K, V]) Size() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.size
}

// Values returns all values, the least recently used first.
func (c *Cache[K, V]) Values() []V {
	c.mu.Lock()
	defer c.mu.Unlock()
	values := make([]V, 0, c.entries.Len())
	for _, e := range c.entries.Values() {
		values = append(values, e.value)
	}
	return values
}

// measure counts the size of an entry, and drops the least recently used ones until it fits. c.mu must
// be held.
func (c *Cache[K, V]) measure(e *entry[V]) {
	size := c.sizeOf(e.value)
	c.size += size - e.size
	e.size = size
	for c.size > c.capacity && c.entries.Len() > 1 {
		_, oldest, _ := c.entries.RemoveOldest()
		c.drop(oldest)
	}
}

// drop accounts for an entry that was removed. c.mu must be held.
func (c *Cache[K, V]) drop(e *entry[V]) {
	c.size -= e.size
	if c.dropped != nil {
		c.dropped(e.value)
	}
}
