package settings_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/settings"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

const file = `
site: {title: Gazette, url: https://gazette.example, timezone: UTC}
digests:
- {name: weekly, schedule: "0 8 * * 5", sender: news@gazette.example, max_articles: 20}
`

func parse(t *testing.T, text string) *config.Config {
	t.Helper()
	c, err := config.Parse([]byte(text), filepath.Join(t.TempDir(), "config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// editor changes settings and remembers the revision that they were shown.
type editor struct {
	t     *testing.T
	m     *settings.Manager
	name  string
	shown int64
}

func (e *editor) look() settings.Current {
	e.t.Helper()
	now, err := e.m.Load(e.t.Context())
	if err != nil {
		e.t.Fatal(err)
	}
	e.shown = now.Revision
	return now
}

func (e *editor) change(pairs ...string) (int, error) {
	var changes []settings.Change
	for i := 0; i+1 < len(pairs); i += 2 {
		changes = append(changes, settings.Change{Key: pairs[i], Value: pairs[i+1]})
	}
	rows, err := e.m.Change(e.t.Context(), e.shown, e.name, changes)
	return len(rows), err
}

func TestChangesAreCheckedStoredAndUndone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		taken := 0
		ann := &editor{t: t, name: "ann@example.org", m: &settings.Manager{Store: s, File: parse(t, file), Changed: func(context.Context) { taken++ }}}
		ann.look()
		if _, err := ann.change("site.title", `"The Gazette"`, "digests[weekly].max_articles", `2000`); err == nil || !strings.Contains(err.Error(), "max_articles") {
			t.Errorf("a value that does not pass the check: %v", err)
		}
		if now := ann.look(); now.Revision != 0 || now.Config.Site.Title != "Gazette" {
			t.Fatalf("half of a wrong change was stored: %+v", now.Stored)
		}
		if n, err := ann.change("site.title", `"The Gazette"`, "digests[weekly].max_articles", `20`); err != nil || n != 1 || taken != 1 {
			t.Fatalf("%d changes, taken %d times, %v", n, taken, err)
		}
		now := ann.look()
		row, found := now.Find("site.title")
		if now.Config.Site.Title != "The Gazette" || !found || row.By != "ann@example.org" || row.File != `"Gazette"` || row.At.IsZero() || now.FileChanged(row) {
			t.Errorf("stored: %+v", now.Stored)
		}
		later := *ann.m
		later.File = parse(t, strings.Replace(file, "title: Gazette", "title: Post", 1))
		if changed, err := later.Load(t.Context()); err != nil || !changed.FileChanged(row) || changed.Config.Site.Title != "The Gazette" {
			t.Errorf("after a change of the file: %v, %v", changed.Config.Site.Title, err)
		}
		if n, err := ann.change("site.title", ""); err != nil || n != 1 {
			t.Errorf("back to the file's value: %d, %v", n, err)
		}
		if now := ann.look(); now.Config.Site.Title != "Gazette" || len(now.Stored) != 0 || now.Revision != 2 {
			t.Errorf("back to the file's value: %+v", now)
		}
		history, err := s.SettingChanges(t.Context(), 0, 10)
		if err != nil || len(history) != 2 || history[0].Value != "" || history[1].Value != `"The Gazette"` {
			t.Errorf("history %+v, %v", history, err)
		}
		var problems config.Problems
		if _, err := ann.change("store.dsn", `"sqlite:x.db"`); !errors.As(err, &problems) {
			t.Errorf("a key that may not be set: %v", err)
		}
	})
}

func TestChangeOfAnotherEditorIsNotOverwritten(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		m := &settings.Manager{Store: s, File: parse(t, file)}
		ann, bob := &editor{t: t, name: "ann", m: m}, &editor{t: t, name: "bob", m: m}
		ann.look()
		bob.look()
		if _, err := ann.change("site.title", `"Ann’s"`); err != nil {
			t.Fatal(err)
		}
		var conflict *settings.ConflictError
		if _, err := bob.change("site.title", `"Bob’s"`, "site.copyright", `"Bob"`); !errors.As(err, &conflict) || conflict.Theirs[0].By != "ann" || conflict.Theirs[0].Value != `"Ann’s"` {
			t.Errorf("the same key: %v", err)
		}
		// Bob's form repeats the title that he was shown.
		if n, err := bob.change("site.title", `"Gazette"`, "site.copyright", `"Bob"`); err != nil || n != 1 {
			t.Errorf("another key: %d, %v", n, err)
		}
		if now := bob.look(); now.Config.Site.Title != "Ann’s" || now.Config.Site.Copyright != "Bob" {
			t.Errorf("%v, %v", now.Config.Site.Title, now.Config.Site.Copyright)
		}
	})
}

func TestStoredValueThatNoLongerFitsIsUnset(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.SQLite, store.Options{})
	ann := &editor{t: t, name: "ann", m: &settings.Manager{Store: s, File: parse(t, file)}}
	ann.look()
	if _, err := ann.change("digests[weekly].min_articles", `15`); err != nil {
		t.Fatal(err)
	}
	ann.m.File = parse(t, strings.Replace(file, "max_articles: 20", "max_articles: 10", 1))
	if _, err := ann.m.Load(t.Context()); err == nil || !strings.Contains(err.Error(), "min_articles") {
		t.Errorf("a file that the stored value does not fit: %v", err)
	}
	if rows, err := ann.m.Unset(t.Context(), "ann", "digests[weekly].min_articles"); err != nil || len(rows) != 1 {
		t.Errorf("%v, %v", rows, err)
	}
	ann.look()
}
