package store_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// newArticle returns an article as an import makes it.
func newArticle(source string, change ...func(a *article.Article)) *article.Article {
	a := &article.Article{
		Source: source, Slug: source, Title: "On " + source, Summary: "A summary.", HTML: "<p>Some text.</p>", Language: "en",
		Tags: []string{"news"}, Authors: []article.Author{{Name: "Ada"}}, Status: article.Published,
		Published: time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC), Updated: time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC),
	}
	for _, f := range change {
		f(a)
	}
	a.Hash = fmt.Sprintf("%+v", *a)
	return a
}

func put(t *testing.T, s *store.Store, a *article.Article) store.Change {
	t.Helper()
	change, err := s.PutArticle(t.Context(), a, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return change
}

func TestStoredArticleIsReadBackUnchanged(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		in := newArticle("whole", func(a *article.Article) {
			a.URL = "https://example.org/whole"
			a.Title = "Ünïcode “quotes” & <b>"
			a.Language = "pt-BR"
			a.Authors = []article.Author{{Name: "Ada", Email: "ada@example.org", URL: "https://ada.example"}}
			a.Image = &article.Image{URL: "/media/x.png", Alt: "x", Type: "image/png", Bytes: 12, Width: 3, Height: 4}
			a.Enclosure = []article.Enclosure{{URL: "https://e/x.mp3", Type: "audio/mpeg", Bytes: 9, Duration: time.Minute}}
			a.Episode = &article.Episode{Number: 3, Kind: article.Trailer, Persons: []article.Person{{Name: "Ann"}}}
			a.Weight = -7
			a.Origin = &article.Origin{Title: "Elsewhere", URL: "https://elsewhere.example"}
			a.Published = time.Date(1969, 2, 3, 4, 5, 6, 7e6, time.UTC)
		})
		change := put(t, s, in)
		got, err := s.Article(t.Context(), change.ID)
		if err != nil {
			t.Fatal(err)
		}
		want := *in
		want.ID, want.Ingested = change.ID, got.Ingested
		if fmt.Sprintf("%+v", got) == fmt.Sprintf("%+v", want) || got.Image == nil || *got.Image != *want.Image || *got.Origin != *want.Origin || !reflect.DeepEqual(got.Episode, want.Episode) {
			t.Errorf("got %+v\nwant %+v", got, want)
		}
		got.Image, want.Image, got.Origin, want.Origin, got.Episode, want.Episode = nil, nil, nil, nil, nil, nil
		if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
		if got.Ingested.IsZero() {
			t.Error("the article has no time of import")
		}
	})
}

func TestReimportUpdatesOnlyChangedArticles(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		first := put(t, s, newArticle("a"))
		before, _ := s.Revision(t.Context())
		again := put(t, s, newArticle("a"))
		after, _ := s.Revision(t.Context())
		if first.Outcome != store.Created || again.Outcome != store.Unchanged || again.ID != first.ID || before != after {
			t.Errorf("first %+v, again %+v, revision %d then %d", first, again, before, after)
		}
		changed := put(t, s, newArticle("a", func(a *article.Article) { a.Title = "New" }))
		if changed.Outcome != store.Updated || changed.ID != first.ID || changed.Slug != first.Slug {
			t.Errorf("changed: %+v, want %+v updated", changed, first)
		}
		got, err := s.Article(t.Context(), first.ID)
		if err != nil || got.Title != "New" || !got.Updated.After(got.Published) {
			t.Errorf("after the update: %q updated %v, %v", got.Title, got.Updated, err)
		}
	})
}

func TestConcurrentImportsOfOneSourceMakeOneArticle(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var made sync.Map
		concurrently(t, 8, func(ctx context.Context, i int) error {
			change, err := s.PutArticle(ctx, newArticle("same", func(a *article.Article) { a.Title = fmt.Sprint(i) }), nil, nil)
			made.Store(change.ID, true)
			return err
		})
		ids := 0
		made.Range(func(_, _ any) bool { ids++; return true })
		if n, err := s.CountPublished(t.Context()); ids != 1 || n != 1 || err != nil {
			t.Errorf("%d ids, %d articles, %v; want one of each", ids, n, err)
		}
	})
}

