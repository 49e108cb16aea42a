package feedserver

import (
	"context"
	"crypto/sha256"
	"hash/maphash"
	"slices"

	"github.com/tidings-press/tidings/feed"
)

// content is what a document shows, in whatever format.
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

// The bodies that are kept: those of 1,000 articles of the usual size. Longer ones
// are sanitized each time.
const (
	maxBodies     = 1000
	maxCachedBody = 32 << 10
)

type bodyKey [sha256.Size]byte

// body is feed.Body. It remembers the results: an article stands in several feeds,
// each feed in three formats, and a change of one article leaves the others as they
// are.
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
	s.bodies.Add(key, body)
	return body
}

// dependencies are hashes of the ids of the articles that a document was made of,
// sorted. Two ids with one hash cost a rendering, but give no wrong document.
type dependencies []uint64

var dependencySeed = maphash.MakeSeed()

func (d dependencies) has(id string) bool {
	_, found := slices.BinarySearch(d, maphash.String(dependencySeed, id))
	return found
}

// memory is how many bytes they take.
func (d dependencies) memory() int64 { return int64(8 * len(d)) }

// tracker is a source that notes every article that it returns: those that a
// document shows, and those around them, which decide where a page of the archive
// ends.
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

// dependencies returns all that were seen so far.
func (t *tracker) dependencies() dependencies {
	slices.Sort(t.seen)
	return slices.Clip(slices.Compact(t.seen))
}
