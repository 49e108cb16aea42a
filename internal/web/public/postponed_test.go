package public_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/article"
)

// TestPostponedArticleIsNotNamedByItsEdition: an editor who gives a sent article a later date takes it back
// until then. The subject of the edition may be its title.
func TestPostponedArticleIsNotNamedByItsEdition(t *testing.T) {
	t.Parallel()
	b := onSQLite(t)
	early := b.put(article.Article{Slug: "early", Title: "A scandal too early", HTML: "<p>x</p>"})
	kept := b.put(article.Article{Slug: "kept", Title: "A kept story", HTML: "<p>y</p>"})
	b.edition("weekly", 1, "The Week: A scandal too early", true, early, kept)
	b.want(b.get("/digests/weekly/1-the-week-a-scandal-too-early/"), http.StatusOK, "A scandal too early")
	early.Published, early.Hash = b.store.Now().Add(24*time.Hour), "postponed"
	b.put(early)
	if w := b.get("/digests/weekly/1-the-week-a-scandal-too-early/"); w.Code != http.StatusMovedPermanently || w.Header().Get("Location") != "/digests/weekly/1/" {
		t.Errorf("%d to %q", w.Code, w.Header().Get("Location"))
	}
	page := b.get("/digests/weekly/1/")
	b.want(page, http.StatusOK, "A kept story", "The Week, No. 1")
	for name, body := range map[string]string{"edition": page.Body.String(), "list": b.get("/digests/weekly/").Body.String(), "search": b.get("/digests/weekly/?q=scandal").Body.String(), "sitemap": b.get("/sitemap.xml").Body.String()} {
		if name == "search" {
			body = strings.ReplaceAll(body, `value="scandal"`, "")
		}
		if strings.Contains(body, "scandal") {
			t.Errorf("%s names it", name)
		}
	}
	early.Published, early.Hash = b.store.Now().Add(-time.Minute), "published again"
	b.put(early)
	b.want(b.get("/digests/weekly/1-the-week-a-scandal-too-early/"), http.StatusOK, "A scandal too early")
}
