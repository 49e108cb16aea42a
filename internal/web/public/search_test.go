package public_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

func TestSearchHasPageAndFeed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		b := setup(t, s)
		for i := range 45 {
			b.put(article.Article{Slug: fmt.Sprintf("gulls-%d", i), Title: fmt.Sprintf("Gulls, part %d", i), Tags: []string{"birds"}, HTML: "<p>About gulls.</p>"})
		}
		b.put(article.Article{Slug: "jobs", Title: "Feed the gulls", Tags: []string{"birds", "jobs"}, HTML: "<p>A job.</p>"})
		b.put(article.Article{Slug: "other", Title: "Something else", HTML: "<p>About owls.</p>"})
		for question, want := range map[string]int{"/search?q=gulls": 46, "/search?q=about+GULLS": 45, "/search?q=nothing": 0, "/filter?match=birds+AND+NOT+jobs": 45, "/filter?match=jobs": 1} {
			seen := map[string]bool{}
			address, pages := question, 0
			for ; address != "" && pages < 9; pages++ {
				w := b.get(address)
				b.want(w, http.StatusOK, `<meta name="robots" content="noindex">`, `rel="alternate" type="application/rss&#43;xml"`)
				if w.Header().Get("X-Robots-Tag") != "noindex" {
					t.Errorf("%s may be indexed", address)
				}
				for _, m := range regexp.MustCompile(`<h2[^>]*><a href="(/articles/[^"]*)"`).FindAllStringSubmatch(w.Body.String(), -1) {
					seen[m[1]] = true
				}
				address = ""
				if next := regexp.MustCompile(`href="([^"]*)" rel="next`).FindStringSubmatch(w.Body.String()); next != nil {
					address = strings.ReplaceAll(next[1], "&amp;", "&")
				}
			}
			if len(seen) != want || pages != max((want+19)/20, 1) {
				t.Errorf("%s finds %d articles on %d pages, want %d", question, len(seen), pages, want)
			}
		}
		b.want(b.get("/search?q=gulls&before=1.1"), http.StatusOK, `href="/search?q=gulls" rel="prev nofollow"`, "No articles found.")
		b.want(b.get("/search"), http.StatusOK, `action="/search" role="search"`, `name="q"`)
		b.want(b.get("/filter"), http.StatusOK, `<form action="/filter"`, `name="match"`)
		b.want(b.get("/tags/"), http.StatusOK, `action="/search" role="search"`)
	})
}

func TestInvalidQueriesAreExplained(t *testing.T) {
	t.Parallel()
	b := onSQLite(t)
	for address, want := range map[string]string{
		"/search?q=" + strings.Repeat("x", 501):                       "at most 500 characters",
		"/search?q=" + url.QueryEscape(strings.Repeat("a word ", 11)): "too many words",
		"/filter?match=golang+AND":                                    "a tag is expected at the end",
		"/search?q=%20":                                               "has no query",
	} {
		b.want(b.get(address), http.StatusUnprocessableEntity, want, `class="problem"`)
	}
	if w := b.get("/search?q=%3Cscript%3Ealert(1)%3C/script%3E%22%27&before=x"); w.Code != http.StatusNotFound {
		t.Errorf("a position that is none: %d", w.Code)
	}
	if w := b.get("/search?q=%3Cscript%3Ealert(1)%3C/script%3E%22%27"); w.Code != http.StatusOK || strings.Contains(w.Body.String(), "<script>") {
		t.Errorf("%d:\n%s", w.Code, w.Body)
	}
}

func TestSearchesFromOneNetworkAreLimited(t *testing.T) {
	t.Parallel()
	b := onSQLite(t)
	refused := 0
	for range 60 {
		if w := b.get("/search?q=gulls"); w.Code == http.StatusTooManyRequests && w.Header().Get("Retry-After") != "" {
			refused++
		}
	}
	if refused < 20 {
		t.Errorf("%d of 60 searches at once were refused, want about half", refused)
	}
	b.want(b.get("/tags/"), http.StatusOK)
	b.want(b.get("/robots.txt"), http.StatusOK, "Disallow: /search?\n", "Disallow: /filter?\n")
}

func TestSearchRanksMarksAndCounts(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		b := setup(t, s)
		day := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
		put := func(slug, title, html string, age int) {
			b.put(article.Article{Slug: slug, Title: title, HTML: html, Published: day.AddDate(0, 0, -age)})
		}
		put("text-new", "News", "<p>At dawn the <b>ferry</b> left the harbour.</p>", 1)
		put("text-old", "Older news", "<p>The ferry and the harbour.</p>", 2)
		put("one-word", "A ferry at night", "<p>In the harbour.</p>", 3)
		put("title-new", "The Ferry and its Harbour", "<p>Words.</p>", 4)
		put("title-old", "Harbour ferry", "<p>Words.</p>", 5)
		put("half", "Ferrying", "<p>A ferry.</p>", 0) // not both words
		w := b.get("/search?q=ferry+HARBOUR")
		b.want(w, http.StatusOK, "Articles found: 5", `The <mark>Ferry</mark> and its <mark>Harbour</mark></a>`,
			`At dawn the <mark>ferry</mark> left the <mark>harbour</mark>.`, `id="find" name="q" value="ferry HARBOUR"`)
		var got []string
		for _, m := range regexp.MustCompile(`<h2[^>]*><a href="/articles/([^"]*)"`).FindAllStringSubmatch(w.Body.String(), -1) {
			got = append(got, m[1])
		}
		if want := "title-new title-old one-word text-new text-old"; strings.Join(got, " ") != want {
			t.Errorf("found %s, want %s", strings.Join(got, " "), want)
		}
		b.want(b.get("/search?q=ferry&page=2"), http.StatusOK, "No articles found.")
		b.want(b.get("/search?q=ferry&page=0"), http.StatusNotFound)
	})
}
