package public_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/article"
)

func TestArticlePageLinksItsTranslations(t *testing.T) {
	t.Parallel()
	b := onSQLite(t)
	tide := b.put(article.Article{Slug: "tide", Title: "Tide", HTML: "<p>x</p>", Language: "en", Translation: "k"})
	b.put(article.Article{Slug: "maree", Title: "Marée", HTML: "<p>x</p>", Language: "fr", Translation: "k"})
	alone := b.put(article.Article{Slug: "alone", Title: "Alone", HTML: "<p>x</p>", Language: "en"})
	b.want(b.get(tide.Path()), http.StatusOK, `<a href="/articles/maree" hreflang="fr" lang="fr" rel="alternate"><bdi>français</bdi></a>`,
		`<link rel="alternate" hreflang="fr" href="`+siteURL+`/articles/maree">`, `<link rel="alternate" hreflang="en" href="`+siteURL+`/articles/tide">`)
	if got := b.get(alone.Path()).Body.String(); strings.Contains(got, "hreflang") {
		t.Error("an article without translations has links to some")
	}
}
