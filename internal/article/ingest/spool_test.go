package ingest_test

import (
	"bytes"
	"image"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/article/ingest"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/samples"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// countingFS counts how often each file is opened.
type countingFS struct {
	fs.FS
	opened map[string]int
}

func (c countingFS) Open(name string) (fs.File, error) {
	c.opened[name]++
	return c.FS.Open(name)
}

func (c countingFS) Stat(name string) (fs.FileInfo, error) { return fs.Stat(c.FS, name) }

func TestEachFileIsReadOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, map[string]string{
		"a.md": text("A", "2026-03-02", "", tides), "b.md": text("B", "2026-03-01", "", lamps), "c.md": text("C", "2026-03-03", "slug: c\n", "Text."),
	})
	s := storetest.Open(t, store.SQLite, store.Options{})
	options := ingest.Options{Source: "x/"}
	for _, rename := range [][2]string{{"a.md", "a.md"}, {"a.md", "z.md"}} { // the second import must recognise the renamed file
		if err := os.Rename(filepath.Join(dir, rename[0]), filepath.Join(dir, rename[1])); err != nil {
			t.Fatal(err)
		}
		files := countingFS{os.DirFS(dir), map[string]int{}}
		im := ingest.Importer{Store: s, Config: config.Default()}
		if sum, err := im.ImportFS(t.Context(), files, "x", options); err != nil || sum.Files != 3 {
			t.Fatalf("%s, %v", sum, err)
		}
		for name, times := range files.opened {
			if strings.HasSuffix(name, ".md") && times != 1 {
				t.Errorf("%s was opened %d times, want once", name, times)
			}
		}
	}
	if n, err := s.CountPublished(t.Context()); err != nil || n != 3 {
		t.Errorf("%d articles, %v; want 3", n, err)
	}
}

func TestLargeImportsContinueInATemporaryFile(t *testing.T) {
	t.Parallel()
	var stored [2][]store.StoredArticle
	for i, memory := range []int64{0, 1} {
		s := storetest.Open(t, store.SQLite, store.Options{})
		im := ingest.Importer{Store: s, Config: config.Default()}
		im.LimitMemory(memory)
		sum, err := im.ImportFS(t.Context(), samples.Articles(), "samples", ingest.Options{Site: "https://example.org", Source: "samples/"})
		if err != nil || sum.Problems > 0 || sum.Created == 0 {
			t.Fatalf("%s, %v", sum, err)
		}
		if stored[i], err = s.Articles(t.Context(), store.Query{Limit: 1000}); err != nil {
			t.Fatal(err)
		}
		for j := range stored[i] {
			a := &stored[i][j]
			if a.Image != nil {
				if m, err := s.Medium(t.Context(), strings.TrimPrefix(a.Image.URL, "/media/")); err != nil || int64(len(m.Data)) != a.Image.Bytes {
					t.Errorf("%s: %d bytes of its picture, want %d; %v", a.Slug, len(m.Data), a.Image.Bytes, err)
				}
			}
			a.ID, a.Ingested, a.Position = "", a.Published, store.Position{}
		}
		slices.SortFunc(stored[i], func(a, b store.StoredArticle) int { return strings.Compare(a.Slug, b.Slug) })
	}
	if !reflect.DeepEqual(stored[0], stored[1]) {
		t.Error("the articles differ from those of an import in memory")
	}
}

func pixels(t *testing.T, width int) string {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, image.NewGray(image.Rect(0, 0, width, 1))); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestPictureReplacedDuringImportIsReported(t *testing.T) {
	t.Parallel()
	s := newStoredFolder(t, storetest.Open(t, store.SQLite, store.Options{}))
	s.write("p.png", pixels(t, 2))
	s.write("a.md", text("A", "2026-03-01", "", tides+" ![](p.png)"))
	s.write("b.md", text("B", "2026-03-02", "", lamps))
	var problems []string
	im := ingest.Importer{
		Store: s.store, Config: config.Default(),
		Progress: func(done, of int) {
			if done == of {
				s.write("p.png", pixels(t, 3))
			}
		},
		Report: func(r ingest.FileReport) {
			for _, p := range r.Problems {
				problems = append(problems, p.Error())
			}
		},
	}
	im.LimitMemory(1)
	sum, err := im.Import(t.Context(), s.dir)
	if err != nil || sum.Created != 1 || len(problems) != 1 || !strings.Contains(problems[0], "p.png changed during the import") {
		t.Errorf("%s, %v, %q", sum, err, problems)
	}
	if sum := s.imports(""); sum.Created != 1 {
		t.Errorf("the next import: %s", sum)
	}
}
