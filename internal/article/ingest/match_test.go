package ingest_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/article/ingest"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// storedFolder is a folder of articles and the store that it is imported into.
type storedFolder struct {
	t     *testing.T
	store *store.Store
	dir   string
}

func newStoredFolder(t *testing.T, s *store.Store) *storedFolder {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "in")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return &storedFolder{t, s, dir}
}

func (s *storedFolder) write(name, text string) {
	s.t.Helper()
	write(s.t, s.dir, map[string]string{name: text})
}

func (s *storedFolder) move(from, to string) {
	s.t.Helper()
	target := filepath.Join(s.dir, to)
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(s.dir, from), target); err != nil {
		s.t.Fatal(err)
	}
}

// imports imports a path below the folder, or the whole folder if the path is empty.
func (s *storedFolder) imports(path string) ingest.Summary {
	s.t.Helper()
	return s.importsAt(filepath.Join(s.dir, path))
}

func (s *storedFolder) importsAt(path string) ingest.Summary {
	s.t.Helper()
	im := ingest.Importer{Store: s.store, Config: config.Default(), Report: func(r ingest.FileReport) {
		for _, p := range r.Problems {
			s.t.Errorf("%v", p)
		}
	}}
	sum, err := im.Import(s.t.Context(), path)
	if err != nil {
		s.t.Fatal(err)
	}
	return sum
}

// ids returns the ids of all articles by their titles, which must differ.
func (s *storedFolder) ids() map[string]string {
	s.t.Helper()
	found, err := s.store.Articles(s.t.Context(), store.Query{Limit: 1000})
	if err != nil {
		s.t.Fatal(err)
	}
	out := map[string]string{}
	for _, a := range found {
		if out[a.Title] != "" {
			s.t.Errorf("%q is there twice", a.Title)
		}
		out[a.Title] = a.ID
	}
	return out
}

// want checks that all articles have the same ids as before.
func (s *storedFolder) want(before map[string]string) {
	s.t.Helper()
	if after := s.ids(); !maps.Equal(before, after) {
		s.t.Errorf("articles by title were\n%v\nand are\n%v", before, after)
	}
}

// checkRedirect checks that an old address leads to a page.
func (s *storedFolder) checkRedirect(from, to string) {
	s.t.Helper()
	if got, err := s.store.Redirect(s.t.Context(), article.PathFor(from)); err != nil || got != article.PathFor(to) {
		s.t.Errorf("/articles/%s leads to %q, %v; want %s", from, got, err, to)
	}
}

func text(title, date, more, body string) string {
	return fmt.Sprintf("---\ntitle: %s\ndate: %s\n%s---\n%s\n", title, date, more, body)
}

const (
	tides = "The harbour office printed the tables of the spring tides, and the ferry captain hung them in the wheelhouse."
	lamps = "A new lamp was set upon the northern pier, seven metres above the water, and every keeper came to see it lit."
)

