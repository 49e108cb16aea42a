// Package feedrules checks feeds in tests: Problems and OPML check documents against their
// specifications. New makes a Source in memory, and Article and HostileArticles return
// articles to put into it.
package feedrules

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/feedserver"
	"github.com/tidings-press/tidings/internal/testkit"
)

// PatientLimits are limits that a server keeps on a busy machine too, for tests that must get the
// newest document.
var PatientLimits = feedserver.Limits{
	Find: testkit.Timeout, Check: testkit.Timeout, Render: testkit.Timeout, WaitNew: testkit.Timeout, WaitFirst: testkit.Timeout,
}

// Source is a feedserver.Source in memory.
type Source struct {
	mu       sync.Mutex
	items    []feed.Item
	changed  map[string]int64
	revision int64
	departed time.Time
	now      func() time.Time

	Selects atomic.Int64 // calls of Select
	Within  atomic.Int64 // how many articles one Select examines at most; 0 for any number
	down    atomic.Bool
}

// errDown is returned by a source that is down.
var errDown = errors.New("the store is down")

// Fail makes the source fail from now on, or work again.
func (s *Source) Fail(down bool) { s.down.Store(down) }

// New returns an empty source that uses the given clock.
func New(now func() time.Time) *Source {
	return &Source{now: now, changed: map[string]int64{}}
}

// Put adds an article or replaces the one with its ID.
func (s *Source) Put(a article.Article) { s.PutAll([]article.Article{a}) }

// PutAll adds or replaces articles.
func (s *Source) PutAll(articles []article.Article) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range articles {
		s.put(a)
	}
	if len(articles) > 1 || len(s.items) < 2 || s.items[len(s.items)-1].Position.Compare(s.items[len(s.items)-2].Position) > 0 {
		slices.SortFunc(s.items, func(a, b feed.Item) int { return b.Position.Compare(a.Position) })
	}
}

func (s *Source) put(a article.Article) {
	s.revision++
	known := s.changed[a.ID] > 0
	s.changed[a.ID] = s.revision
	for i := range s.items {
		if known && s.items[i].Article.ID == a.ID {
			s.items[i].Article, s.departed = a, s.now()
			return
		}
	}
	appeared := a.Ingested
	if a.Published.After(appeared) {
		appeared = a.Published
	}
	position := feed.Position{Appeared: appeared.UnixMilli(), Seq: int64(len(s.items) + 1)}
	s.items = append(s.items, feed.Item{Article: a, Position: position})
}

// Remove marks an article as removed.
func (s *Source) Remove(id string) {
	s.mu.Lock()
	var found article.Article
	for i := range s.items {
		if s.items[i].Article.ID == id {
			found = s.items[i].Article
		}
	}
	s.mu.Unlock()
	found.Status, found.Removed = article.Removed, s.now()
	s.Put(found)
}

// Select implements feedserver.Source.
func (s *Source) Select(_ context.Context, q feedserver.Query) (found feedserver.Found, err error) {
	s.Selects.Add(1)
	if s.down.Load() {
		return found, errDown
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	items := s.items
	if q.Removed {
		items = removals(items)
	}
	examined, out := 0, found.Items
	for i := range items {
		item := &items[i]
		if !q.After.IsZero() {
			item = &items[len(items)-1-i]
		}
		if fits(item, q) {
			out = append(out, *item)
		}
		if len(out) == q.Limit {
			break
		}
		if within := int(s.Within.Load()); within > 0 && inRange(item, q) {
			if examined++; examined == within && i < len(items)-1 {
				found.Until = item.Position
				break
			}
		}
	}
	for i := range out {
		if q.IDs {
			out[i].Article = article.Article{ID: out[i].Article.ID}
		}
	}
	fit(out, q.MaxHTML)
	found.Items = out
	return found, nil
}

// inRange reports whether an item's position is in the range of a query.
func inRange(item *feed.Item, q feedserver.Query) bool {
	return (q.Before.IsZero() || item.Position.Compare(q.Before) < 0) && (q.After.IsZero() || item.Position.Compare(q.After) > 0)
}

// removals returns the removed items, positioned by the time of their removal.
func removals(items []feed.Item) []feed.Item {
	var removed []feed.Item
	for i := range items {
		if items[i].Article.Status == article.Removed {
			item := items[i]
			item.Position.Appeared = item.Article.Removed.UnixMilli()
			removed = append(removed, item)
		}
	}
	slices.SortFunc(removed, func(a, b feed.Item) int { return b.Position.Compare(a.Position) })
	return removed
}

func fits(item *feed.Item, q feedserver.Query) bool {
	a := &item.Article
	switch {
	case (a.Status == article.Removed) != q.Removed, item.Position.Appeared > q.AsOf.UnixMilli():
		return false
	case !q.Before.IsZero() && item.Position.Compare(q.Before) >= 0:
		return false
	case !q.After.IsZero() && item.Position.Compare(q.After) <= 0:
		return false
	}
	return q.Filter.Match(a)
}

// Changed implements feedserver.Source.
func (s *Source) Changed(_ context.Context, since feedserver.Checkpoint, now time.Time) (feedserver.Change, error) {
	if s.down.Load() {
		return feedserver.Change{}, errDown
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	change := feedserver.Change{Checkpoint: feedserver.Checkpoint{Revision: s.revision}, Departed: s.departed}
	for _, item := range s.items {
		due := item.Article.Published
		appeared := !since.Due.IsZero() && !due.Before(since.Due) && !due.After(now)
		if appeared || s.changed[item.Article.ID] > since.Revision {
			change.Articles = append(change.Articles, item.Article)
		}
		if due.After(now) && (change.Checkpoint.Due.IsZero() || due.Before(change.Checkpoint.Due)) {
			change.Checkpoint.Due = due
		}
	}
	return change, nil
}

// Spelling implements feedserver.Source for tags.
func (s *Source) Spelling(_ context.Context, _ feed.Kind, name string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, item := range s.items {
		for _, tag := range item.Article.Tags {
			if article.TagKey(tag) == article.TagKey(name) {
				return tag, nil
			}
		}
	}
	return "", feedserver.ErrUnknown
}

// fit removes the HTML of the largest items until the rest fits into the budget, in bytes. Of items of
// one size, the one that is listed later loses its HTML. The store leaves out the same.
func fit(items []feed.Item, budget int) {
	order := make([]*feed.Item, len(items))
	for i := range items {
		order[i] = &items[i]
	}
	slices.SortFunc(order, func(a, b *feed.Item) int {
		return cmp.Or(cmp.Compare(len(a.Article.HTML), len(b.Article.HTML)), b.Position.Compare(a.Position))
	})
	for _, item := range order {
		if budget -= len(item.Article.HTML); budget < 0 {
			item.Article.HTML = ""
		}
	}
}
