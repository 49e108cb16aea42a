package app_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/feedrules"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// TestAtomLinksTranslationsAsSoonAsTheyAreThere reads the feed of one language, which does not
// hold the translations, on the node that stores them and on another one.
func TestAtomLinksTranslationsAsSoonAsTheyAreThere(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		day := s.Now().Add(-24 * time.Hour)
		ids := putArticles(t, s, article.Article{Source: "a", Slug: "tide", Title: "Tide", HTML: "<p>x</p>", Language: "en", Translation: "k", Status: article.Published, Published: day, Updated: day})
		server := feedServer(s)
		const path = "/languages/en/atom.xml"
		if code, body := fetch(t, server, path); code != 200 || strings.Contains(body, "hreflang") {
			t.Fatalf("status %d: %s", code, body)
		}
		french := putArticles(t, s, article.Article{Source: "b", Slug: "maree", Title: "Marée", HTML: "<p>x</p>", Language: "fr", Translation: "k", Status: article.Published, Published: day, Updated: day})
		server.Changed()
		_, body := fetch(t, server, path)
		if want := `<link href="` + feedrules.Site().URL + `/articles/maree" rel="alternate" type="text/html" hreflang="fr"></link>`; !strings.Contains(body, want) {
			t.Errorf("there is no %s in %s", want, body)
		}
		if _, other := fetch(t, feedServer(s), path); other != body {
			t.Error("another node gives other bytes")
		}
		if problems := feedrules.Problems(feed.FormatAtom, []byte(body)); len(problems) > 0 {
			t.Error(problems)
		}
		if err := s.RemoveArticle(t.Context(), french[0]); err != nil {
			t.Fatal(err)
		}
		server.Changed()
		if _, body := fetch(t, server, path); strings.Contains(body, "hreflang") {
			t.Errorf("a removed translation of %s is still linked", ids[0])
		}
	})
}