// TestMovedFileKeepsItsArticle moves, renames and copies files and folders as users do.
func TestMovedFileKeepsItsArticle(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(s *storedFolder) // moves files and imports them
		leads  [2]string             // old and new slug of the redirect to check; empty for none
	}{
		"renamed":                           {func(s *storedFolder) { s.move("a.md", "b.md"); s.imports("") }, [2]string{"a", "b"}},
		"into a folder of its name":         {func(s *storedFolder) { s.move("a.md", "a/index.md"); s.imports("") }, [2]string{}},
		"into a folder, imported by itself": {func(s *storedFolder) { s.move("a.md", "2026/a.md"); s.imports("2026/a.md") }, [2]string{}},
		"renamed, imported by itself":       {func(s *storedFolder) { s.move("a.md", "x.md"); s.imports("x.md") }, [2]string{"a", "x"}},
		"renamed with another title": {func(s *storedFolder) {
			s.move("a.md", "b.md")
			s.write("b.md", text("A", "2026-03-01", "", tides))
			s.imports("")
		}, [2]string{"a", "b"}},
		"renamed and edited": {func(s *storedFolder) {
			s.move("a.md", "b.md")
			s.write("b.md", text("A", "2026-03-01", "", tides+" Few people read them."))
			s.imports("")
		}, [2]string{"a", "b"}},
		"the folder moved": {func(s *storedFolder) {
			if err := os.Rename(s.dir, s.dir+"-moved"); err != nil {
				s.t.Fatal(err)
			}
			s.dir += "-moved"
			s.imports("")
		}, [2]string{}},
		"the folder copied": {func(s *storedFolder) {
			if err := os.CopyFS(s.dir+"-copy", os.DirFS(s.dir)); err != nil {
				s.t.Fatal(err)
			}
			s.importsAt(s.dir + "-copy")
			s.imports("")
		}, [2]string{}},
		"behind a link": {func(s *storedFolder) {
			if err := os.Symlink(s.dir, s.dir+"-link"); err != nil {
				s.t.Fatal(err)
			}
			s.importsAt(s.dir + "-link")
			s.importsAt(s.dir + "-link/a.md")
		}, [2]string{}},
		"the folder moved, a file renamed": {func(s *storedFolder) {
			s.move("a.md", "deep/er/c.md")
			if err := os.Rename(s.dir, s.dir+"-moved"); err != nil {
				s.t.Fatal(err)
			}
			s.dir += "-moved"
			s.imports("")
		}, [2]string{"a", "c"}},
		"names exchanged": {func(s *storedFolder) {
			s.move("a.md", "t.md")
			s.move("other.md", "a.md")
			s.move("t.md", "other.md")
			s.imports("")
		}, [2]string{}},
		"another file took the name": {func(s *storedFolder) {
			s.move("other.md", "a.md")
			s.write("other.md", text("A", "2026-03-01", "", tides))
			s.imports("a.md")
			s.imports("")
		}, [2]string{}},
		"a link beside the file": {func(s *storedFolder) {
			if err := os.Symlink("a.md", filepath.Join(s.dir, "link.md")); err != nil {
				s.t.Fatal(err)
			}
			s.imports("")
		}, [2]string{}},
		"a stub left behind": {func(s *storedFolder) {
			s.move("a.md", "b.md")
			s.write("a.md", "---\nredirect: /b\n---\n")
			s.imports("")
		}, [2]string{"a", "b"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStoredFolder(t, storetest.Open(t, store.SQLite, store.Options{}))
			s.write("a.md", text("A", "2026-03-01", "", tides))
			s.write("other.md", text("Other", "2026-03-02", "", lamps))
			s.imports("")
			before := s.ids()
			c.change(s)
			s.want(before)
			if c.leads[0] != "" {
				s.checkRedirect(c.leads[0], c.leads[1])
			}
			if sum := s.imports(""); sum.Created+sum.Updated > 0 {
				t.Errorf("once more: %s", sum)
			}
			s.want(before)
		})
	}
}

// TestSameIDOrSlugMatchesEditedArticle moves a file and changes everything in it but its id
// or slug.
func TestSameIDOrSlugMatchesEditedArticle(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"id: 17\n", "guid: https://old.example/?p=17\n", "uuid: 6fa1\n", "slug: kept\n"} {
		storetest.Each(t, func(t *testing.T, st *store.Store) {
			s := newStoredFolder(t, st)
			s.write("a.md", text("First", "2026-03-01", key, tides))
			s.imports("")
			before := s.ids()["First"]
			s.move("a.md", "x/y.md")
			s.write("x/y.md", text("Second", "2026-04-01", key, lamps))
			s.imports("")
			if after := s.ids(); len(after) != 1 || after["Second"] != before {
				t.Errorf("%s: %v, want one with the id %s", key, after, before)
			}
		})
	}
}

// TestSimilarFilesStayDifferentArticles adds files that could be mistaken for a moved one.
func TestSimilarFilesStayDifferentArticles(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(s *storedFolder){
		"the same name in two folders": func(s *storedFolder) {
			s.write("x/a.md", text("Another A", "2026-03-01", "", lamps))
			s.imports("")
		},
		"the same name in two imported folders": func(s *storedFolder) {
			write(s.t, s.dir+"-two", map[string]string{"a.md": text("Another A", "2026-03-01", "", lamps)})
			s.importsAt(s.dir + "-two")
			s.imports("")
		},
		"a translation beside it": func(s *storedFolder) {
			write(s.t, s.dir+"-fr", map[string]string{"a.md": text("A (fr)", "2026-03-01", "lang: fr\n", "Le bureau du port a imprimé les tables des grandes marées de ce printemps.")})
			s.importsAt(s.dir + "-fr")
			s.imports("")
		},
		"a copy with another title": func(s *storedFolder) {
			s.write("copy.md", text("Another A", "2026-03-01", "", tides))
			s.imports("")
		},
		"another issue under the name of a deleted one": func(s *storedFolder) {
			s.move("a.md", "../gone.md")
			s.write("x/a.md", text("A of April", "2026-04-01", "", lamps))
			s.imports("")
		},
		"other ids": func(s *storedFolder) {
			s.write("b.md", text("B", "2026-03-01", "id: 1\n", tides))
			s.imports("")
			s.move("b.md", "../gone.md")
			s.write("c.md", text("C", "2026-03-01", "id: 2\n", tides))
			s.imports("")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStoredFolder(t, storetest.Open(t, store.SQLite, store.Options{}))
			s.write("a.md", text("A", "2026-03-01", "", tides))
			s.imports("")
			before := s.ids()
			change(s)
			after := s.ids()
			if len(after) < 2 || after["A"] != before["A"] {
				t.Errorf("were %v, are %v", before, after)
			}
		})
	}
}

