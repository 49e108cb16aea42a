package ingest_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/article/ingest"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// write writes files below a folder.
func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func post(title, body string) string {
	return "---\ntitle: " + title + "\ndate: 2026-05-01\n---\n" + body + "\n"
}

func TestImportUsesSettingsOfConfiguredSource(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		dir := t.TempDir()
		write(t, dir, map[string]string{"blog/one.md": post("One", "Text.\n\nADVERT\n\nREAD ALSO: nothing"), "other/two.md": post("Two", "ADVERT")})
		c := config.Default()
		c.Import = config.Import{Strip: []string{"^ADVERT$"}, Sources: []config.Source{
			{Path: dir, Tags: []string{"outer"}},
			{Path: filepath.Join(dir, "blog"), BaseURL: "https://blog.example.org/", Author: "Ada", Tags: []string{"blog"}, Strip: []string{"^READ ALSO"}},
		}}
		im := ingest.Importer{Store: s, Config: c}
		if _, err := im.Import(t.Context(), dir+"/blog"); err != nil {
			t.Fatal(err)
		}
		one, err := s.ArticleBySlug(t.Context(), "one")
		if err != nil {
			t.Fatal(err)
		}
		if one.URL != "https://blog.example.org/one" || app.AuthorNames(&one) != "Ada" || strings.Join(one.Tags, " ") != "blog" {
			t.Errorf("%s by %q about %v", one.URL, app.AuthorNames(&one), one.Tags)
		}
		if strings.Contains(one.HTML, "ADVERT") || strings.Contains(one.HTML, "READ ALSO") {
			t.Errorf("boilerplate is left in %s", one.HTML)
		}
	})
}

func TestFileAndFolderImportGiveSameArticle(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		dir := t.TempDir()
		write(t, dir, map[string]string{"2026/one.md": post("One", "Text."), "2026/two/index.md": post("Two", "Text.")})
		im := ingest.Importer{Store: s, Config: config.Default()}
		for _, target := range []string{".", "2026", "2026/one.md", "2026/two/index.md"} {
			sum, err := im.Import(t.Context(), filepath.Join(dir, target))
			if err != nil {
				t.Fatal(err)
			}
			if new := target == "."; (sum.Created > 0) != new || sum.Updated > 0 || sum.Problems > 0 {
				t.Errorf("importing %s: %s", target, sum)
			}
		}
	})
}

func TestImportReadsNothingOutsideItsFolder(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		dir := t.TempDir()
		write(t, dir, map[string]string{
			"secret.md": post("Secret", "No."), "secret.png": "not for you",
			"in/one.md": post("One", "![](../secret.png)"), "in/.hidden.md": post("Hidden", "No."), "in/.git/two.md": post("Two", "No."), "in/notes.pdf": "x",
		})
		if err := os.Symlink(filepath.Join(dir, "secret.md"), filepath.Join(dir, "in", "link.md")); err != nil {
			t.Fatal(err)
		}
		var reports []ingest.FileReport
		im := ingest.Importer{Store: s, Config: config.Default(), Report: func(r ingest.FileReport) { reports = append(reports, r) }}
		sum, err := im.Import(t.Context(), filepath.Join(dir, "in"))
		if err != nil {
			t.Fatal(err)
		}
		if sum.Files != 2 || sum.Created != 1 || sum.Problems != 1 {
			t.Errorf("%s: %+v", sum, reports)
		}
		if _, err := s.ArticleBySlug(t.Context(), "secret"); err == nil {
			t.Error("a link led out of the folder")
		}
	})
}

func TestImportStopsWhenContextIsCancelled(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		dir := t.TempDir()
		write(t, dir, map[string]string{"one.md": post("One", "Text."), "two.md": post("Two", "Text.")})
		ctx, cancel := context.WithCancel(t.Context())
		im := ingest.Importer{Store: s, Config: config.Default(), Report: func(ingest.FileReport) { cancel() }}
		sum, err := im.Import(ctx, dir)
		if err == nil || sum.Files != 1 {
			t.Errorf("%s, %v", sum, err)
		}
	})
}
