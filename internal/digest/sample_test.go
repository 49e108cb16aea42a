package digest

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/templates"
)

var testTime = time.Date(2026, time.November, 27, 8, 0, 0, 0, time.UTC)

// builtIn returns the built-in templates, loaded once for all tests.
func builtIn(tb testing.TB) *templates.Set {
	tb.Helper()
	set, err := loadOnce()
	if err != nil {
		tb.Fatal(err)
	}
	return set
}

var loadOnce = sync.OnceValues(func() (*templates.Set, error) { return templates.Load("") })

func sampleSite() Site {
	return Site{
		Title: "The Harbour Post", URL: "https://post.example", Language: "en",
		Icon: "/media/icon.png", Postal: "The Harbour Post\n1 Quay Street, Port Sample",
	}
}

// sampleInput returns an input with articles in four languages, with and without picture and
// summary.
func sampleInput() Input {
	return Input{
		ID:         "5f0c9f3e-7d0b-4a55-9a44-0d5b1a1f2c33",
		Definition: Definition{Name: "weekly", Title: "The Weekly", Description: "What we wrote this week.", Language: "en", Timezone: "Europe/Paris"},
		Number:     12, Site: sampleSite(), Date: testTime,
		Articles: []article.Article{
			{
				ID: "a1", Slug: "harbour", Title: "The harbour after the storm", Language: "en", Tags: []string{"Sea", "Town"},
				Summary: "Three days after the worst wind in forty years the boats are back on the water.",
				Authors: []article.Author{{Name: "Anna Berg"}, {Name: "Ben Okoye"}}, Published: testTime.AddDate(0, 0, -1),
				HTML:  `<p>The boats are <a href="/articles/boats">back</a>.</p>`,
				Image: &article.Image{URL: "/media/harbour.jpg", Alt: "Boats at dawn", Width: 1200, Height: 630},
			},
			{
				ID: "a2", Slug: "haftar", Title: "En quête d’une reconnaissance", Language: "fr", Tags: []string{"Politics"},
				Summary: "Le maréchal a été reçu à Rome.", Authors: []article.Author{{Name: "La rédaction"}}, Published: testTime.AddDate(0, 0, -2),
				HTML: `<p>Le maréchal a été reçu à Rome.</p>`, URL: "https://elsewhere.example/haftar",
			},
			{
				ID: "a3", Slug: "mina", Title: "الميناء بعد العاصفة", Language: "ar", Tags: []string{"sea"},
				Summary: "عادت القوارب إلى الماء.", Authors: []article.Author{{Name: "ليلى منصور"}}, Published: testTime.AddDate(0, 0, -3),
				HTML: `<p>عادت القوارب إلى الماء.</p>`, Image: &article.Image{URL: "/media/mina.jpg", Width: 300, Height: 200},
			},
			{ID: "a4", Slug: "minato", Title: "嵐のあとの港", Language: "ja", Published: testTime.AddDate(0, 0, -4), HTML: `<p>船は海に戻った。</p>`},
		},
	}
}

// manyArticles returns an input with n articles.
func manyArticles(n int) Input {
	in := sampleInput()
	in.Articles = nil
	for i := range n {
		in.Articles = append(in.Articles, article.Article{
			ID: fmt.Sprintf("c%04d", i), Slug: fmt.Sprintf("crowd-%d", i), Title: fmt.Sprintf("Number %d of a crowded week", i),
			Summary: "A summary of the usual length, which says in a sentence or two what the article is about.", Language: "en",
			Authors: []article.Author{{Name: "Anna Berg"}}, Published: testTime.Add(-time.Duration(i) * time.Minute), HTML: "<p>Text.</p>",
			Image: &article.Image{URL: "/media/crowd.jpg", Width: 800, Height: 400},
		})
	}
	return in
}

// mustRender renders with the built-in templates.
// textOf returns the text of a JSON object of strings by language.
func textOf(tb testing.TB, languages string) (text config.Text) {
	tb.Helper()
	if err := json.Unmarshal([]byte(languages), &text); err != nil {
		tb.Fatal(err)
	}
	return text
}

func mustRender(tb testing.TB, in Input, prefs Preferences) Variant {
	tb.Helper()
	v, err := Render(in, prefs, builtIn(tb))
	if err != nil {
		tb.Fatal(err)
	}
	return v
}
