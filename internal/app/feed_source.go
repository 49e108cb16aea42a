package app

import (
	"context"
	"time"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/feedserver"
	"github.com/tidings-press/tidings/internal/store"
)

// FeedSource reads the articles of feeds from the store.
type FeedSource struct {
	store    *store.Store
	editions *editionFeeds
}

// NewFeedSource returns the source of a store. Its feeds of editions are empty; those of a service
// are not.
func NewFeedSource(s *store.Store) *FeedSource { return &FeedSource{store: s} }

// Select implements feedserver.Source.
func (f *FeedSource) Select(ctx context.Context, q feedserver.Query) (feedserver.Found, error) {
	if q.Digest != "" {
		items, err := f.editions.find(ctx, q)
		return feedserver.Found{Items: items}, err
	}
	status, order := article.Published, store.ByAppearance
	if q.Removed {
		status, order = article.Removed, store.ByRemoval
	}
	query := store.Query{
		Filter:     q.Filter,
		Statuses:   []article.Status{status},
		Order:      order,
		Limit:      q.Limit,
		Before:     store.Position{At: q.Before.Appeared, Seq: q.Before.Seq},
		After:      store.Position{At: q.After.Appeared, Seq: q.After.Seq},
		AsOf:       q.AsOf,
		IDs:        q.IDs,
		HTMLBudget: q.MaxHTML,
	}
	if q.MaxHTML == 0 {
		query.HTMLBudget = store.WithoutHTML
	}
	found, err := f.store.Search(ctx, query)
	if err == nil && !q.IDs {
		err = f.choosePictures(ctx, found.Articles)
	}
	items := make([]feed.Item, len(found.Articles))
	translated := make([]*article.Article, 0, len(items))
	for i, a := range found.Articles {
		items[i] = feed.Item{Article: a.Article, Position: positionOf(a.Position)}
		translated = append(translated, &items[i].Article)
	}
	if err == nil && !q.IDs && !q.Removed {
		err = f.store.AddTranslations(ctx, translated)
	}
	return feedserver.Found{Items: items, Until: positionOf(found.Until)}, err
}

// choosePictures gives the images of articles their width and height, and copies in place of those that
// are larger than a screen.
func (f *FeedSource) choosePictures(ctx context.Context, articles []store.StoredArticle) error {
	var names []string
	for i := range articles {
		names = append(names, articles[i].MediaNames()...)
	}
	pictures, _, err := f.store.Pictures(ctx, names)
	if err != nil {
		return err
	}
	for i := range articles {
		a := &articles[i].Article
		a.HTML = pictures.FeedHTML(a.HTML)
		if a.Image != nil {
			if picture, stored := pictures.At(a.Image.URL, ""); stored {
				a.Image = picture.Lead(a.Image)
			}
		}
	}
	return nil
}

func positionOf(p store.Position) feed.Position {
	return feed.Position{Appeared: p.At, Seq: p.Seq}
}

// maxChanges is how many changed articles are reported one by one. After more changes, all
// feeds are checked again.
const maxChanges = 100

// Changed implements feedserver.Source. It reads one row when nothing changed.
func (f *FeedSource) Changed(ctx context.Context, since feedserver.Checkpoint, now time.Time) (feedserver.Change, error) {
	last, err := f.store.LastChange(ctx)
	if err != nil {
		return feedserver.Change{}, err
	}
	change := feedserver.Change{
		Checkpoint: feedserver.Checkpoint{Revision: last.Revision, Due: since.Due}, Departed: last.LastRemoval,
		Settings: feedserver.Settings{Hash: last.Settings, Since: last.SettingsSince},
	}
	moved, appeared := last.Revision != since.Revision, !since.Due.IsZero() && !now.Before(since.Due)
	if moved {
		err = f.moved(ctx, &change, since.Revision)
	}
	if appeared && err == nil {
		err = f.appeared(ctx, &change, since.Due, now)
	}
	if len(change.Articles) > 0 && !change.All && err == nil {
		err = f.translated(ctx, &change)
	}
	if (moved || appeared) && err == nil {
		// Read this last: an article that is counted as known by now may appear later.
		change.Checkpoint.Due, err = f.store.NextAppearance(ctx, now)
	}
	return change, err
}

// moved adds the articles that changed after a revision.
func (f *FeedSource) moved(ctx context.Context, change *feedserver.Change, since int64) error {
	if since == 0 || change.Checkpoint.Revision-since > maxChanges {
		change.All = true
		return nil
	}
	changed, err := f.store.ChangedSince(ctx, since, maxChanges)
	// Each change of an article raises the revision by one, and so do other changes, such as new copies
	// of an image.
	change.All = err == nil && change.Checkpoint.Revision-since > int64(len(changed))
	for _, a := range changed {
		change.Articles = append(change.Articles, a.Article)
		change.Checkpoint.Revision = max(change.Checkpoint.Revision, a.Revision)
	}
	return err
}

// appeared adds the articles whose date has passed.
func (f *FeedSource) appeared(ctx context.Context, change *feedserver.Change, due, now time.Time) error {
	found, err := f.store.Appeared(ctx, due, now, maxChanges+1)
	change.All = change.All || len(found) > maxChanges
	for _, a := range found {
		change.Articles = append(change.Articles, a.Article)
	}
	return err
}

// translated adds the translations of the changed articles, since feeds link them.
func (f *FeedSource) translated(ctx context.Context, change *feedserver.Change) error {
	ids := make([]string, len(change.Articles))
	for i := range change.Articles {
		ids[i] = change.Articles[i].ID
	}
	others, err := f.store.OtherTranslations(ctx, ids, maxChanges+1)
	change.All = change.All || len(others) > maxChanges
	change.Articles = append(change.Articles, others...)
	return err
}

// Spelling implements feedserver.Source.
func (f *FeedSource) Spelling(ctx context.Context, kind feed.Kind, name string) (spelling string, err error) {
	switch kind {
	case feed.ByTag:
		spelling, err = f.store.TagSpelling(ctx, name)
	case feed.ByAuthor:
		spelling, err = f.store.AuthorSpelling(ctx, name)
	case feed.ByLanguage:
		spelling, err = f.store.LanguageSpelling(ctx, name)
	default:
		return "", feedserver.ErrUnknown
	}
	if isNotFound(err) {
		err = feedserver.ErrUnknown
	}
	return spelling, err
}
