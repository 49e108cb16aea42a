package ingest_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/article/ingest"
	"github.com/tidings-press/tidings/internal/article/markup"
	"github.com/tidings-press/tidings/internal/samples"
	"github.com/tidings-press/tidings/internal/testkit"
)

// corpus returns a folder of real articles. The test is skipped where the folder does not exist.
func corpus(t *testing.T, name string) fs.FS {
	t.Helper()
	dir := filepath.Join("..", "..", "..", "..", "shared", "corpus", name)
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("the corpus %s is not here: %v", name, err)
	}
	return os.DirFS(dir)
}

type imported struct {
	articles  map[string]*article.Article
	redirects []article.Redirect
	problems  []*ingest.Problem
	warnings  []*ingest.Problem
	media     []article.Medium
}

// importAll imports every importable file of a folder, without a store.
func importAll(t *testing.T, folder fs.FS, options ingest.Options) imported {
	t.Helper()
	out := imported{articles: map[string]*article.Article{}}
	options.Media = func(name string) ([]byte, error) { return fs.ReadFile(folder, name) }
	err := fs.WalkDir(folder, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !ingest.Importable(name) {
			return err
		}
		data, err := fs.ReadFile(folder, name)
		if err != nil {
			return err
		}
		found, problems := ingest.Import(ingest.File{Name: name, Data: data, Modified: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)}, options)
		out.problems = append(out.problems, problems...)
		for _, one := range found {
			out.redirects = append(out.redirects, one.Redirects...)
			out.warnings = append(out.warnings, one.Warnings...)
			out.media = append(out.media, one.Media...)
			if one.Article != nil {
				out.articles[one.Article.Slug] = one.Article
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestBlogImportsWithoutLoss(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	got := importAll(t, corpus(t, "go-blog"), ingest.Options{Site: "https://press.example", BaseURL: "https://go.dev/blog/"})
	if len(got.articles) != 274 || len(got.redirects) != 60 {
		t.Errorf("%d articles and %d redirects, want 274 and 60", len(got.articles), len(got.redirects))
	}
	want := map[string]string{"README.md": "its date is missing", "all.md": "date missing", "index.md": "date missing"}
	for _, p := range got.problems {
		if !strings.Contains(p.Error(), want[p.File]) || want[p.File] == "" {
			t.Errorf("unexpected: %v", p)
		}
		delete(want, p.File)
	}
	if len(want) > 0 {
		t.Errorf("not named: %v", want)
	}
	for slug, a := range got.articles {
		if a.Summary == "" || a.Language == "" || a.Title == "" || !strings.HasPrefix(a.URL, "https://go.dev/blog/") {
			t.Errorf("%s: summary %q, language %q, URL %q", slug, a.Summary, a.Language, a.URL)
		}
		if strings.Contains(a.HTML, "<script") || strings.Contains(a.HTML, "<style") {
			t.Errorf("%s: a script or style survived", slug)
		}
		if len(slug)%4 > 0 {
			continue // a sample is enough here; FuzzSanitize covers more
		}
		if clean := markup.Sanitize(a.HTML, nil); clean != a.HTML {
			t.Errorf("%s: sanitizing twice differs:\n%s", slug, firstDifference(a.HTML, clean))
		}
	}
	for _, r := range got.redirects {
		if slug := strings.TrimPrefix(r.To, "/articles/"); got.articles[slug] == nil {
			t.Errorf("%s redirects to %s, which is no article", r.From, r.To)
		}
	}
	ismm := got.articles["ismmkeynote"]
	if ismm == nil || !strings.Contains(ismm.HTML, `{{image &#34;ismmkeynote/image27.png&#34;}}`) {
		t.Error("text in double braces did not stay text")
	}
}

func firstDifference(a, b string) string {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	start := max(0, i-80)
	return a[start:min(len(a), i+120)] + "\n--- became\n" + b[start:min(len(b), i+120)]
}

func TestSavedNewsPageLosesItsBoilerplate(t *testing.T) {
	t.Parallel()
	got := importAll(t, corpus(t, "seed"), ingest.Options{Site: "https://press.example"})
	if len(got.articles) != 1 || len(got.problems) > 0 {
		t.Fatalf("%d articles, problems %v", len(got.articles), got.problems)
	}
	for _, a := range got.articles {
		if a.Title != "Khalifa Haftar en Italie en quête d’une reconnaissance internationale" || a.Language != "fr" {
			t.Errorf("title %q, language %q", a.Title, a.Language)
		}
		for _, chrome := range []string{"fbpx", "LIRE AUSSI", "Zangezur", "LE1", "commentaire", "email address", "Advertisement"} {
			if strings.Contains(a.HTML, chrome) {
				t.Errorf("%q is still there", chrome)
			}
		}
		for _, kept := range []string{"l’aéroport Ciampino", "chef d&#39;état-major", "géant italien ENI, par l’envoi probable d’unités d’élite de l’armée italienne, ancienne puissance coloniale."} {
			if !strings.Contains(a.HTML, kept) {
				t.Errorf("%q is lost in:\n%s", kept, a.HTML)
			}
		}
	}
}

func TestSamplesImportWithoutWarnings(t *testing.T) {
	t.Parallel()
	got := importAll(t, samples.Articles(), ingest.Options{Site: "http://localhost:8080"})
	if len(got.articles) < 14 || len(got.problems)+len(got.warnings) > 0 {
		t.Fatalf("%d articles, problems %v, warnings %v", len(got.articles), got.problems, got.warnings)
	}
	languages := map[string]int{}
	for slug, a := range got.articles {
		languages[a.Language]++
		if a.Image == nil || a.Image.Width != 960 || a.Image.Alt == "" {
			t.Errorf("%s: image %+v", slug, a.Image)
		}
		if a.Slug == "" || a.Summary == "" || len(a.Authors) == 0 {
			t.Errorf("%s: %+v", slug, a)
		}
	}
	for _, lang := range []string{"en", "fr", "ar", "ja", "de"} {
		if languages[lang] == 0 {
			t.Errorf("no article in %s", lang)
		}
	}
	sound := got.articles["letters-to-the-lighthouse"].Enclosure
	if len(sound) != 1 || sound[0].Type != "audio/wav" || sound[0].Bytes != 16044 || sound[0].Duration != 2*time.Second {
		t.Errorf("enclosure %+v", sound)
	}
	if shed := got.articles["a-press-room-in-a-shed"]; !strings.Contains(shed.HTML, "arrive saying {{ .Name }}") {
		t.Errorf("double braces changed:\n%s", shed.HTML)
	}
	if swifts := got.articles["counting-swifts"]; !strings.Contains(swifts.HTML, "<table>") || !strings.Contains(swifts.HTML, `href="/articles/counting-swifts#fn:1"`) {
		t.Errorf("table or footnotes are lost:\n%s", swifts.HTML)
	}
}
