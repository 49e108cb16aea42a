package article_test

import (
	"testing"

	"github.com/tidings-press/tidings/internal/article"
)

func TestBodyForMakesLinksAbsolute(t *testing.T) {
	t.Parallel()
	a := &article.Article{Slug: "été", HTML: `<p>="/text, /x &#34;<a href="/a?b=1&amp;c">x</a><img srcset="https://c.example/1 1x, /2 2x" alt="/no"/><br/></p>`}
	want := `<p>="/text, /x &#34;<a href="https://press.example/a?b=1&amp;c">x</a><img srcset="https://c.example/1 1x, https://press.example/2 2x" alt="/no"/><br/></p>`
	if got := a.BodyFor("https://press.example/"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	plain := &article.Article{HTML: `<p><a href="https://a.example/">x</a></p>`}
	if got := plain.BodyFor("https://press.example"); got != plain.HTML {
		t.Error(got)
	}
	if got := a.URLFor("https://press.example/"); got != "https://press.example/articles/%C3%A9t%C3%A9" {
		t.Error(got)
	}
	a.URL = "https://blog.example/x"
	if got := a.URLFor("https://press.example"); got != a.URL {
		t.Error(got)
	}
}
