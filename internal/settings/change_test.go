package settings_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/settings"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// newEditor returns an editor of a store of its own on SQLite.
func newEditor(t *testing.T) *editor {
	t.Helper()
	s := storetest.Open(t, store.SQLite, store.Options{})
	e := &editor{t: t, name: "ann", m: &settings.Manager{Store: s, File: parse(t, file)}}
	e.look()
	return e
}

func TestKeysOfTheFileMayNotBeChanged(t *testing.T) {
	t.Parallel()
	e := newEditor(t)
	for _, key := range []string{"store.dsn", "secret", "server.listen", "nothing", "", "site", "digests[weekly]]", "site.title.x", "digests[].max_articles", "relays[one].host"} {
		n, err := e.change("site.copyright", `"All"`, key, `"x"`)
		var problems config.Problems
		if n != 0 || !errors.As(err, &problems) || problems[0].Key != key || problems[0].File != config.StoredPlace {
			t.Errorf("%q: %d changes, %v", key, n, err)
		}
	}
	if now := e.look(); now.Revision != 0 || len(now.Stored) != 0 {
		t.Errorf("something was stored beside a key that may not be set: %+v", now.Stored)
	}
}

// TestWrongValueNamesItsKeyAndFix has values that are no JSON, of another type, and outside of limits.
func TestWrongValueNamesItsKeyAndFix(t *testing.T) {
	t.Parallel()
	e := newEditor(t)
	for value, key := range map[string]string{
		`{`: "site.title", `Gazette`: "site.title", `[1]`: "site.title", `{"x":{"y":1}}`: "site.title", `""`: "site.title",
		`"many"`: "digests[weekly].max_articles", `-1`: "digests[weekly].max_articles", `2.5`: "digests[weekly].max_articles", `99999999999999999999`: "digests[weekly].max_articles",
		`"at noon"`: "digests[weekly].schedule", `"nobody"`: "digests[weekly].sender", "\"a\x00b\"": "site.copyright",
	} {
		n, err := e.change(key, value)
		var problems config.Problems
		if n != 0 || !errors.As(err, &problems) || problems[0].Key != key || problems[0].What == "" {
			t.Errorf("%s = %s: %d changes, %v", key, value, n, err)
			continue
		}
		if want := "tidings config unset '" + key + "'"; problems[0].File == config.StoredPlace && !strings.Contains(problems[0].Fix, want) {
			t.Errorf("%s = %s: the fix %q does not name %s", key, value, problems[0].Fix, want)
		}
	}
	if now := e.look(); len(now.Stored) != 0 {
		t.Errorf("stored %+v", now.Stored)
	}
}

func TestNoChangeIsStoredForAValueThatApplies(t *testing.T) {
	t.Parallel()
	e := newEditor(t)
	var told atomic.Int32
	e.m.Changed = func(context.Context) { told.Add(1) }
	for name, pairs := range map[string][]string{
		"nothing":                           {},
		"the file's value":                  {"site.title", `"Gazette"`, "digests[weekly].max_articles", "20"},
		"no value of a key without one":     {"site.title", "", "site.copyright", ""},
		"the file's value, written loosely": {"digests[weekly].max_articles", " 20 "},
	} {
		if n, err := e.change(pairs...); n != 0 || err != nil {
			t.Errorf("%s: %d changes, %v", name, n, err)
		}
	}
	if now := e.look(); now.Revision != 0 || told.Load() != 0 {
		t.Errorf("the revision is %d, the node was told %d times", now.Revision, told.Load())
	}
}

// TestValueOfADigestThatDoesNotExistIsRefused: it would have no effect, and the wrong name would go unnoticed.
func TestValueOfADigestThatDoesNotExistIsRefused(t *testing.T) {
	t.Parallel()
	e := newEditor(t)
	for _, key := range []string{"digests[weekli].max_articles", "feeds[nothing].title", "digests[Weekly].max_articles"} {
		n, err := e.change(key, "7", "site.copyright", `"All"`)
		var problems config.Problems
		if n != 0 || !errors.As(err, &problems) || problems[0].Key != key {
			t.Errorf("%s: %d changes, %v", key, n, err)
		}
	}
	if now := e.look(); len(now.Stored) != 0 {
		t.Errorf("stored %+v", now.Stored)
	}
	if n, err := e.change(append(slices.Clone(daily), "digests[daily].max_articles", "7")...); err != nil || n != 4 {
		t.Errorf("a value of a digest that is added with it: %d changes, %v", n, err)
	}
}

func TestCheckOfTheTemplatesRefusesAChange(t *testing.T) {
	t.Parallel()
	e := newEditor(t)
	refused := errors.New("the template weekly.html does not exist")
	var seen *config.Config
	e.m.Check = func(c *config.Config) error {
		seen = c
		return refused
	}
	if n, err := e.change("site.title", `"Post"`); n != 0 || !errors.Is(err, refused) {
		t.Errorf("%d changes, %v", n, err)
	}
	if seen == nil || seen.Site.Title != "Post" || e.look().Revision != 0 {
		t.Error("the check did not see the change, or it was stored")
	}
	seen = nil
	if n, err := e.change("digests[weekly].max_articles", "5000"); n != 0 || err == nil || seen != nil {
		t.Errorf("a configuration that is wrong reaches the check of templates: %d, %v", n, err)
	}
}