// TestCopiedFileIsSecondArticle copies a file within its folder; both copies become articles.
func TestCopiedFileIsSecondArticle(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		s := newStoredFolder(t, st)
		s.write("a.md", text("A", "2026-03-01", "slug: a\n", tides))
		s.imports("")
		s.write("b.md", text("A", "2026-03-01", "slug: a\n", tides))
		s.imports("")
		s.imports("")
		if n, err := st.CountPublished(t.Context()); n != 2 || err != nil {
			t.Errorf("%d articles, %v", n, err)
		}
	})
}

// TestRemovedArticleStaysRemovedWhenItsFileMoves renames the file of an article that an
// editor has taken down.
func TestRemovedArticleStaysRemovedWhenItsFileMoves(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		s := newStoredFolder(t, st)
		s.write("a.md", text("A", "2026-03-01", "", tides))
		s.imports("")
		if err := st.RemoveArticle(t.Context(), s.ids()["A"]); err != nil {
			t.Fatal(err)
		}
		s.move("a.md", "b.md")
		s.imports("")
		if after := s.ids(); len(after) != 0 {
			t.Errorf("it is back: %v", after)
		}
	})
}

// TestOldStoreWithoutFingerprintsMatchesArticles clears the columns that older stores did not
// have, as they are after an upgrade, and imports the folder from another path.
func TestOldStoreWithoutFingerprintsMatchesArticles(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		s := newStoredFolder(t, st)
		s.write("a.md", text("A", "2026-03-01", "slug: kept\n", tides))
		s.write("b.md", text("B", "2026-03-01", "", lamps))
		s.imports("")
		before := s.ids()
		forget := func() {
			t.Helper()
			if _, err := st.DB().ExecContext(t.Context(), "UPDATE articles SET guid = '', named = 0, content = '', asked = ''"); err != nil {
				t.Fatal(err)
			}
		}
		forget()
		if sum := s.imports(""); sum.Created+sum.Updated > 0 {
			t.Errorf("at the same place: %s", sum)
		}
		s.want(before)
		forget()
		if err := os.Rename(s.dir, s.dir+"-moved"); err != nil {
			t.Fatal(err)
		}
		s.dir += "-moved"
		s.move("b.md", "c.md")
		s.imports("")
		s.want(before)
	})
}

// TestMovedArticleIsNotMailedAgain moves the file of an article that was in an edition.
func TestMovedArticleIsNotMailedAgain(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		s := newStoredFolder(t, st)
		s.write("a.md", text("A", "2026-03-01", "", tides))
		s.imports("")
		id := s.ids()["A"]
		if _, err := st.DB().ExecContext(t.Context(), "INSERT INTO ledger (digest, article_id, edition_id) VALUES ('weekly', '"+id+"', 'e1')"); err != nil {
			t.Fatal(err)
		}
		for _, to := range []string{"b.md", "2026/b/index.md", "c.md"} {
			from := "a.md"
			if found, _ := filepath.Glob(filepath.Join(s.dir, "*.md")); len(found) == 1 {
				from = filepath.Base(found[0])
			} else {
				from = "2026/b/index.md"
			}
			s.move(from, to)
			s.imports("")
			left, err := st.WaitingArticles(t.Context(), store.QueueQuery{Digest: "weekly", Now: st.Now(), Limit: 10})
			if err != nil || len(left) != 0 {
				t.Errorf("after the move to %s it would be mailed again: %d articles, %v", to, len(left), err)
			}
		}
	})
}
