package feedserver

import (
	"context"
	"hash/maphash"
	"slices"

	"github.com/tidings-press/tidings/feed"
)

// members are hashes of the ids of articles, sorted. That two ids share one costs a
// rendering, not a wrong document.
type members []uint64

var memberSeed = maphash.MakeSeed()

func (m members) has(id string) bool {
	_, found := slices.BinarySearch(m, maphash.String(memberSeed, id))
	return found
}

// witness is a source that notes every article that it gives: those that a document
// shows, and those around them, which decide where a page of the archive ends.
type witness struct {
	feed.Source
	seen members
}

// Select implements feed.Source.
func (w *witness) Select(ctx context.Context, q feed.Query) (feed.Found, error) {
	found, err := w.Source.Select(ctx, q)
	for i := range found.Items {
		w.seen = append(w.seen, maphash.String(memberSeed, found.Items[i].Article.ID))
	}
	return found, err
}

// members are all that were given so far.
func (w *witness) members() members {
	slices.Sort(w.seen)
	return slices.Clip(slices.Compact(w.seen))
}
