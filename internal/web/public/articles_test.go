package public_test

import (
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

func TestSampleLinksResolve(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		b := setup(t, s)
		importSamples(t, s)
		link := regexp.MustCompile(`(?:href|src)="(/[^"]*)"`)
		seen, queue := map[string]bool{"/": true}, []string{"/"}
		for len(queue) > 0 {
			path := queue[0]
			queue = queue[1:]
			w := b.get(path)
			if w.Code != http.StatusOK && w.Code != http.StatusMovedPermanently {
				t.Errorf("%s: status %d", path, w.Code)
			}
			if !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
				continue
			}
			for _, m := range link.FindAllStringSubmatch(w.Body.String(), -1) {
				target := strings.ReplaceAll(m[1], "&amp;", "&")
				elsewhere := strings.HasSuffix(target, ".xml") || strings.HasSuffix(target, ".json") || strings.HasPrefix(target, "/assets/") ||
					strings.HasPrefix(target, "/admin") || target == "/favicon.ico" || target == "/apple-touch-icon.png"
				if !seen[target] && !elsewhere {
					seen[target] = true
					queue = append(queue, target)
				}
			}
		}
		if len(seen) < 60 {
			t.Errorf("only %d addresses were found", len(seen))
		}
	})
}

func TestArticlePageHasMetadata(t *testing.T) {
	t.Parallel()
	b := onSQLite(t)
	a := b.put(article.Article{
		Slug: "kharita", Title: "خريطة الآبار", Summary: "ملخص", HTML: "<p>{{.Site}} نص</p>", Language: "ar",
		Authors: []article.Author{{Name: "ليلى"}}, Tags: []string{"C/C++", ".."}, Image: &article.Image{URL: "/media/x.png", Alt: "بئر"},
	})
	w := b.get(a.Path())
	b.want(w, http.StatusOK, `lang="ar"`, `dir="rtl"`, `<link rel="canonical" href="`+siteURL+`/articles/kharita">`, "{{.Site}}",
		`property="og:image" content="`+siteURL+`/media/x.png"`, `"@type":"Article"`, `href="/tags/C%2FC%2B%2B/"`, `href="/tags/~../"`, `type="application/atom&#43;xml"`)
	if got := w.Header().Get("Content-Security-Policy"); !strings.Contains(got, "default-src 'none'") || strings.Contains(got, "script-src") {
		t.Errorf("policy %q", got)
	}
	if len(w.Result().Cookies()) != 0 {
		t.Error("a reader's page sets a cookie")
	}
	r := httptest.NewRequest(http.MethodGet, a.Path(), nil)
	r.Header.Set("If-None-Match", w.Header().Get("ETag"))
	if again := b.do(r); again.Code != http.StatusNotModified || again.Body.Len() != 0 {
		t.Errorf("unchanged page: %d with %d bytes", again.Code, again.Body.Len())
	}
}

func TestHostileArticleTextIsEscaped(t *testing.T) {
	t.Parallel()
	b := onSQLite(t)
	a := b.put(article.Article{Slug: "x", Title: `</title><script>alert(1)</script>`, Summary: `"><script>alert(2)</script>`, HTML: "<p>x</p>", Authors: []article.Author{{Name: `</script><img src=x onerror=y>`}}, Tags: []string{`"><script>`}})
	for _, path := range []string{"/", a.Path(), "/tags/", "/feeds"} {
		w := b.get(path)
		b.want(w, http.StatusOK)
		if body := w.Body.String(); strings.Contains(body, "<script>alert") || strings.Contains(body, "<img src=x") {
			t.Errorf("%s lets markup through:\n%s", path, body)
		}
	}
}

