package admin

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/schedule"
	"github.com/tidings-press/tidings/internal/words"
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

// TestScheduleErrorsAreTranslated: the parser's own errors exist in English only.
func TestScheduleErrorsAreTranslated(t *testing.T) {
	t.Parallel()
	catalogue, err := Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	for spec, want := range map[string][2]string{
		"0 25 * * *":   {`"25" im Feld „Stunde“ liegt außerhalb des Bereichs; verwenden Sie eine Zahl von 0 bis 23`, `"25" dans le champ « heure » est hors limites ; utilisez un nombre de 0 à 23`},
		"0 8 * * 5-1":  {`der Bereich "5-1" im Feld „Wochentag“ endet, bevor er beginnt`, `l’intervalle "5-1" du champ « jour de la semaine » finit avant de commencer`},
		"0 8 L * *":    {`"L" im Feld „Tag des Monats“ ist nicht lesbar`, `"L" dans le champ « jour du mois » est illisible`},
		"*/0 * * * *":  {`die Schrittweite von "*/0" im Feld „Minute“ ist 0`, `le pas de "*/0" dans le champ « minute » est 0`},
		"@fortnightly": {"dieses Wort gibt es für Zeitpläne nicht", "ce mot n’existe pas pour un calendrier"},
		"@every soon":  {"der Abstand ist keine Dauer", "l’intervalle n’est pas une durée"},
		"0 8 *":        {"die Zahl seiner Felder ist 3", "le nombre de ses champs est 3"},
	} {
		_, err := schedule.Parse(spec, "")
		for i, lang := range []string{"de", "fr"} {
			l := catalogue.In(lang)
			// The form shows the error itself, or the problem of the settings, which has its English text.
			for _, got := range []string{l.Translate(words.T("{0}", err)), l.Recognize(err.Error())} {
				if !strings.Contains(got, want[i]) {
					t.Errorf("%s in %s: %s, want %q", spec, lang, got, want[i])
				}
			}
		}
	}
}

func TestHeadingOfSettingsIsNotTheNameOfOne(t *testing.T) {
	t.Parallel()
	for _, section := range slices.Concat(digestSections, siteSections, appearanceSections, feedSections) {
		for _, key := range section.Keys {
			if name := settingTexts[key].Label.String(); name == section.Heading.String() {
				t.Errorf("%q stands above %q", section.Heading, name)
			}
		}
	}
}
