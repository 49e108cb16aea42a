package delivery_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// TestArticleIsSentAfterItsWaitingPeriod checks that an article waits for as long as the digest's setting
// requires, counted from its import or from its own date if that is later.
func TestArticleIsSentAfterItsWaitingPeriod(t *testing.T) {
	t.Parallel()
	for _, kind := range storetest.Engines {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			b, c := weekly(t, kind)
			const day = 24 * time.Hour
			b.options.Digests[0].After = 2 * day
			b.newEngine()
			b.addDatedArticle("today", c.Now())
			b.addDatedArticle("yesterday", c.Now().Add(-day)) // it was imported today too
			b.addDatedArticle("tomorrow", c.Now().Add(day))
			b.wantChosen(delivery.PreviewOptions{}, "nothing new: every article that fits has been here for less time than the digest's setting “after” requires")
			b.wantBacklog(delivery.Backlog{TooNew: 2})
			c.advance(2*day - time.Minute)
			b.wantBacklog(delivery.Backlog{TooNew: 3})
			c.advance(time.Minute)
			b.wantChosen(delivery.PreviewOptions{}, "today yesterday")
			b.wantBacklog(delivery.Backlog{Waiting: 2, Next: 2, TooNew: 1})
			c.advance(day)
			b.wantChosen(delivery.PreviewOptions{}, "tomorrow today yesterday")
		})
	}
}

// TestArticleInItsWaitingPeriodCanBeMarkedAsSeen checks that mark-seen includes articles whose waiting period has
// not ended.
func TestArticleInItsWaitingPeriodCanBeMarkedAsSeen(t *testing.T) {
	t.Parallel()
	b, c := weekly(t, store.SQLite)
	b.options.Digests[0].After = time.Hour
	b.newEngine()
	b.addDatedArticle("unripe", c.Now())
	if n, err := b.engine.MarkSeen(t.Context(), "weekly", c.Now().Add(time.Second)); n != 1 || err != nil {
		t.Errorf("marked %d articles, %v", n, err)
	}
	b.wantBacklog(delivery.Backlog{Seen: 1})
}

// TestEvergreenArticleIsSentOnce checks that an article that was sent is not sent again, whatever
// happens to its date, its text and its status, and however often it is imported.
func TestEvergreenArticleIsSentOnce(t *testing.T) {
	t.Parallel()
	for _, kind := range storetest.Engines {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			b, c := weekly(t, kind)
			id := b.addDatedArticle("evergreen", c.Now())
			if _, err := b.engine.SendNow(t.Context(), "weekly", "ann"); err != nil {
				t.Fatal(err)
			}
			for year := range 3 {
				c.advance(365 * 24 * time.Hour)
				a, err := b.store.Article(t.Context(), id)
				if err != nil {
					t.Fatal(err)
				}
				a.Published, a.Updated, a.Title, a.Hash = c.Now(), c.Now(), a.Title+" again", strings.Repeat("h", year+1)
				for _, status := range []article.Status{article.Draft, article.Published} {
					a.Status, a.Hash = status, a.Hash+string(status)
					if kept, err := b.store.PutArticle(t.Context(), &a, nil, nil); err != nil || kept.ID != id {
						t.Fatal(kept, err)
					}
				}
				b.wantChosen(delivery.PreviewOptions{}, "nothing new: every article that fits has been in an edition")
			}
		})
	}
}
