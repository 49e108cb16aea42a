package public_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

func TestArticleLeadsToNeighboursAndRelated(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		b := setup(t, s)
		day := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
		put := func(slug string, at time.Time, status article.Status, tags ...string) article.Article {
			return b.put(article.Article{Slug: slug, Title: "About " + slug, HTML: "<p>x</p>", Language: "en", Tags: tags, Published: at, Status: status})
		}
		first := put("first", day, article.Published, "Sea", "Boats")
		middle := put("middle", day, article.Published, "sea", "boats") // the same date: the order is that of the import
		put("hidden", day.Add(time.Minute), article.Draft, "sea")
		last := put("last", day.Add(time.Hour), article.Published, "sea")
		put("future", s.Now().Add(time.Hour), article.Published, "sea", "boats")
		other := put("other", day.Add(-time.Hour), article.Published, "hills")

		page := b.get(middle.Path()).Body.String()
		for _, link := range []string{
			`<a rel="prev" href="` + first.Path() + `">`, `<a rel="next" href="` + last.Path() + `">`,
			`<form method="post" action="/subscribe"`, `name="website"`, // the field that programs fill in
		} {
			if !strings.Contains(page, link) {
				t.Errorf("the page lacks %s\n%s", link, page)
			}
		}
		related := regexp.MustCompile(`<li><a href="([^"]+)" lang="en"`).FindAllStringSubmatch(page, -1)
		if len(related) != 2 || related[0][1] != first.Path() || related[1][1] != last.Path() {
			t.Errorf("related are %v, want the one with both tags, then the one with one", related)
		}
		if page := b.get(other.Path()).Body.String(); strings.Contains(page, `rel="prev"`) || !strings.Contains(page, `rel="next" href="`+first.Path()) || strings.Contains(page, `id="related"`) {
			t.Errorf("the oldest article, without related ones:\n%s", page)
		}
		if page := b.get(last.Path()).Body.String(); strings.Contains(page, `rel="next"`) {
			t.Error("an article of the future is the next one")
		}
	})
}

func TestTopicsHaveSizesCountsAndFilter(t *testing.T) {
	t.Parallel()
	b := onSQLite(t)
	for i := range 12 {
		tags := []string{"Harbour"}
		if i == 0 {
			tags = append(tags, "Rare harbour", "Été")
		}
		b.put(article.Article{Slug: fmt.Sprint("a", i), Title: "x", HTML: "<p>x</p>", Tags: tags})
	}
	b.want(b.get("/tags/"), http.StatusOK, `<a class="w5" href="/tags/Harbour/"><bdi>Harbour</bdi></a> <span class="count">12</span>`,
		`<a class="w1" href="/tags/Rare%20harbour/">`, `data-filter=".cloud li"`, `src="/assets/`)
	w := b.get("/tags/?find=%C3%89T%C3%89")
	b.want(w, http.StatusOK, "Été", `<meta name="robots" content="noindex">`)
	if strings.Contains(w.Body.String(), "/tags/Harbour/") {
		t.Error("the filter shows a topic without the text")
	}
	b.want(b.get("/tags/?find=nothing"), http.StatusOK, "No topic has this in its name.")
	if policy := b.get("/tags/").Header().Get("Content-Security-Policy"); !strings.Contains(policy, "script-src 'self'") {
		t.Errorf("policy %q", policy)
	}
}

func TestFeedInBrowserShowsItsArticles(t *testing.T) {
	t.Parallel()
	b := onSQLite(t)
	in := b.put(article.Article{Slug: "in", Title: "In the feed", HTML: "<p>x</p>", Tags: []string{"sea"}})
	out := b.put(article.Article{Slug: "out", Title: "Elsewhere", HTML: "<p>x</p>", Tags: []string{"hills"}})
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "/tags/sea/feed.xml", nil)
	b.pages.FeedPage(w, r, feed.Definition{Kind: feed.ByTag, Name: "sea", Filter: article.Filter{Expr: article.Tag{Key: "sea"}}, Home: "/tags/sea/"})
	b.want(w, http.StatusOK, `<a href="`+in.Path()+`">In the feed</a>`, `data-copy="`+siteURL+`/tags/sea/feed.xml"`, `<meta name="robots" content="noindex">`, `href="/tags/sea/"`)
	if strings.Contains(w.Body.String(), out.Title) {
		t.Error("the page shows an article that is not in the feed")
	}
}