// daily adds a digest.
var daily = []string{"digests[daily]", config.AddedEntry, "digests[daily].schedule", `"0 7 * * *"`, "digests[daily].sender", `"news@gazette.example"`}

// TestRemovedEntryTakesItsKeysWithIt adds a digest in the admin and removes it again.
func TestRemovedEntryTakesItsKeysWithIt(t *testing.T) {
	t.Parallel()
	e := newEditor(t)
	if n, err := e.change(daily...); err != nil || n != 3 {
		t.Fatalf("%d changes, %v", n, err)
	}
	e.look()
	if n, err := e.change("digests[daily].max_articles", "7", "digests[daily].min_articles", "2"); err != nil || n != 2 {
		t.Fatalf("%d changes, %v", n, err)
	}
	now := e.look()
	if len(now.Config.Digests) != 2 || now.Config.Digests[1].MaxArticles != 7 {
		t.Fatalf("digests %+v", now.Config.Digests)
	}
	if n, err := e.change("digests[daily]", ""); err != nil || n != 5 {
		t.Errorf("removing it changes %d keys, %v; want 5", n, err)
	}
	if now := e.look(); len(now.Stored) != 0 || len(now.Config.Digests) != 1 {
		t.Errorf("left: %+v", now.Stored)
	}
}

// TestUnsetOfAnEntryTakesItsKeysWithIt, and works with values that no longer fit.
func TestUnsetOfAnEntryTakesItsKeysWithIt(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		e := &editor{t: t, name: "ann", m: &settings.Manager{Store: s, File: parse(t, file)}}
		e.look()
		if _, err := e.change(daily...); err != nil {
			t.Fatal(err)
		}
		e.look()
		if _, err := e.change("digests[daily].max_articles", "7", "site.title", `"Post"`); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"site.copyright", "digests[other]", "digests[dail", "nothing", ""} {
			if rows, err := e.m.Unset(t.Context(), "bob", key); err != nil || len(rows) != 0 {
				t.Errorf("unset of %q, which is not stored: %v, %v", key, rows, err)
			}
		}
		rows, err := e.m.Unset(t.Context(), "bob", "digests[daily]")
		if err != nil || len(rows) != 4 {
			t.Errorf("unset removes %+v, %v", rows, err)
		}
		now := e.look()
		if len(now.Stored) != 1 || now.Stored[0].Key != "site.title" {
			t.Errorf("left: %+v", now.Stored)
		}
		history, err := s.SettingChanges(t.Context(), 0, 10)
		if err != nil || len(history) == 0 || history[0].By != "bob" || history[0].Value != "" {
			t.Errorf("the history begins with %+v, %v", history, err)
		}
	})
}

func TestTriedChangeIsNotStored(t *testing.T) {
	t.Parallel()
	e := newEditor(t)
	c, err := e.m.Try(t.Context(), []settings.Change{{Key: "site.title", Value: `"Post"`}, {Key: "digests[weekly].max_articles", Value: "3"}})
	if err != nil || c.Site.Title != "Post" || c.Digests[0].MaxArticles != 3 {
		t.Errorf("%+v, %v", c, err)
	}
	var problems config.Problems
	if _, err := e.m.Try(t.Context(), []settings.Change{{Key: "digests[weekly].max_articles", Value: "-3"}}); !errors.As(err, &problems) {
		t.Errorf("a wrong value: %v", err)
	}
	if now := e.look(); now.Revision != 0 || now.Config.Site.Title != "Gazette" || e.m.File.Site.Title != "Gazette" {
		t.Errorf("a try has changed something: %+v", now)
	}
}

// TestConflictNamesEveryEditor: two others changed values in the meantime.
func TestConflictNamesEveryEditor(t *testing.T) {
	t.Parallel()
	e := newEditor(t)
	bob, cy := &editor{t: t, name: "bob", m: e.m}, &editor{t: t, name: "cy", m: e.m}
	bob.look()
	if _, err := bob.change("site.title", `"Bob’s"`); err != nil {
		t.Fatal(err)
	}
	cy.look()
	if _, err := cy.change("site.copyright", `"Cy"`, "digests[weekly].max_articles", "9"); err != nil {
		t.Fatal(err)
	}
	_, err := e.change("site.title", `"Ann’s"`, "site.copyright", `"Ann"`, "digests[weekly].max_articles", "8")
	var conflict *settings.ConflictError
	if !errors.As(err, &conflict) || len(conflict.Theirs) != 3 {
		t.Fatalf("%v", err)
	}
	if want := "bob changed site.title, cy changed site.copyright, digests[weekly].max_articles in the meantime"; err.Error() != want {
		t.Errorf("%q, want %q", err, want)
	}
	if now := e.look(); now.Config.Site.Title != "Bob’s" || now.Config.Site.Copyright != "Cy" {
		t.Errorf("the values of others were overwritten: %+v", now.Stored)
	}
	// Having seen theirs, ann may overwrite them.
	if n, err := e.change("site.title", `"Ann’s"`, "site.copyright", `"Ann"`); err != nil || n != 2 {
		t.Errorf("%d changes, %v", n, err)
	}
}