func TestRemovedMovedAndUnknownArticles(t *testing.T) {
	t.Parallel()
	b := onSQLite(t)
	a := b.put(article.Article{Slug: "first", Title: "One", HTML: "<p>1</p>"})
	a.Slug, a.Hash = "second", "changed"
	b.put(a)
	if w := b.get("/articles/first"); w.Code != http.StatusMovedPermanently || w.Header().Get("Location") != "/articles/second" {
		t.Errorf("old address: %d to %q", w.Code, w.Header().Get("Location"))
	}
	if err := b.store.PutRedirects(t.Context(), []article.Redirect{{From: "/blog/old.html", To: "/articles/second"}}); err != nil {
		t.Fatal(err)
	}
	if w := b.get("/blog/old.html"); w.Code != http.StatusMovedPermanently {
		t.Errorf("imported old address: %d", w.Code)
	}
	accented := b.put(article.Article{Source: "accented", Slug: "été à 50%", Title: "Été", HTML: "<p>1</p>"})
	old := accented.Path()
	b.want(b.get(old), http.StatusOK, "Été")
	accented.Slug, accented.Hash = "hiver", "moved"
	b.put(accented)
	if w := b.get(old); w.Code != http.StatusMovedPermanently || w.Header().Get("Location") != "/articles/hiver" {
		t.Errorf("%s: %d to %q", old, w.Code, w.Header().Get("Location"))
	}
	if err := b.store.RemoveArticle(t.Context(), a.ID); err != nil {
		t.Fatal(err)
	}
	b.want(b.get("/articles/second"), http.StatusGone, "removed")
	b.want(b.get("/articles/never"), http.StatusNotFound, "Page not found")
	draft := b.put(article.Article{Slug: "draft", Title: "Secret", HTML: "<p>1</p>", Status: article.Draft})
	b.want(b.get(draft.Path()), http.StatusNotFound)
	unlisted := b.put(article.Article{Slug: "unlisted", Title: "For those who know", HTML: "<p>1</p>", Status: article.Unlisted})
	b.want(b.get(unlisted.Path()), http.StatusOK, "For those who know")
	if robots := b.get(unlisted.Path()).Header().Get("X-Robots-Tag"); robots != "noindex" {
		t.Errorf("search engines may list an unlisted article: %q", robots)
	}
	expired := b.put(article.Article{Slug: "expired", Title: "Offer", HTML: "<p>1</p>", Expires: b.store.Now().Add(-time.Hour)})
	b.want(b.get(expired.Path()), http.StatusNotFound)
	future := b.put(article.Article{Slug: "future", Title: "Tomorrow", HTML: "<p>1</p>", Language: "nl", Tags: []string{"merger"}, Authors: []article.Author{{Name: "Cy"}}, Published: b.store.Now().Add(time.Hour)})
	for _, path := range []string{future.Path(), "/tags/merger/", "/tags/MERGER/", "/authors/Cy/", "/languages/nl/"} {
		b.want(b.get(path), http.StatusNotFound)
	}
	for _, hidden := range []string{"Tomorrow", "For those who know", "Offer", "Secret"} {
		if w := b.get("/"); strings.Contains(w.Body.String(), hidden) {
			t.Errorf("the front page shows %s", hidden)
		}
	}
	b.want(b.post("/articles/second", nil), http.StatusMethodNotAllowed)
}

func TestListPagesReachOldestArticle(t *testing.T) {
	t.Parallel()
	b := onSQLite(t)
	for i := range 45 {
		slug := "a" + string(rune('a'+i/26)) + string(rune('a'+i%26))
		b.put(article.Article{Slug: slug, Title: "T-" + slug, HTML: "<p>x</p>", Tags: []string{"Été"}, Published: b.store.Now().Add(-time.Hour)})
	}
	older := regexp.MustCompile(`href="([^"]+)" rel="next"`)
	card := regexp.MustCompile(`T-a\w\w</a>`)
	for _, start := range []string{"/", "/tags/%C3%89t%C3%A9/"} {
		found, path := map[string]bool{}, start
		for range 5 {
			w := b.get(path)
			b.want(w, http.StatusOK)
			for _, m := range card.FindAllString(w.Body.String(), -1) {
				found[m] = true
			}
			next := older.FindStringSubmatch(w.Body.String())
			if next == nil {
				break
			}
			path = next[1]
		}
		if len(found) != 45 {
			t.Errorf("%s shows %d articles over its pages, want 45", start, len(found))
		}
	}
	if w := b.get("/tags/E%CC%81te%CC%81/"); w.Code != http.StatusMovedPermanently { // the same in NFD
		t.Errorf("another spelling: %d", w.Code)
	}
	b.want(b.get("/?before=nonsense"), http.StatusNotFound)
}

func TestMediaIsImmutable(t *testing.T) {
	t.Parallel()
	b := onSQLite(t)
	a := article.Article{Source: "m", Slug: "m", Title: "m", HTML: "<p>m</p>", Hash: "m", Status: article.Published, Published: b.store.Now()}
	m := article.Medium{Name: strings.Repeat("ab", 32) + ".svg", Type: "image/svg+xml", Data: []byte("<svg xmlns='http://www.w3.org/2000/svg'/>")}
	if _, err := b.store.PutArticle(t.Context(), &a, nil, []article.Medium{m}); err != nil {
		t.Fatal(err)
	}
	w := b.get("/media/" + m.Name)
	b.want(w, http.StatusOK, "<svg")
	if !strings.Contains(w.Header().Get("Cache-Control"), "immutable") || !strings.Contains(w.Header().Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("headers %v", w.Header())
	}
	b.want(b.get("/media/other.png"), http.StatusNotFound)
}

func TestNamesWithSpecialCharactersAreReachable(t *testing.T) {
	t.Parallel()
	b := onSQLite(t)
	for i, tag := range []string{"C/C++", "..", ".", "a b", "~x", "50%", "?#&", "///", "été", "日本"} {
		a := b.put(article.Article{Slug: "s" + string(rune('a'+i)), Title: "About it", HTML: "<p>x</p>", Tags: []string{tag}, Authors: []article.Author{{Name: tag}}})
		for _, path := range []string{feed.TagPath(tag), feed.AuthorPath(tag)} {
			b.want(b.get(path), http.StatusOK, a.Path(), `<link rel="canonical" href="`+siteURL+path+`">`)
			if w := b.get(strings.TrimSuffix(path, "/")); w.Code != http.StatusMovedPermanently || w.Header().Get("Location") != path {
				t.Errorf("%s without its slash: %d to %q", path, w.Code, w.Header().Get("Location"))
			}
		}
	}
	b.want(b.get("/tags/unknown/"), http.StatusNotFound)
}