func TestSlugsAreUniqueUnderConcurrency(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var slugs sync.Map
		concurrently(t, 8, func(ctx context.Context, i int) error {
			change, err := s.PutArticle(ctx, newArticle(fmt.Sprintf("s%d", i), func(a *article.Article) { a.Slug = "wanted" }), nil, nil)
			if _, twice := slugs.LoadOrStore(change.Slug, i); twice {
				return fmt.Errorf("slug %s was assigned twice", change.Slug)
			}
			return err
		})
	})
}

// concurrently runs fn n times at once and fails the test on the first error.
func concurrently(t *testing.T, n int, fn func(ctx context.Context, i int) error) {
	t.Helper()
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			if err := fn(t.Context(), i); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestMovedArticleRedirectsFromEachOldAddress(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		for _, slug := range []string{"one", "zwei drei", "été", "one"} {
			change := put(t, s, newArticle("moving", func(a *article.Article) { a.Slug = slug }))
			if change.Slug != slug {
				t.Fatalf("slug %q, want %q", change.Slug, slug)
			}
		}
		for _, path := range []string{"/articles/zwei%20drei", "/articles/zwei drei", "/articles/%C3%A9t%C3%A9"} {
			if got, err := s.Redirect(ctx, path); got != "/articles/one" || err != nil {
				t.Errorf("%s leads to %q, %v; want /articles/one", path, got, err)
			}
		}
		if got, err := s.Redirect(ctx, "/articles/one"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the page itself redirects to %q, %v", got, err)
		}
		other := put(t, s, newArticle("other", func(a *article.Article) { a.Slug = "été" }))
		if other.Slug != "été-2" {
			t.Errorf("another article got the slug %q, which was the first one's address", other.Slug)
		}
	})
}

func TestRedirectsOfAnImportAreFollowedToTheEnd(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		err := s.PutRedirects(ctx, []article.Redirect{
			{From: "/old", To: "/older"}, {From: "/older", To: "/articles/page"}, {From: "/out", To: "https://example.org/x"},
			{From: "/ring", To: "/gnir"}, {From: "/gnir", To: "/ring"}, {From: "/self", To: "/self"},
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.PutRedirects(ctx, []article.Redirect{{From: "/articles/page", To: "/elsewhere"}}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.PutArticle(ctx, newArticle("page"), []article.Redirect{{From: "/blog/page.html"}}, nil); err != nil { // the article takes the path of a redirect
			t.Fatal(err)
		}
		for path, want := range map[string]string{"/old": "/articles/page", "/out": "https://example.org/x", "/ring": "", "/self": "", "/none": "", "/articles/page": "", "/blog/page.html": "/articles/page"} {
			got, err := s.Redirect(ctx, path)
			if got != want || (want == "") != errors.Is(err, store.ErrNotFound) {
				t.Errorf("%s leads to %q, %v; want %q", path, got, err, want)
			}
		}
	})
}

func TestRemovedArticleStaysRemovedUntilItsContentChanges(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		id := put(t, s, newArticle("gone")).ID
		if err := s.RemoveArticle(ctx, id); err != nil {
			t.Fatal(err)
		}
		if list, err := s.Articles(ctx, store.Query{Filter: filter(t, "news")}); len(list) != 0 || err != nil {
			t.Errorf("a removed article is listed: %v, %v", list, err)
		}
		if again := put(t, s, newArticle("gone")); again.Outcome != store.Unchanged || !again.Removed {
			t.Errorf("same content again: %+v", again)
		}
		stones, err := s.Articles(ctx, store.Query{Statuses: []article.Status{article.Removed}, Order: store.ByRemoval})
		if len(stones) != 1 || err != nil || stones[0].Removed.IsZero() {
			t.Errorf("tombstones: %v, %v", stones, err)
		}
		put(t, s, newArticle("gone", func(a *article.Article) { a.Title = "Back" }))
		if got, err := s.Article(ctx, id); got.Status != article.Published || !got.Removed.IsZero() || err != nil {
			t.Errorf("new content: %s removed %v, %v", got.Status, got.Removed, err)
		}
		if err := s.RemoveArticle(ctx, "none"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("removing an unknown article: %v", err)
		}
	})
}

