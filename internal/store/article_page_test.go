package store_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

func TestArchiveIsCompleteWhileArticlesAreAdded(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const before = 120
		for i := range before {
			put(t, s, newArticle(fmt.Sprintf("old%03d", i), func(a *article.Article) {
				a.Published = a.Published.Add(time.Duration(i%7) * time.Hour) // many share a date
			}))
		}
		stop := make(chan struct{})
		var writer sync.WaitGroup
		writer.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
					_, err := s.PutArticle(context.WithoutCancel(t.Context()), newArticle(fmt.Sprintf("new%d", i)), nil, nil)
					if err != nil {
						t.Error(err)
						return
					}
				}
			}
		})
		for _, q := range []store.Query{{}, {Filter: filter(t, "news")}, {Filter: filter(t, "news OR author:ada")}, {Filter: filter(t, "text:text")}, {Oldest: true}} {
			seen := map[string]int{}
			q.Limit = 7
			for {
				page, err := s.Articles(t.Context(), q)
				if err != nil {
					t.Fatal(err)
				}
				for _, a := range page {
					seen[a.Source]++
				}
				if len(page) < q.Limit || q.Oldest && strings.HasPrefix(page[len(page)-1].Source, "new") {
					break
				}
				last := page[len(page)-1].Position
				if q.Oldest {
					q.After = last
				} else {
					q.Before = last
				}
			}
			for i := range before {
				if n := seen[fmt.Sprintf("old%03d", i)]; n != 1 {
					t.Errorf("%s: old%03d was seen %d times", q.Filter, i, n)
				}
			}
		}
		close(stop)
		writer.Wait()
	})
}

func TestOrdersByDateAndByAppearance(t *testing.T) {
	t.Parallel()
	clock := newClock()
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			s := storetest.Open(t, engine, store.Options{Clock: clock.now})
			dated := func(source string, at time.Time) {
				put(t, s, newArticle(source, func(a *article.Article) { a.Published, a.Updated = at, at }))
			}
			dated("second", clock.now().Add(-24*time.Hour))
			dated("backdated", clock.now().Add(-1000*24*time.Hour))
			dated("future", clock.now().Add(24*time.Hour))
			for _, c := range []struct {
				query store.Query
				want  string
			}{
				{store.Query{}, "future backdated second"},
				{store.Query{AsOf: clock.now()}, "backdated second"},
				{store.Query{AsOf: clock.now(), Order: store.ByDate}, "second backdated"},
				{store.Query{AsOf: clock.now(), Order: store.ByDate, Filter: filter(t, "news")}, "second backdated"},
				{store.Query{AsOf: clock.now().Add(25 * time.Hour), Oldest: true}, "second backdated future"},
			} {
				got, err := s.Articles(t.Context(), c.query)
				if err != nil || sources(got) != c.want {
					t.Errorf("%+v: %q, %v; want %q", c.query, sources(got), err, c.want)
				}
			}
			due, err := s.NextAppearance(t.Context(), clock.now())
			if want := clock.now().Add(24 * time.Hour); err != nil || due.Before(want.Add(-time.Minute)) || due.After(want) {
				t.Errorf("the next appearance is %v, %v; want %v", due, err, want)
			}
		})
	}
}

// clock is a clock that advances by a millisecond each time it is read.
type clock struct{ at atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.at.Store(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli())
	return c
}

func (c *clock) advance(d time.Duration) { c.at.Add(d.Milliseconds()) }

func (c *clock) now() time.Time { return time.UnixMilli(c.at.Add(1)) }

func TestDraftAppearsWhenItIsPublished(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		put(t, s, newArticle("draft", func(a *article.Article) { a.Status = article.Draft }))
		put(t, s, newArticle("other"))
		if got, err := s.Articles(t.Context(), store.Query{}); sources(got) != "other" || err != nil {
			t.Errorf("with a draft: %q, %v", sources(got), err)
		}
		time.Sleep(2 * time.Millisecond) // the next millisecond
		put(t, s, newArticle("draft"))
		if got, err := s.Articles(t.Context(), store.Query{Filter: filter(t, "news")}); sources(got) != "draft other" || err != nil {
			t.Errorf("published: %q, %v; want it first", sources(got), err)
		}
	})
}

