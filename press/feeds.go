package press

import (
	"context"
	"sync"
	"time"

	"github.com/tidings-press/tidings/article"
	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/store"
)

// FeedSource gives the feeds their articles from the store.
type FeedSource struct {
	store *store.Store

	mu  sync.Mutex
	due time.Time // when the next article with a future date appears
}

// NewFeedSource returns the source of a store.
func NewFeedSource(s *store.Store) *FeedSource { return &FeedSource{store: s} }

// Select implements feed.Source.
func (f *FeedSource) Select(ctx context.Context, q feed.Query) ([]feed.Item, error) {
	if q.Digest != "" {
		return f.editions(ctx, q)
	}
	status, order := article.Published, store.ByAppearance
	if q.Removed {
		status, order = article.Removed, store.ByRemoval
	}
	found, err := f.store.Articles(ctx, store.Query{
		Filter:   q.Filter,
		Statuses: []article.Status{status},
		Order:    order,
		Limit:    q.Limit,
		Before:   store.Position{At: q.Before.Appeared, Seq: q.Before.Seq},
		After:    store.Position{At: q.After.Appeared, Seq: q.After.Seq},
		AsOf:     q.AsOf,
	})
	items := make([]feed.Item, len(found))
	for i, a := range found {
		items[i] = feed.Item{Article: a.Article, Position: feed.Position{Appeared: a.Position.At, Seq: a.Position.Seq}}
	}
	return items, err
}

// mostChanges is how many changed articles are told one by one; after more, all
// feeds are looked at anew.
const mostChanges = 100

// Changed implements feed.Source. It reads one row when nothing changed.
func (f *FeedSource) Changed(ctx context.Context, since int64) (feed.Change, error) {
	revision, departed, err := f.store.LastChange(ctx)
	if err != nil {
		return feed.Change{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	change := feed.Change{Revision: revision, Departed: departed, Due: f.due}
	now := f.store.Now()
	passed := !f.due.IsZero() && !now.Before(f.due)
	if revision == since && !passed {
		return change, nil
	}
	if f.due, err = f.store.NextAppearance(ctx, now); err != nil {
		return change, err
	}
	change.Due = f.due
	if revision == since || since == 0 || revision-since > mostChanges {
		change.All = revision != since
		return change, nil
	}
	changed, err := f.store.ChangedSince(ctx, since, mostChanges)
	if err != nil {
		return change, err
	}
	for _, a := range changed {
		change.Articles = append(change.Articles, a.Article)
		change.Revision = max(change.Revision, a.Revision)
	}
	return change, nil
}

// Spelling implements feed.Source.
func (f *FeedSource) Spelling(ctx context.Context, kind feed.Kind, name string) (spelling string, err error) {
	switch kind {
	case feed.ByTag:
		spelling, err = f.store.TagSpelling(ctx, name)
	case feed.ByAuthor:
		spelling, err = f.store.AuthorSpelling(ctx, name)
	case feed.ByLanguage:
		spelling, err = f.store.LanguageSpelling(ctx, name)
	default:
		return "", feed.ErrUnknown
	}
	if isNotFound(err) {
		err = feed.ErrUnknown
	}
	return spelling, err
}
