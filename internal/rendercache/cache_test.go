package rendercache

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

func TestDroppedDocumentIsStaleAndHasNoAddress(t *testing.T) {
	t.Parallel()
	c := NewCache[*Document](8 << 10)
	old := New("/a", []byte(strings.Repeat("a", 5000)), nil, 0)
	c.Put(old)
	c.Link("/a", old)
	c.Link("/a?page=1", old)
	c.Put(New("/b", []byte(strings.Repeat("b", 5000)), nil, 0))
	for _, address := range []string{"/a", "/a?page=1"} {
		if _, ok := c.ByAddress(address); ok {
			t.Errorf("%s leads to a document that was dropped", address)
		}
	}
	c.Link("/a", old)
	if _, ok := c.ByAddress("/a"); ok || !old.Stale() {
		t.Error("a dropped document got an address, or is not stale")
	}
}

func TestCompressedFormsCount(t *testing.T) {
	t.Parallel()
	c := NewCache[*Document](1 << 20)
	d := New("/a", []byte(strings.Repeat("word ", 2000)), nil, 0)
	c.Put(d)
	other := New("/b", []byte("b"), nil, 0)
	c.Put(other)
	before := d.Size()
	for _, coding := range []string{"gzip", "br", "zstd"} {
		r := httptest.NewRequest(http.MethodGet, "/a", nil)
		r.Header.Set("Accept-Encoding", coding)
		c.Answer(httptest.NewRecorder(), r, d, false)
	}
	if d.Size() <= before {
		t.Errorf("%d bytes before and %d after compression", before, d.Size())
	}
	c.Put(New("/c", make([]byte, 1<<20-int(before)-int(other.Size())-overhead), nil, 0))
	if _, ok := c.ByKey("/a"); ok {
		t.Error("the compressed forms were not counted: all three documents are kept")
	}
}

func TestAddressesLeadToKeptDocumentsUnderConcurrency(t *testing.T) {
	t.Parallel()
	c := NewCache[*Document](40 << 10)
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for i := range 300 {
				key := fmt.Sprint("/", (i*7+worker)%30)
				d := New(key, make([]byte, 100*(i%20)), nil, 0)
				c.Put(d)
				c.Link(key, d)
				c.ByAddress(fmt.Sprint("/", i%30))
			}
		})
	}
	all.Wait()
	kept := map[*Document]bool{}
	for _, d := range c.All() {
		kept[d] = true
	}
	for i := range 30 {
		if d, ok := c.ByAddress(fmt.Sprint("/", i)); ok && !kept[d] {
			t.Errorf("/%d leads to a document that is not in the cache", i)
		}
	}
}

func BenchmarkByAddress(b *testing.B) {
	c := NewCache[*Document](1 << 20)
	d := New("/feed.xml", []byte("feed"), nil, 0)
	c.Put(d)
	c.Link("/feed.xml", d)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			c.ByAddress("/feed.xml")
		}
	})
}
