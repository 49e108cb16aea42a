package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/schedule"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/sink"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// addDatedArticle stores an article with the given date.
func (b *env) addDatedArticle(slug string, published time.Time) string {
	b.t.Helper()
	a := &article.Article{
		Source: "test:" + slug, Slug: slug, Title: "About " + slug, HTML: "<p>About " + slug + ".</p>",
		Language: "en", Published: published, Updated: published, Status: article.Published, Hash: slug,
	}
	kept, err := b.store.PutArticle(b.t.Context(), a, nil, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return kept.ID
}

// weekly makes an engine with a weekly digest on a store whose clock the test sets. The clock
// starts at Wednesday 25 November 2026.
func weekly(t *testing.T, kind store.Engine) (*env, *clock) {
	t.Helper()
	c := &clock{}
	c.now.Store(time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC).UnixMilli())
	b := setup(t, kind, sink.Options{})
	b.store = storetest.Open(t, kind, store.Options{Clock: c.Now})
	b.options.Store = b.store
	friday, err := schedule.Parse("0 8 * * 5", "Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	b.options.Digests[0].Timezone = "Europe/Paris"
	b.options.Digests[0].Schedule, b.options.Digests[0].Max, b.options.Digests[0].Automatic = friday, 3, false
	b.newEngine()
	return b, c
}

// newEngine makes an engine and leaves the digest's beginning where it is.
func (b *env) newEngine() {
	b.t.Helper()
	engine, err := delivery.New(b.t.Context(), b.options)
	if err != nil {
		b.t.Fatal(err)
	}
	b.engine = engine
}

// nextArticles returns the slugs of the articles in the next edition.
func (b *env) nextArticles(shown delivery.PreviewOptions) string {
	b.t.Helper()
	p, err := b.engine.Preview(b.t.Context(), "weekly", shown)
	if err != nil {
		return err.Error()
	}
	found, err := b.store.ArticlesByID(b.t.Context(), p.Articles)
	if err != nil {
		b.t.Fatal(err)
	}
	names := make([]string, len(found))
	for i := range found {
		names[i] = found[i].Slug
	}
	return strings.Join(names, " ")
}

func (b *env) wantChosen(shown delivery.PreviewOptions, want string) {
	b.t.Helper()
	if got := b.nextArticles(shown); got != want {
		b.t.Errorf("%+v: the next edition holds %q, want %q", shown, got, want)
	}
}

func (b *env) wantBacklog(want delivery.Backlog) {
	b.t.Helper()
	got, err := b.engine.Backlog(b.t.Context(), "weekly", time.Time{})
	got.Since = time.Time{}
	if want.Max = 3; got != want || err != nil {
		b.t.Errorf("backlog %+v, %v; want %+v", got, err, want)
	}
}

// TestOldArticlesAreLeftOutUnlessRequested covers articles that are imported before the engine
// first runs, and after.
func TestOldArticlesAreLeftOutUnlessRequested(t *testing.T) {
	t.Parallel()
	for _, kind := range storetest.Engines {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			b, c := weekly(t, kind)
			for year := range 15 {
				b.addDatedArticle(fmt.Sprint("archive", 2011+year), time.Date(2011+year, 5, 1, 0, 0, 0, 0, time.UTC))
			}
			b.wantChosen(delivery.PreviewOptions{}, "nothing new: every article that fits has a date before 20 November 2026, the start date of this digest")
			b.addDatedArticle("tuesday", c.Now().AddDate(0, 0, -1))
			b.addDatedArticle("friday", time.Date(2026, 11, 19, 23, 30, 0, 0, time.UTC)) // in Paris, the day of the last tick
			b.wantChosen(delivery.PreviewOptions{}, "tuesday friday")
			b.wantBacklog(delivery.Backlog{Waiting: 2, Next: 2, Earlier: 15})
			b.wantChosen(delivery.PreviewOptions{Since: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)}, "tuesday friday archive2025")
			b.wantBacklog(delivery.Backlog{Waiting: 2, Next: 2, Earlier: 15}) // a preview changes nothing
			// The first edition begins the digest: articles that are imported later are late, not
			// old.
			if _, err := b.engine.Draft(b.t.Context(), "weekly", delivery.SendOptions{By: "ann"}); err != nil {
				t.Fatal(err)
			}
			c.advance(time.Millisecond)
			b.wantChosen(delivery.PreviewOptions{}, "nothing new: of the articles that fit, 2 have a place in a draft that awaits approval; 15 have a date before 20 November 2026, the start date of this digest")
			b.addDatedArticle("backdated", time.Date(2015, 7, 1, 0, 0, 0, 0, time.UTC))
			b.wantChosen(delivery.PreviewOptions{}, "backdated")
			b.wantBacklog(delivery.Backlog{Waiting: 1, Next: 1, Earlier: 15, Drafted: 2})
		})
	}
}

// TestLateArticleIsPickedUpAfterEmptyFirstTick checks that a first tick without articles begins the
// digest too.
func TestLateArticleIsPickedUpAfterEmptyFirstTick(t *testing.T) {
	t.Parallel()
	b, c := weekly(t, store.SQLite)
	b.addDatedArticle("archive", time.Date(2011, 5, 1, 0, 0, 0, 0, time.UTC))
	c.advance(3 * 24 * time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.engine.Run(ctx) }()
	b.eventually("the first tick", func() bool {
		ticks, err := b.store.Ticks(t.Context(), "weekly", 1)
		return err == nil && len(ticks) == 1 && strings.Contains(ticks[0].Reason, "every article that fits has a date before 20 November 2026")
	})
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	c.advance(time.Millisecond)
	b.addDatedArticle("backdated", time.Date(2015, 7, 1, 0, 0, 0, 0, time.UTC))
	b.wantChosen(delivery.PreviewOptions{}, "backdated")
}

