package admin

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/config"
)

// wrongSettings has a problem in each way in which a setting of the admin can be wrong.
const wrongSettings = `
site: {title: " ", url: "https://news.example.org", language: xx-yy-zz1, timezone: Mars/Base, editor: nonsense}
brand:
  light: {accent: red, ink: "#aaaaaa", background: "#fff"}
  heading_font: "a;b"
  imprint: nowhere
  logo: {url: /logo.svg, width: 99999}
mail: {owner: "x@"}
digests:
- {name: Weekly, title: A, sender: "", schedule: "61 * * * *", min_articles: 9, max_articles: 5, order: newst, status: off, after: -1h, approval: three}
- {name: daily, title: B, sender: "News <news@example.org>", schedule: "0 8 * * *", draft_before: 30s, filter: {match: "NOT ("}}
- {name: daily, title: C, sender: "News <news@example.org>", schedule: "0 8 * * *", draft_before: 48h, subject: "a\u0001b"}
feeds:
- {name: go, limit: 5000, content: all}
`

func TestProblemsOfSettingsAreTranslated(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, []byte(wrongSettings), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := config.Load(file)
	var problems config.Problems
	if !errors.As(err, &problems) || len(problems) < 20 {
		t.Fatalf("%d problems: %v", len(problems), err)
	}
	catalogue, err := Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	for _, lang := range []string{"fr", "de"} {
		for _, p := range problems {
			for part := range strings.SplitSeq(catalogue.In(lang).Translate(p.Text()), "; ") {
				if part == p.What || part == p.Fix {
					t.Errorf("%s: %s stays in English: %q", lang, p.Key, part)
				}
			}
		}
	}
}
