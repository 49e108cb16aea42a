package config_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/config"
)

// overlaid is a file with what stored values must leave alone.
const overlaid = `# The Gazette
site:
  title: Gazette # our name
  url: https://gazette.example
  timezone: Europe/Paris
digests:
  - &weekly
    name: weekly
    schedule: "0 8 * * 5"
    sender: News <news@gazette.example>
    notify: owners
  - <<: *weekly
    name: daily
    title: ${DAILY_TITLE:-Every day}
relays:
  - {name: main, host: mail.gazette.example, username: u, password: hunter2}
`

func parseOverlaid(t *testing.T) *config.Config {
	t.Helper()
	c, err := config.Parse([]byte(overlaid), filepath.Join(t.TempDir(), "config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func stored(pairs ...string) (out []config.Stored) {
	for i := 0; i+1 < len(pairs); i += 2 {
		out = append(out, config.Stored{Key: pairs[i], Value: pairs[i+1]})
	}
	return out
}

func TestStoredValuesStandInPlaceOfTheFiles(t *testing.T) {
	t.Parallel()
	file := parseOverlaid(t)
	c, err := file.With(stored(
		"site.title", `{"en":"The Gazette","fr":"La Gazette"}`,
		"digests[weekly].schedule", `"0 9 * * 5"`,
		"digests[weekly].notify.to", `"none"`,
		"digests[weekly].filter.tags", `["sea","town"]`,
		"digests[weekly].draft_before", `"24h"`,
		"digests[monthly]", "true",
		"digests[monthly].schedule", `"0 8 1 * *"`,
		"digests[monthly].sender", `"News <news@gazette.example>"`,
		"feeds[all].title", `"Everything"`,
		"digests[gone].schedule", `"@daily"`,
		"store.dsn", `"sqlite:other.db"`,
	))
	if err != nil {
		t.Fatal(err)
	}
	weekly, daily := c.Digests[0], c.Digests[1]
	if c.Site.Title.In("fr") != "La Gazette" || weekly.Title.In("fr") != "La Gazette" || weekly.Schedule != "0 9 * * 5" || weekly.Notify.To != "none" || len(weekly.Filter.Tags) != 2 {
		t.Errorf("stored values do not apply: %v, %+v", c.Site.Title, weekly)
	}
	if daily.Schedule != "0 8 * * 5" || daily.Notify.To != "owners" || daily.Title != "Every day" {
		t.Errorf("a value of one digest changed another that shares its keys: %+v", daily)
	}
	if len(c.Digests) != 3 || c.Digests[2].Name != "monthly" || c.Digests[2].Timezone != "Europe/Paris" || len(c.Feeds) != 1 || c.Feeds[0].Title != "Everything" {
		t.Errorf("entries: %d digests, feeds %+v", len(c.Digests), c.Feeds)
	}
	if got := strings.Join(c.Unused(), " "); got != "digests[gone].schedule store.dsn" {
		t.Errorf("unused: %s", got)
	}
	if c.Relays[0].Password.Reveal() != "hunter2" || c.Store.DSN.Reveal() == "sqlite:other.db" {
		t.Error("a key that may not be set was changed")
	}
	if file.Site.Title != "Gazette" || c.File() != file {
		t.Error("the file's own configuration changed")
	}
	back, err := c.With(nil)
	if err != nil || back != file {
		t.Errorf("without stored values: %v, %v", back.Site.Title, err)
	}
}

func TestStoredValuesReadNoEnvironment(t *testing.T) {
	t.Parallel()
	c, err := parseOverlaid(t).With(stored("site.copyright", `"${PATH} and $${HOME}"`, "site.title", `{"en":"${PATH}"}`))
	if err != nil || c.Site.Copyright != "${PATH} and $${HOME}" || c.Site.Title.In("en") != "${PATH}" {
		t.Errorf("%q, %q, %v", c.Site.Copyright, c.Site.Title, err)
	}
	text, err := c.Export()
	again, err2 := config.Parse(text, "config.yaml")
	if err != nil || err2 != nil || again.Site.Copyright != c.Site.Copyright {
		t.Errorf("exported and read again: %q, %v, %v", again.Site.Copyright, err, err2)
	}
}

func TestStoredValuesPassTheChecksOfTheFile(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ key, value, want string }{
		{"digests[daily].schedule", `"0 8 30 2 *"`, "settings of the admin: digests[daily].schedule"},
		{"digests[weekly].sender", `"nobody"`, "settings of the admin: digests[weekly].sender"},
		{"digests[weekly].max_articles", `0.5`, `"0.5" is not a whole number`},
		{"digests[weekly].filter.languages", `["en","klingon!"]`, "digests[weekly].filter.languages[1]"},
		{"site.timezone", `"Europe/Pariss"`, "unknown"},
		{"site.title", `["a","b"]`, "write one text"},
		{"brand.light.ink", `"#eeeeee"`, "the contrast of ink"},
		{"digests[new]", `true`, "digests[new].schedule"},
		{"site.title", `{`, "not JSON"},
		{"site.title", `"a\u0000b"`, "control character"},
	} {
		_, err := parseOverlaid(t).With(stored(test.key, test.value))
		var problems config.Problems
		if !errors.As(err, &problems) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %s gives %v, want %q", test.key, test.value, err, test.want)
		}
	}
}

func TestExportKeepsCommentsAndHidesSecrets(t *testing.T) {
	t.Parallel()
	c, err := parseOverlaid(t).With(stored("digests[daily].schedule", `"0 7 * * *"`))
	if err != nil {
		t.Fatal(err)
	}
	text, err := c.Export()
	if err != nil || strings.Contains(string(text), "hunter2") {
		t.Fatalf("%v\n%s", err, text)
	}
	for _, part := range []string{"# our name", "0 7 * * *", "${DAILY_TITLE:-Every day}", "password: (secret)"} {
		if !strings.Contains(string(text), part) {
			t.Errorf("the export lacks %q:\n%s", part, text)
		}
	}
	entry, err := c.ExportEntry("digests", "daily")
	if err != nil || !strings.HasPrefix(string(entry), "digests:") || !strings.Contains(string(entry), "0 7 * * *") || strings.Contains(string(entry), "hunter2") {
		t.Errorf("%v\n%s", err, entry)
	}
}

// TestSettableKeysExist checks that each key of the list is one of the file, and none holds a secret.
func TestSettableKeysExist(t *testing.T) {
	t.Parallel()
	c, err := parseOverlaid(t).With(stored("feeds[all].title", `"All"`))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range config.SettableKeys {
		key := strings.NewReplacer("digests[]", "digests[weekly]", "feeds[]", "feeds[all]").Replace(s.Key)
		if _, found := c.Value(key); !found {
			t.Errorf("%s is not a key", s.Key)
		}
		for _, word := range []string{"password", "secret", "dsn", "file", "listen"} {
			if strings.Contains(s.Key, word) {
				t.Errorf("%s may be set in the admin", s.Key)
			}
		}
	}
}
