package public_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// TestOldAddressDoesNotTellTheSlugOfAnArticleKeptBack: the slug is made of the title.
func TestOldAddressDoesNotTellTheSlugOfAnArticleKeptBack(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		b := setup(t, s)
		now := s.Now()
		put := func(name string, a article.Article) article.Article {
			a.Source, a.Slug, a.Title, a.HTML, a.Hash = name, "the-mayor-resigns-"+name, "The mayor resigns", "<p>x</p>", name+string(a.Status)+a.Published.String()
			if a.Published.IsZero() {
				a.Published = now.Add(-time.Hour)
			}
			a.Updated = a.Published
			change, err := s.PutArticle(t.Context(), &a, []article.Redirect{{From: "/old/" + name}}, nil)
			if err != nil {
				t.Fatal(err)
			}
			a.ID, a.Slug = change.ID, change.Slug
			return a
		}
		put("draft", article.Article{Status: article.Draft})
		put("future", article.Article{Status: article.Published, Published: now.Add(time.Hour)})
		put("unlisted-future", article.Article{Status: article.Unlisted, Published: now.Add(time.Hour)})
		back := put("back", article.Article{Status: article.Published})
		put("open", article.Article{Status: article.Published})
		put("unlisted", article.Article{Status: article.Unlisted})
		removed := put("removed", article.Article{Status: article.Published})
		if err := s.RemoveArticle(t.Context(), removed.ID); err != nil {
			t.Fatal(err)
		}
		put("back", article.Article{ID: back.ID, Status: article.Draft}) // taken back after its publication
		for name, leads := range map[string]bool{"draft": false, "future": false, "unlisted-future": false, "back": false, "open": true, "unlisted": true, "removed": true} {
			w := b.get("/old/" + name)
			if got := w.Header().Get("Location"); leads && (w.Code != http.StatusMovedPermanently || got != "/articles/the-mayor-resigns-"+name) || !leads && (w.Code != http.StatusNotFound || got != "") {
				t.Errorf("%s: %d to %q", name, w.Code, got)
			}
			if !leads && strings.Contains(w.Body.String(), "mayor") {
				t.Errorf("%s: the page tells what is kept back", name)
			}
		}
	})
}
