package feedserver_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/feedserver"
	"github.com/tidings-press/tidings/internal/testkit/feedrules"
)

// renderAtom renders a selection as Atom.
func renderAtom(t *testing.T, s feed.Selection) string {
	t.Helper()
	data, err := feed.Atom(feed.Prepare(s))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// tombstones returns the ids of the tombstones in each document of a feed.
func tombstones(t *testing.T, source feedserver.Source, d feed.Definition) (documents [][]string) {
	t.Helper()
	for cursor := ""; ; {
		s, err := feedserver.Load(context.Background(), source, feedrules.Site(), d, cursor, feedrules.Noon.AddDate(1, 0, 0))
		if err != nil {
			t.Fatal(err)
		}
		root, err := feedrules.Parse([]byte(renderAtom(t, s)))
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, stone := range root.All("at:deleted-entry") {
			ids = append(ids, stone.Attributes["ref"])
		}
		documents = append(documents, ids)
		if cursor = s.Page.Older; cursor == "" {
			return documents
		}
	}
}

// sourceWithRemovals returns a source with n articles, of which some were removed afterwards, a
// second apart.
func sourceWithRemovals(n int, remove ...int) *feedrules.Source {
	now := feedrules.Noon
	source := feedrules.New(func() time.Time { now = now.Add(time.Second); return now })
	for i := range n {
		source.Put(feedrules.Article(i))
	}
	for _, i := range remove {
		source.Remove(feedrules.ID(i))
	}
	return source
}

func entryIDs(numbers ...int) (ids []string) {
	for _, n := range numbers {
		ids = append(ids, feed.EntryID(feedrules.ID(n)))
	}
	return ids
}

func TestNewestDocumentHasTombstoneOfEveryRemoval(t *testing.T) {
	t.Parallel()
	got := tombstones(t, sourceWithRemovals(300, 299, 5, 290), feed.Definition{Kind: feed.Everything, Limit: 20})
	if want := entryIDs(290, 5, 299); !slices.Equal(got[0], want) {
		t.Errorf("the newest document has the tombstones %v, want %v, the last removed first", got[0], want)
	}
}

func TestHundredRemovalsHaveTombstones(t *testing.T) {
	t.Parallel()
	var newest []int
	for i := range 100 {
		newest = append(newest, 150+i)
	}
	got := tombstones(t, sourceWithRemovals(250, newest...), feed.Definition{Kind: feed.Everything, Limit: 50})
	slices.Reverse(newest)
	if !slices.Equal(got[0], entryIDs(newest...)) {
		t.Errorf("%d of 100 tombstones", len(got[0]))
	}
}

func TestTombstonesOfDocumentAreBounded(t *testing.T) {
	t.Parallel()
	var remove []int
	for i := range 700 {
		remove = append(remove, i)
	}
	got := tombstones(t, sourceWithRemovals(800, remove...), feed.Definition{Kind: feed.Everything, Limit: 20})
	slices.Reverse(remove)
	if !slices.Equal(got[0], entryIDs(remove[:500]...)) {
		t.Errorf("%d tombstones, want the 500 that were removed last", len(got[0]))
	}
	if all := tombstones(t, sourceWithRemovals(30, remove[680:]...), feed.Definition{Kind: feed.Everything}); len(all[0]) != 20 {
		t.Errorf("%d tombstones in a feed of one page, want 20", len(all[0]))
	}
}

// TestArchiveHasEachTombstoneOnce removes articles while others arrive. A client that reads
// all pages must find each removal in exactly one document.
func TestArchiveHasEachTombstoneOnce(t *testing.T) {
	t.Parallel()
	now := feedrules.Article(0).Published
	source := feedrules.New(func() time.Time { return now })
	want := map[string]bool{}
	for i := range 1000 {
		a := feedrules.Article(i)
		source.Put(a)
		now = a.Published.Add(time.Second)
		if i%10 == 9 {
			gone := i / 2
			source.Remove(feedrules.ID(gone))
			want[feed.EntryID(feedrules.ID(gone))] = true
		}
	}
	d := feed.Definition{Kind: feed.Everything, Limit: 20}
	seen := map[string]int{}
	documents := tombstones(t, source, d)
	for _, ids := range documents {
		if len(ids) > 20 {
			t.Errorf("%d tombstones in one document", len(ids))
		}
		for _, id := range ids {
			seen[id]++
		}
	}
	for id := range want {
		if seen[id] != 1 {
			t.Errorf("the tombstone of %s is in %d documents", id, seen[id])
		}
	}
	if len(seen) != len(want) || len(documents) < 20 {
		t.Errorf("%d tombstones in %d documents, want %d", len(seen), len(documents), len(want))
	}
}

func TestTombstonesOfOtherFeedsAreLeftOut(t *testing.T) {
	t.Parallel()
	source := sourceWithRemovals(40)
	other := feedrules.Article(50)
	other.Tags = []string{"other"}
	source.Put(other)
	source.Remove(other.ID)
	source.Remove(feedrules.ID(3))
	filter, err := feedserver.FilterFor(feed.ByTag, "all")
	if err != nil {
		t.Fatal(err)
	}
	if got := tombstones(t, source, feed.Definition{Kind: feed.ByTag, Name: "all", Filter: filter}); !slices.Equal(got[0], entryIDs(3)) {
		t.Errorf("tombstones %v, want that of article 3", got[0])
	}
}
