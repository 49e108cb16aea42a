package lint

import (
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/templates"
)

// TestBuiltInDesignsHaveNoFindings: an editor cannot fix a fault of a built-in design.
func TestBuiltInDesignsHaveNoFindings(t *testing.T) {
	t.Parallel()
	set, err := templates.Load("")
	if err != nil {
		t.Fatal(err)
	}
	date := time.Date(2026, time.November, 27, 8, 0, 0, 0, time.UTC)
	for _, design := range []string{"brief", "digest", "letter", "magazine"} {
		in := digest.Input{
			ID: "5f0c9f3e", Number: 12, Date: date, Next: date.AddDate(0, 0, 7),
			Definition: digest.Definition{Name: "weekly", Title: "The Weekly", Description: "What happened.", Template: design, Feedback: true, Reply: true},
			Site: digest.Site{
				Title: "The Harbour Post", URL: "https://post.example", Postal: "The Harbour Post\n1 Quay Street",
				Brand: config.Brand{Light: config.Colors{Accent: "#1d4e89"}, Person: config.Signer{Name: "Anna Berg", Portrait: &config.Picture{URL: "https://e.example/anna.jpg"}}},
			},
			Edits: digest.Edits{
				Intro: map[string]string{"": "Good *morning*."}, Outro: map[string]string{"": "That is all."},
				Sponsor: &digest.Sponsor{Text: "Ropes that hold.", URL: "https://ropes.example/"}, Sections: map[string]string{"b": "Town", "c": "Town"},
			},
		}
		for _, id := range []string{"a", "b", "c"} {
			in.Articles = append(in.Articles, article.Article{
				ID: id, Slug: id, Title: "Boats " + id, Summary: "They are back on the water.", HTML: "<p>They are back.</p><blockquote><p>All of them.</p></blockquote>", Language: "en",
				Authors: []article.Author{{Name: "Anna Berg", Portrait: "https://e.example/anna.jpg"}}, Image: &article.Image{URL: "https://e.example/boats.jpg", Alt: "Boats", Width: 800, Height: 400},
			})
		}
		v, err := digest.Render(in, digest.Preferences{}, set)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range Check(Edition{Site: in.Site, Articles: in.Articles, Variants: []Variant{{Variant: v}}}) {
			t.Errorf("%s: %s %s: %s", design, f.Severity, f.Name, f.Message)
		}
	}
}