func TestSameChangeOfTwoEditorsIsNoConflict(t *testing.T) {
	t.Parallel()
	e := newEditor(t)
	bob := &editor{t: t, name: "bob", m: e.m}
	bob.look()
	if _, err := bob.change("site.title", `"Post"`); err != nil {
		t.Fatal(err)
	}
	if n, err := e.change("site.title", `"Post"`); err != nil || n != 0 {
		t.Errorf("the same value: %d changes, %v", n, err)
	}
	if row, _ := e.look().Find("site.title"); row.By != "bob" {
		t.Errorf("the value is that of %s", row.By)
	}
}

// TestConcurrentChangesOfOtherKeysAreAllStored: each is tried again when another was stored first.
func TestConcurrentChangesOfOtherKeysAreAllStored(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		m := &settings.Manager{Store: s, File: parse(t, file)}
		changes := []string{"site.title", "site.copyright", "site.description"}
		var all sync.WaitGroup
		for i, key := range changes {
			all.Go(func() {
				rows, err := m.Change(t.Context(), 0, fmt.Sprint("editor", i), []settings.Change{{Key: key, Value: fmt.Sprintf("%q", key)}})
				if err != nil || len(rows) != 1 {
					t.Errorf("%s: %v, %v", key, rows, err)
				}
			})
		}
		all.Wait()
		now, err := m.Load(t.Context())
		if err != nil || len(now.Stored) != len(changes) || now.Revision != int64(len(changes)) {
			t.Errorf("%+v at revision %d, %v", now.Stored, now.Revision, err)
		}
		for i, key := range changes {
			if row, found := now.Find(key); !found || row.Value != fmt.Sprintf("%q", key) || row.By != fmt.Sprint("editor", i) {
				t.Errorf("%s is %+v", key, row)
			}
		}
	})
}

// TestChangeOfTheFileIsSeen: an editor is told that the file now has another value than when theirs was stored.
func TestChangeOfTheFileIsSeen(t *testing.T) {
	t.Parallel()
	e := newEditor(t)
	if _, err := e.change("digests[weekly].max_articles", "7", "site.copyright", `"Ann"`); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		old, replaced string
		want          bool
	}{
		"the same file":        {"", "", false},
		"another value":        {"max_articles: 20", "max_articles: 30", true},
		"another key's value":  {"title: Gazette", "title: Post", false},
		"the value is set now": {"max_articles: 20", "max_articles: 7", true},
	} {
		m := *e.m
		m.File = parse(t, strings.Replace(file, test.old, test.replaced, 1))
		now, err := m.Load(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		row, found := now.Find("digests[weekly].max_articles")
		if !found || now.FileChanged(row) != test.want {
			t.Errorf("%s: %+v changed: %t, want %t", name, row, now.FileChanged(row), test.want)
		}
	}
	now := e.look()
	if _, found := now.Find("site.title"); found {
		t.Error("a key that is not stored is found")
	}
	if now.FileChanged(store.Setting{Key: "nothing", File: `"x"`}) || now.FileChanged(store.Setting{Key: "site.title"}) {
		t.Error("a key that the file does not know, or that was not recorded, has changed")
	}
}

// TestValueOfADigestThatIsGoneIsLeftOut: the file no longer has the digest. The value stays in the store until it is
// unset, for the digest may come back.
func TestValueOfADigestThatIsGoneIsLeftOut(t *testing.T) {
	t.Parallel()
	e := newEditor(t)
	if _, err := e.change("digests[weekly].max_articles", "7"); err != nil {
		t.Fatal(err)
	}
	m := *e.m
	m.File = parse(t, "site: {title: Gazette, url: https://gazette.example}\n")
	now, err := m.Load(t.Context())
	if err != nil || len(now.Stored) != 1 || !slices.Equal(now.Config.Unused(), []string{"digests[weekly].max_articles"}) {
		t.Errorf("stored %+v, %v", now.Stored, err)
	}
	if rows, err := m.Unset(t.Context(), "ann", "digests[weekly].max_articles"); err != nil || len(rows) != 1 {
		t.Errorf("unset: %v, %v", rows, err)
	}
	if now := e.look(); len(now.Stored) != 0 || now.Config.Digests[0].MaxArticles != 20 {
		t.Errorf("stored %+v", now.Stored)
	}
}

func TestEndedContextIsAnError(t *testing.T) {
	t.Parallel()
	e := newEditor(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, changed := e.m.Change(ctx, 0, "ann", []settings.Change{{Key: "site.title", Value: `"Post"`}})
	_, unset := e.m.Unset(ctx, "ann", "site.title")
	_, tried := e.m.Try(ctx, nil)
	for what, err := range map[string]error{"Change": changed, "Unset": unset, "Try": tried} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