func TestChangesAreFoundByRevision(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		put(t, s, newArticle("a"))
		start, err := s.Revision(ctx)
		if err != nil {
			t.Fatal(err)
		}
		id := put(t, s, newArticle("b")).ID
		put(t, s, newArticle("a", func(a *article.Article) { a.Title = "Changed" }))
		if err := s.RemoveArticle(ctx, id); err != nil {
			t.Fatal(err)
		}
		changed, err := s.ChangedSince(ctx, start, 10)
		end, _ := s.Revision(ctx)
		if err != nil || sources(changed) != "a b" || changed[1].Status != article.Removed || changed[1].Revision != end {
			t.Errorf("changed since %d: %q, %v; now at %d", start, sources(changed), err, end)
		}
		if one, err := s.ChangedSince(ctx, start, 1); sources(one) != "a" || err != nil {
			t.Errorf("limited to one: %q, %v", sources(one), err)
		}
	})
}

func TestLabelsAreCountedAndSpelled(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		tagged := func(source, tag, language string) string {
			return put(t, s, newArticle(source, func(a *article.Article) {
				a.Tags, a.Language = []string{tag, tag}, language
			})).ID
		}
		tagged("a", "Été", "en-GB")
		time.Sleep(2 * time.Millisecond) // the next millisecond
		tagged("b", "ÉTÉ", "en")
		gone := tagged("c", "only", "fr")
		if err := s.RemoveArticle(ctx, gone); err != nil {
			t.Fatal(err)
		}
		tags, err := s.Tags(ctx)
		if len(tags) != 1 || tags[0].Key != "été" || tags[0].Articles != 2 || err != nil {
			t.Errorf("tags %+v, %v", tags, err)
		}
		languages, err := s.Languages(ctx)
		if got := fmt.Sprint(languages); got != "[{en en 2} {en-gb en-GB 1}]" || err != nil {
			t.Errorf("languages %s, %v", got, err)
		}
		authors, err := s.Authors(ctx)
		if got := fmt.Sprint(authors); got != "[{ada Ada 2}]" || err != nil {
			t.Errorf("authors %s, %v", got, err)
		}
		if name, err := s.TagSpelling(ctx, "été"); name != "Été" || err != nil {
			t.Errorf("spelled %q, %v; want as the first article has it", name, err)
		}
		if name, err := s.TagSpelling(ctx, "only"); name != "only" || err != nil {
			t.Errorf("a tag that only a removed article had: %q, %v", name, err)
		}
		if _, err := s.TagSpelling(ctx, "never"); err == nil {
			t.Error("a tag that never existed has a spelling")
		}
	})
}

func TestMediaAreStoredOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		m := article.Medium{Name: "abc.png", Type: "image/png", Data: []byte{1, 0, 2}, Width: 3, Height: 4}
		for i := range 2 {
			if _, err := s.PutArticle(t.Context(), newArticle(fmt.Sprint("m", i)), nil, []article.Medium{m}); err != nil {
				t.Fatal(err)
			}
		}
		got, err := s.Medium(t.Context(), "abc.png")
		if err != nil || !slices.Equal(got.Data, m.Data) || got.Type != m.Type || got.Width != 3 {
			t.Errorf("%+v, %v", got, err)
		}
		if _, err := s.Medium(t.Context(), "none"); err == nil {
			t.Error("a medium that was not stored was found")
		}
		again, err := s.PutArticle(t.Context(), newArticle("m0"), nil, []article.Medium{{Name: "late.png", Data: []byte("x")}})
		if err != nil || again.Outcome != store.Unchanged {
			t.Errorf("%+v, %v", again, err)
		}
		if _, err := s.Medium(t.Context(), "late.png"); err != nil {
			t.Errorf("a medium that is added to an unchanged article: %v", err)
		}
	})
}
