package digest

import (
	"fmt"
	"testing"
	"time"

	"github.com/tidings-press/tidings/article"
	"github.com/tidings-press/tidings/templates"
)

func TestRenderX(t *testing.T) {
	set, err := templates.Load("")
	if err != nil {
		t.Fatal(err)
	}
	in := Issue{ID: "e1", Definition: Definition{Name: "weekly", Title: "The Weekly"}, Number: 3, Site: Site{Title: "Post", URL: "https://example.org", Language: "en"}, Now: time.Unix(1700000000, 0)}
	for i := range 1000 {
		in.Articles = append(in.Articles, article.Article{ID: fmt.Sprint(i), Slug: fmt.Sprint("a", i), Title: fmt.Sprint("Title ", i), Summary: "Some summary text that is long enough to be a summary.", Published: time.Unix(1700000000, 0)})
	}
	for _, n := range []int{1, 10, 50, 1000} {
		x := in
		x.Articles = in.Articles[:n]
		at := time.Now()
		v, err := Render(x, Preferences{}, set)
		t.Log(n, time.Since(at), len(v.HTML), len(v.Text), len(v.Page), v.Shown, v.Warnings, v.Subject, err)
	}
}