func filter(t *testing.T, expr string) article.Filter {
	t.Helper()
	f, err := article.ParseFilter(expr)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func sources(all []store.StoredArticle) string {
	var out []string
	for _, a := range all {
		out = append(out, a.Source)
	}
	return strings.Join(out, " ")
}

func TestFiltersSelectWhatTheyMatch(t *testing.T) {
	t.Parallel()
	exprs := []string{
		"", "*", "golang", "NOT golang", "golang AND jobs", "golang AND NOT jobs", "golang OR jobs", "NOT (golang OR jobs)",
		"author:ada", "author:ADA AND lang:en", "lang:en", "lang:en-GB", "NOT lang:en", "text:apples", `text:"green apples"`,
		`text:"apples green"`, "text:apples AND golang", "text:nothing", "text:日本", "golang AND (jobs OR NOT lang:fr) AND NOT text:green",
		"été", `"C/C++"`, "golang AND NOT golang", "* AND NOT *",
		"(a OR b) AND (c OR d) AND (e OR f) AND (g OR h) AND (golang OR k) AND (jobs OR l)",           // too large to multiply out
		"(golang OR jobs" + many(" OR a", 12) + ") AND (lang:en OR text:red" + many(" OR b", 5) + ")", // one side of it is not
		"NOT ((golang AND jobs" + many(" AND a", 12) + ") OR (lang:en AND text:red" + many(" AND b", 5) + "))",
		"(golang OR jobs" + many(" OR a", 70) + ") AND lang:en AND (text:red OR text:green)", // none is small enough
	}
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		pieces := putSampleArticles(t, s)
		for _, expr := range exprs {
			f := filter(t, expr)
			var want []string
			for _, a := range slices.Backward(pieces) {
				if f.Match(a) {
					want = append(want, a.Source)
				}
			}
			got, err := s.Articles(t.Context(), store.Query{Filter: f})
			if err != nil || sources(got) != strings.Join(want, " ") {
				t.Errorf("%q selects %q, %v; want %q", expr, sources(got), err, strings.Join(want, " "))
			}
		}
	})
}

// many repeats a part of an expression with a number after it.
func many(part string, n int) string {
	var out strings.Builder
	for i := range n {
		fmt.Fprint(&out, part, i)
	}
	return out.String()
}

// putSampleArticles stores articles of many kinds, each a millisecond apart, and returns them in
// the order of their appearance.
func putSampleArticles(t *testing.T, s *store.Store) []*article.Article {
	var pieces []*article.Article
	tags := [][]string{nil, {"golang"}, {"jobs"}, {"Golang", "jobs"}, {"été"}, {"C/C++", "golang"}}
	bodies := []string{"<p>red apples</p>", "<p>green <b>apples</b></p>", "<p>日本語の記事</p>"}
	for i := range 24 {
		pieces = append(pieces, newArticle(fmt.Sprintf("z%02d", i), func(a *article.Article) {
			a.Tags = tags[i%len(tags)]
			a.HTML = bodies[i%len(bodies)]
			a.Language = []string{"en", "en-GB", "fr", ""}[i%4]
			a.Authors = []article.Author{{Name: []string{"Ada", "Grace"}[i%2]}}
		}))
	}
	for _, a := range pieces {
		put(t, s, a)
	}
	return pieces
}
