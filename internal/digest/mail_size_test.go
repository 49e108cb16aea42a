package digest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/templates"
)

func TestMailsStayUnderGmailLimit(t *testing.T) {
	t.Parallel()
	set := builtIn(t)
	for _, tmpl := range designs {
		for _, n := range []int{1, 20, 45, 60, 200, 1000} {
			in := manyArticles(n)
			in.Definition.Template = tmpl
			v, err := Render(in, Preferences{}, set)
			if err != nil {
				t.Fatal(err)
			}
			if len(v.HTML) > MaxBytes-placeholderBytes {
				t.Errorf("%s with %d articles has %d bytes", tmpl, n, len(v.HTML))
			}
			if len(v.Articles) != n || v.Shown < 1 || v.Shown > n {
				t.Errorf("%s with %d articles contains %d and shows %d", tmpl, n, len(v.Articles), v.Shown)
			}
			checkCut(t, fmt.Sprintf("%s with %d", tmpl, n), v)
		}
	}
}

func checkCut(t *testing.T, name string, v Variant) {
	t.Helper()
	total := len(v.Articles)
	if cut := v.Shown < total; cut != strings.Contains(v.HTML, "More on the web") || cut && len(v.Warnings) == 0 {
		t.Errorf("%s: shown %d of %d, warnings %q", name, v.Shown, total, v.Warnings)
	}
	if left := total - v.Shown - maxTitles; left > 0 && !strings.Contains(v.HTML, fmt.Sprintf("and %d more articles", left)) {
		t.Errorf("%s: the mail does not say that %d more are on the web", name, left)
	}
}

// TestTrimmingFillsTheMail checks that trimming leaves less than half of a mail unused.
func TestTrimmingFillsTheMail(t *testing.T) {
	t.Parallel()
	if v := mustRender(t, manyArticles(300), Preferences{}); len(v.HTML) < 75_000 {
		t.Errorf("a mail of %d bytes could show more than %d articles", len(v.HTML), v.Shown)
	}
}

func TestLargeMailGivesWarning(t *testing.T) {
	t.Parallel()
	small, large := mustRender(t, manyArticles(5), Preferences{}), mustRender(t, manyArticles(33), Preferences{})
	if len(small.Warnings) != 0 {
		t.Errorf("a small mail has warnings: %q", small.Warnings)
	}
	if large.Shown != 33 || len(large.Warnings) != 1 || !strings.Contains(large.Warnings[0], "102 KB") {
		t.Errorf("%d bytes, %d shown, warnings %q", len(large.HTML), large.Shown, large.Warnings)
	}
}

func TestHugeBodiesAreReplacedBySummaries(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeMail(t, dir, "whole", `{{range .Articles}}{{if .Body}}{{.Body}}{{else}}<p>{{.Summary}}</p>{{end}}{{end}}<a href="{{.Reader.Unsubscribe}}">x</a>`, "{{.Reader.Unsubscribe}}")
	set, err := templates.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	in := sampleInput()
	in.Definition.Template = "whole"
	in.Articles[0].HTML = "<p>" + strings.Repeat("long ", 50_000) + "</p>"
	v, err := Render(in, Preferences{}, set)
	if err != nil {
		t.Fatal(err)
	}
	if len(v.HTML) > MaxBytes || !strings.Contains(v.HTML, "Three days after") || len(v.Warnings) == 0 {
		t.Errorf("%d bytes, warnings %q", len(v.HTML), v.Warnings)
	}
}

func TestOversizeTemplateGivesWarning(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeMail(t, dir, "fat", strings.Repeat("<p>fat</p>", 15_000)+`<a href="{{.Reader.Unsubscribe}}">x</a>`, "{{.Reader.Unsubscribe}}")
	set, err := templates.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	in := sampleInput()
	in.Definition.Template = "fat"
	v, err := Render(in, Preferences{}, set)
	if err != nil || !strings.Contains(strings.Join(v.Warnings, "\n"), "its template alone is too large") {
		t.Errorf("warnings %q, error %v", v.Warnings, err)
	}
}

func TestTrimmingStopsAtTheFirstError(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	calls := 0
	_, _, err := trim(10, func(extent) (templates.Rendered, error) { calls++; return templates.Rendered{}, broken })
	if !errors.Is(err, broken) || calls != 1 {
		t.Errorf("%d calls, error %v", calls, err)
	}
}

func TestTrimmingRendersFewTimes(t *testing.T) {
	t.Parallel()
	calls := 0
	out, shown, err := trim(1000, func(c extent) (templates.Rendered, error) {
		calls++
		return templates.Rendered{HTML: strings.Repeat("x", 9_000+2_000*c.whole+160*c.titles)}, nil
	})
	if err != nil || calls > 5 || len(out.HTML) > MaxBytes || shown.whole < 30 {
		t.Errorf("%d calls for %d bytes with %d articles, error %v", calls, len(out.HTML), shown.whole, err)
	}
}

// TestTrimmingEndsForAnySizes: the size of a rendering may jump from one number of articles to the
// next. Trimming must end, and return a mail that fits unless none does.
func TestTrimmingEndsForAnySizes(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		total := 1 + random.IntN(200)
		sizes := make([]int, total+1)
		for i := range sizes {
			sizes[i] = random.IntN(200_000)
			if i > 0 && random.IntN(2) == 0 {
				sizes[i] = sizes[i-1] + random.IntN(3000)
			}
		}
		calls := 0
		out, shown, err := trim(total, func(c extent) (templates.Rendered, error) {
			if calls++; calls > 100 {
				return templates.Rendered{}, errors.New("too many calls")
			}
			return templates.Rendered{HTML: strings.Repeat("x", sizes[c.whole])}, nil
		})
		if err != nil || shown.whole < 1 || len(out.HTML) != sizes[shown.whole] {
			t.Fatalf("%d calls: %d bytes with %d articles, error %v", calls, len(out.HTML), shown.whole, err)
		}
		if len(out.HTML)+placeholderBytes > MaxBytes && shown.whole > 1 {
			t.Fatalf("%d bytes with %d articles were returned", len(out.HTML), shown.whole)
		}
	}
}

func TestArticleWithoutTitleOrDateRenders(t *testing.T) {
	t.Parallel()
	in := sampleInput()
	in.Site = Site{Title: "S", URL: "https://s.example"}
	in.Definition = Definition{Name: "d", Title: "D"}
	in.Articles = []article.Article{{ID: "only-an-id", Slug: "only"}}
	v := mustRender(t, in, Preferences{})
	if !strings.Contains(v.HTML, ">only</a>") || strings.Contains(v.HTML, "0001") {
		t.Error("an article without a title has no title in the mail, or a date in year one")
	}
}
