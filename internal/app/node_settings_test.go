package app_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/settings"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/feedrules"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

func TestEveryNodeTakesChangedSettings(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	file := fmt.Sprintf("site: {url: https://press.example, title: Before}\nstore: {dsn: %q, journal: none}\n", storetest.DSN(t, store.SQLite))
	one := start(t, file, feedrules.Article(1))
	two := start(t, file)
	shows := func(r *running, title string) bool {
		_, body := r.raw(t, "GET /feed.xml HTTP/1.1\r\nHost: press.example\r\n\r\n")
		return strings.Contains(string(body), "<title>"+title+"</title>")
	}
	if !shows(one, "Before") || !shows(two, "Before") {
		t.Fatal("the file's title is not shown")
	}
	rows, err := one.press.Settings().Change(t.Context(), 0, "ann", []settings.Change{{Key: "site.title", Value: `"After"`}})
	if err != nil || len(rows) != 1 {
		t.Fatalf("%v, %v", rows, err)
	}
	if !shows(one, "After") {
		t.Error("the node of the change has not taken it when Change returns")
	}
	testkit.Eventually(t, "the other node takes it", func() bool { return shows(two, "After") })
	third := start(t, file)
	if !shows(third, "After") {
		t.Error("a node that starts later has the file's title")
	}
	if _, err := two.press.Settings().Change(t.Context(), 1, "ann", []settings.Change{{Key: "site.title"}}); err != nil || !shows(two, "Before") {
		t.Errorf("the file's value is not used again: %v", err)
	}
}

func TestSettingsThatTemplatesRefuseAreNotStored(t *testing.T) {
	t.Parallel()
	p := open(t, "digests:\n- {name: weekly, schedule: '@weekly', sender: news@example.org}\n")
	for key, value := range map[string]string{"digests[weekly].template": `"brieff"`, "digests[weekly].subject": `"{{.Nothing}}"`} {
		_, err := p.Settings().Change(t.Context(), 0, "ann", []settings.Change{{Key: key, Value: value}})
		if err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%s: %v", key, err)
		}
	}
	if current, err := settings.Load(t.Context(), p.Store, p.Config.File()); err != nil || current.Revision != 0 {
		t.Errorf("%+v, %v", current, err)
	}
}