// TestNewestArticlesAreChosenAndOthersStayQueued also checks that an editor can mark the queue as
// seen.
func TestNewestArticlesAreChosenAndOthersStayQueued(t *testing.T) {
	t.Parallel()
	b, c := weekly(t, store.SQLite)
	ctx := t.Context()
	for i := range 8 { // the oldest are imported last
		b.addDatedArticle(fmt.Sprint("day", i), c.Now().AddDate(0, 0, -i))
		c.advance(time.Millisecond)
	}
	if err := b.engine.SetBeginning(ctx, "weekly", time.Time{}); err != nil {
		t.Fatal(err)
	}
	b.wantChosen(delivery.PreviewOptions{}, "day0 day1 day2")
	b.wantBacklog(delivery.Backlog{Waiting: 8, Next: 3})
	if backlog, _ := b.engine.Backlog(ctx, "weekly", time.Time{}); backlog.Queued() != 5 || backlog.Editions() != 2 {
		t.Errorf("%d articles stay queued for %d editions", backlog.Queued(), backlog.Editions())
	}
	b.options.Digests[0].Oldest = true
	b.newEngine()
	b.wantChosen(delivery.PreviewOptions{}, "day0 day1 day2") // they were imported first
	b.options.Digests[0].Oldest = false
	b.newEngine()
	if _, err := b.engine.Draft(ctx, "weekly", delivery.SendOptions{By: "ann"}); err != nil {
		t.Fatal(err)
	}
	b.wantChosen(delivery.PreviewOptions{}, "day3 day4 day5")
	before := c.Now().Add(-4*24*time.Hour - time.Hour)
	if n, err := b.engine.MarkSeen(ctx, "weekly", before); n != 3 || err != nil {
		t.Errorf("marked %d, %v", n, err)
	}
	b.wantChosen(delivery.PreviewOptions{}, "day3 day4")
	b.wantBacklog(delivery.Backlog{Waiting: 2, Next: 2, Seen: 3, Drafted: 3})
	if n, err := b.engine.MarkUnseen(ctx, "weekly", time.Time{}); n != 3 || err != nil {
		t.Errorf("%d articles returned to the queue, %v", n, err)
	}
	b.wantChosen(delivery.PreviewOptions{}, "day3 day4 day5")
}

// TestMovedBeginningAppliesToStoredArticles checks that the queue shrinks or grows by the articles'
// own dates, and that late articles are still picked up.
func TestMovedBeginningAppliesToStoredArticles(t *testing.T) {
	t.Parallel()
	b, c := weekly(t, store.SQLite)
	b.addArticle("first")
	if _, err := b.engine.Draft(t.Context(), "weekly", delivery.SendOptions{By: "ann"}); err != nil {
		t.Fatal(err)
	}
	c.advance(time.Millisecond)
	for i := range 4 {
		b.addDatedArticle(fmt.Sprint("archive", i), time.Date(2020+i, 5, 1, 0, 0, 0, 0, time.UTC))
	}
	b.wantBacklog(delivery.Backlog{Waiting: 4, Next: 3, Drafted: 1})
	since := time.Date(2022, 1, 1, 0, 0, 0, 0, time.UTC)
	e, err := b.engine.Send(t.Context(), "weekly", delivery.SendOptions{By: "ann", Since: since})
	if err != nil || len(e.Articles) != 2 {
		t.Fatalf("%d articles, %v", len(e.Articles), err)
	}
	b.wantBacklog(delivery.Backlog{Earlier: 2, Drafted: 1, Sent: 2})
	c.advance(time.Minute)
	b.addDatedArticle("late", time.Date(2011, 5, 1, 0, 0, 0, 0, time.UTC))
	b.wantChosen(delivery.PreviewOptions{}, "late")
}

// TestPreviewShowsSampleBeforeFirstEdition also checks that the preview is called a sample.
func TestPreviewShowsSampleBeforeFirstEdition(t *testing.T) {
	t.Parallel()
	b, _ := weekly(t, store.SQLite)
	if _, err := b.engine.Preview(t.Context(), "weekly", delivery.PreviewOptions{Sample: true}); !errors.Is(err, delivery.ErrNothingNew) || !strings.Contains(err.Error(), "no published article fits this digest yet") {
		t.Errorf("an empty store gives %v", err)
	}
	for i := range 5 {
		b.addDatedArticle(fmt.Sprint("archive", i), time.Date(2020+i, 5, 1, 0, 0, 0, 0, time.UTC))
	}
	b.wantChosen(delivery.PreviewOptions{Sample: true}, "archive4 archive3 archive2")
	p, err := b.engine.Preview(t.Context(), "weekly", delivery.PreviewOptions{Sample: true})
	if err != nil || !strings.Contains(p.Sample, "the start date of this digest") {
		t.Errorf("the reason for the sample is %q, %v", p.Sample, err)
	}
	if _, err := b.engine.Send(t.Context(), "weekly", delivery.SendOptions{By: "ann"}); !errors.Is(err, delivery.ErrNothingNew) {
		t.Errorf("a sample was sent: %v", err)
	}
}
