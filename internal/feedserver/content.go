package feedserver

import (
	"context"
	"crypto/sha256"
	"hash/maphash"
	"slices"

	"github.com/tidings-press/tidings/feed"
)

// content is the content of a document, for all formats.
type content struct {
	selection    feed.Selection
	prepared     *feed.Prepared
	dependencies dependencies
}

// load reads and prepares the content of a target.
func (s *Server) load(ctx context.Context, t target) (content, error) {
	source := &tracker{Source: s.options.Source}
	selection, err := Load(ctx, source, s.options.Site, t.definition, t.cursor, s.asOf())
	if err != nil {
		return content{}, err
	}
	return content{selection, feed.PrepareWith(selection, s.body), source.dependencies()}, nil
}

// Limits of the cache of bodies in bytes: 1,000 articles of the usual size. Longer bodies are
// sanitized each time.
const (
	maxBodies     = 8 << 20
	maxCachedBody = 32 << 10
	bodyOverhead  = 256 // of the key and the entry
)

type bodyKey [sha256.Size]byte

// body is feed.Body with a cache: an article is in several feeds, and each feed has three
// formats.
func (s *Server) body(source, site, page string) string {
	if len(source) > maxCachedBody {
		return feed.Body(source, site, page)
	}
	hash := sha256.New()
	hash.Write([]byte(site + "\x00" + page + "\x00" + source))
	key := bodyKey(hash.Sum(nil))
	if body, ok := s.bodies.Get(key); ok {
		return body
	}
	body := feed.Body(source, site, page)
	s.bodies.Put(key, body)
	return body
}

// dependencies are the sorted hashes of the ids of the articles that a document was made
// from. A collision of two hashes causes a needless rendering, never a wrong document.
type dependencies []uint64

var dependencySeed = maphash.MakeSeed()

func (d dependencies) has(id string) bool {
	_, found := slices.BinarySearch(d, maphash.String(dependencySeed, id))
	return found
}

// memory returns the size in bytes.
func (d dependencies) memory() int64 { return int64(8 * len(d)) }

// tracker is a source that records the ids of all articles that it returns: those in the
// document, and those around it that decide where an archive page ends.
type tracker struct {
	Source
	seen dependencies
}

// Select implements Source.
func (t *tracker) Select(ctx context.Context, q Query) (Found, error) {
	found, err := t.Source.Select(ctx, q)
	for i := range found.Items {
		t.seen = append(t.seen, maphash.String(dependencySeed, found.Items[i].Article.ID))
	}
	return found, err
}

// dependencies returns the hashes of all articles that were returned so far.
func (t *tracker) dependencies() dependencies {
	slices.Sort(t.seen)
	return slices.Clip(slices.Compact(t.seen))
}
