package config

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// full is a file with something in most places.
const full = `
site: {title: {en: The Gazette, fr: La Gazette, "": Gazette}, description: "two\nlines", url: https://gazette.example, former_urls: [https://old.example], language: en, languages: [en, fr], timezone: Europe/Paris,
  copyright: "© ${TIDINGS_NO_SUCH_NAME:-2026} $${x}", editor: "Ada <ada@gazette.example>", icon: /icon.png}
store: {dsn: "sqlite:/var/lib/t.db", durability: normal}
log: {level: warn}
brand: {logo: {url: /logo.png, alt: {en: Logo, fr: Le logo}, width: 10}, light: {accent: "#0f5c56"}, heading_font: "Avenir Next, Georgia", links: [{name: M, url: https://m.example}], footer: "true"}
import: {sources: [{path: /articles, tags: ["2026", "yes"], strip: ["^#"]}], strip: ["a: b"]}
feeds:
- &a {name: all, limit: 10, max_age: 0s, podcast: {category: Arts > Design, explicit: true}}
- {<<: *a, name: go, title: "007", filter: {match: golang AND NOT jobs, tags: [a, b], search: "1e3"}}
feed_server: {memory: 1500KB, retry_after: 90s}
digests:
- {name: weekly, schedule: "0 8 * * 5", sender: "News <news@gazette.example>", title: {fr: Semaine, en: "No"}, draft_before: 1d12h, notify: {to: owners, sent: true}, index_editions: false,
  sections: [{title: Local, tag: local}, {title: {en: Rest, fr: Reste}}], link_parameters: "a={digest}&b=c%20d", filter: {languages: [en]}}
- {name: daily, schedule: "@daily", sender: news@gazette.example, notify: none, min_articles: 2, max_articles: 2}
relays:
- {host: smtp.gazette.example, username: u, password: "${TIDINGS_NO_SUCH_NAME:-hunter2}", weight: 0, per_second: 0.25, max_size: 25MB, extra_headers: ["X-Token: hunter2", "X-A: b"], warmup: 500/day x2}
- {socket: /run/smtp, protocol: lmtp}
mail: {postal_address: "1 Quay\nHarbour", owner: owner@gazette.example}
bounces: {webhooks: [{service: ses, secret: hunter2hunter2}], mailbox: {host: imap.gazette.example, username: b, password: hunter2}}
retention: {jobs: 0}
health: {disk_free: 0B, stuck_after: 0s}
check: {errors: warn, links: false}
`

// shuffle returns a YAML document with the keys of its mappings in another order.
func shuffle(t *testing.T, random *rand.Rand, data []byte) []byte {
	t.Helper()
	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		t.Fatal(err)
	}
	var turn func(n *yaml.Node)
	turn = func(n *yaml.Node) {
		if n.Kind == yaml.MappingNode {
			pairs := make([][2]*yaml.Node, len(n.Content)/2)
			for i := range pairs {
				pairs[i] = [2]*yaml.Node{n.Content[2*i], n.Content[2*i+1]}
			}
			random.Shuffle(len(pairs), func(i, j int) { pairs[i], pairs[j] = pairs[j], pairs[i] })
			n.Content = nil
			for _, pair := range pairs {
				n.Content = append(n.Content, pair[0], pair[1])
			}
		}
		for _, below := range n.Content {
			turn(below)
		}
	}
	turn(&document)
	out, err := yaml.Marshal(&document)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func jsonOf(t *testing.T, c *Config) string {
	t.Helper()
	data, err := c.JSON()
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestOrderOfKeysDoesNotMatter(t *testing.T) {
	t.Parallel()
	in := strings.NewReplacer("&a {name: all", "{name: all", "<<: *a, ", "").Replace(full) // an alias must follow its anchor
	want := jsonOf(t, parsed(t, in))
	random := rand.New(rand.NewPCG(1, 3))
	for range 4 {
		turned := shuffle(t, random, []byte(in))
		if got := jsonOf(t, parsed(t, string(turned))); got != want {
			t.Fatalf("%s\ngives\n%s\nwant\n%s", turned, got, want)
		}
	}
}

// withHeader puts a header in place of one that an export hides.
func withHeader(exported string) string {
	return strings.ReplaceAll(exported, "[(secret),", `["X-Token: t",`)
}

func TestShownAndExportedFilesAreReadBack(t *testing.T) {
	t.Parallel()
	c := parsed(t, full)
	shown, err := c.YAML()
	if err != nil {
		t.Fatal(err)
	}
	exported, err := c.Export()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"shown": string(shown), "exported": string(exported)} {
		if strings.Contains(text, "hunter2") {
			t.Errorf("%s with its secrets:\n%s", name, text)
		}
		text = withHeader(text)
		if name == "shown" { // the values stand for themselves
			text = strings.ReplaceAll(text, "${", "$${")
		}
		again := parsed(t, text)
		for _, one := range []*Config{c, again} {
			one.Relays[0].Password, one.Relays[0].ExtraHeaders, one.Bounces.Webhooks[0].Secret, one.Bounces.Mailbox.Password = "", nil, "", ""
		}
		if got, want := jsonOf(t, again), jsonOf(t, c); got != want {
			t.Errorf("%s:\n%s\nis read as\n%s\nwant\n%s", name, text, got, want)
		}
	}
}

// TestStoringTheFilesOwnValuesChangesNothing stores each value that may be set as the file has it.
func TestStoringTheFilesOwnValuesChangesNothing(t *testing.T) {
	t.Parallel()
	file := parsed(t, full)
	want := jsonOf(t, file)
	var all []Stored
	for _, s := range settable {
		for _, names := range []*strings.Replacer{strings.NewReplacer("digests[]", "digests[weekly]", "feeds[]", "feeds[go]"), strings.NewReplacer("digests[]", "digests[daily]", "feeds[]", "feeds[all]")} {
			key := names.Replace(s.Key)
			value, found := file.Value(key)
			if !found {
				t.Errorf("%s has no value", key)
			}
			all = append(all, Stored{Key: key, Value: value})
		}
	}
	random := rand.New(rand.NewPCG(4, 4))
	for range 2 {
		random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		c, err := file.With(all)
		if err != nil {
			t.Fatal(err)
		}
		if got := jsonOf(t, c); got != want || len(c.Unused()) > 0 {
			t.Fatalf("unused %v, and the configuration changes to\n%s\nfrom\n%s", c.Unused(), got, want)
		}
		again, err := c.With(all)
		if err != nil || jsonOf(t, again) != want || again.File() != file {
			t.Fatalf("with the same values once more: %v", err)
		}
	}
}

func TestAnyStoredTextIsKeptLetterByLetter(t *testing.T) {
	t.Parallel()
	file := parsed(t, full)
	for value, want := range map[string]string{
		`"plain"`: "plain", `"\ud83d\ude00"`: "😀", `"\u00e9"`: "é", `"a\/b"`: "a/b", `"\u2028"`: "\u2028", `"true"`: "true", `"no"`: "no", `"0123"`: "0123", `"1e3"`: "1e3", `"null"`: "null", `"~"`: "~", `" padded "`: " padded ",
		`"# x"`: "# x", `"a: b"`: "a: b", `"*x &y !z %w @v"`: "*x &y !z %w @v", `"${HOME} $${HOME}"`: "${HOME} $${HOME}", `"'\""`: `'"`, `"\\n"`: `\n`, `"a\nb\tc"`: "a\nb\tc", `"<<"`: "<<", `""`: "", `"---"`: "---",
	} {
		c, err := file.With([]Stored{{Key: "site.copyright", Value: value}, {Key: "digests[daily].description", Value: `{"fr":` + value + `,"en":"x"}`}})
		if err != nil && value != `""` {
			t.Errorf("%s: %v", value, err)
			continue
		}
		if value == `""` {
			continue // refused for a language
		}
		again, found := c.Value("site.copyright")
		if c.Site.Copyright != want || !found {
			t.Errorf("%s is %q, and shown %s", value, c.Site.Copyright, again)
		}
		exported, err := c.Export()
		if err != nil {
			t.Fatal(err)
		}
		if back := parsed(t, withHeader(string(exported))); back.Site.Copyright != want || back.Digests[1].Description != c.Digests[1].Description {
			t.Errorf("%s is exported and read as %q and %q", value, back.Site.Copyright, back.Digests[1].Description)
		}
	}
}

func TestStoredValuesOfWrongTypesAreRefused(t *testing.T) {
	t.Parallel()
	file := parsed(t, full)
	for _, test := range []struct{ key, value, want string }{
		{"site.title", "", "settings of the admin: site.title: the stored value is not JSON; use the file's value"},
		{"site.title", "plain", "the stored value is not JSON"},
		{"site.title", `"a" "b"`, "the stored value is not JSON"},
		{"site.title", "{'en': 'x'}", "the stored value is not JSON"},
		{"site.title", strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000), "the stored value is not JSON"},
		{"site.title", strings.Repeat("[", 500) + strings.Repeat("]", 500), "the value is a list; write one text, or one per language"},
		{"site.title", `{"en":{"fr":"x"}}`, "the value is a mapping; write a single value"},
		{"site.title", `{"en":"a","EN":"b"}`, "the same language is there twice; remove one of them"},
		{"site.languages", `{"en":true}`, "settings of the admin: site.languages: the value is a mapping; write a list, each item after a hyphen"},
		{"site.languages", `["en",""]`, "site.languages[1]: it is empty"},
		{"site.index_editions", `"yes"`, `"yes" is neither true nor false`},
		{"health.alerts", `1`, `"1" is neither true nor false`},
		{"digests[weekly].max_articles", `1e2`, `settings of the admin: digests[weekly].max_articles: "1e2" is not a whole number`},
		{"digests[weekly].max_articles", `"many"`, `"many" is not a whole number`},
		{"digests[weekly].draft_before", `36`, `"36" has no unit; write 36s, 36m or 36h`},
		{"digests[weekly].sender", `["a@b.example"]`, "the value is a list; write a single value"},
		{"brand.logo", `"/a.png"`, "settings of the admin: brand.logo: the value is \"/a.png\"; write keys below it, such as url, alt, width"},
		{"brand.logo", `{"href":"/a.png"}`, "unknown key"},
	} {
		_, err := file.With([]Stored{{Key: test.key, Value: test.value}})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %.60s gives %v, want %s", test.key, test.value, err, test.want)
		}
	}
	for _, key := range []string{"", ".", "site", "site.", "site.url", "site..title", "Site.title", "digests", "digests[]", "digests[weekly", "digests[weekly].name", "digests[WEEKLY].title", "digests[weekly].title.en", "relays[main].password", "store.dsn", "feeds[all].podcast", "x\x00"} {
		c, err := file.With([]Stored{{Key: key, Value: `"x"`}})
		if err != nil || fmt.Sprintf("%q", c.Unused()) != fmt.Sprintf("%q", []string{key}) || MaySet(key) {
			t.Errorf("%q: %v", key, err)
		}
		if value, found := file.Value(key); found {
			t.Errorf("%q is shown as %s", key, value)
		}
	}
}

// TestFingerprintShowsEverySharedSetting changes each value of a configuration, one at a time.
func TestFingerprintShowsEverySharedSetting(t *testing.T) {
	t.Parallel()
	own := []string{"server", "store", "log", "import", "metrics", "templates", "health.disk_free", "relays[0].ca_file", "relays[0].password_file", "relays[0].helo", "mail.test_mailbox", "mail.dkim[0].key_file", "backup.folder", "backup.s3", "bounces.smtp", "bounces.lmtp"}
	ownsOf := func(key string) bool {
		for _, prefix := range own {
			if key == prefix || strings.HasPrefix(key, prefix+".") || strings.HasPrefix(key, prefix+"[") {
				return true
			}
		}
		return false
	}
	c := docDefaults()
	before := c.SharedHash()
	seen := 0
	var walk func(v reflect.Value, key string)
	walk = func(v reflect.Value, key string) {
		old := reflect.ValueOf(v.Interface())
		switch v.Kind() {
		case reflect.Struct:
			for i := range v.NumField() {
				if name := v.Type().Field(i).Tag.Get("yaml"); name != "" {
					walk(v.Field(i), join(key, name))
				}
			}
			return
		case reflect.Pointer:
			if !v.IsNil() && v.Elem().Kind() == reflect.Struct {
				walk(v.Elem(), key)
				return
			}
			v.Set(reflect.New(v.Type().Elem()))
		case reflect.Slice:
			if v.Len() > 0 && v.Index(0).Kind() == reflect.Struct {
				walk(v.Index(0), key+"[0]")
				return
			}
			v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
		case reflect.String:
			v.SetString(v.String() + "x")
		case reflect.Bool:
			v.SetBool(!v.Bool())
		case reflect.Int, reflect.Int64:
			v.SetInt(v.Int() + int64(time.Second))
		case reflect.Float64:
			v.SetFloat(v.Float() + 1)
		default:
			t.Fatalf("%s is a %s", key, v.Kind())
		}
		seen++
		secret := v.Type() == reflect.TypeFor[Secret]() || v.Type() == reflect.TypeFor[[]HeaderLine]()
		if after := c.SharedHash(); (after == before) != (ownsOf(key) || secret && after == before) {
			t.Errorf("a change of %s changes the fingerprint: %v", key, after != before)
		}
		v.Set(old)
	}
	walk(reflect.ValueOf(&c).Elem(), "")
	if seen < 150 || c.SharedHash() != before {
		t.Errorf("%d values were changed, and the fingerprint went from %s to %s", seen, before, c.SharedHash())
	}
}

func TestEntriesAreExportedAlone(t *testing.T) {
	t.Parallel()
	c, err := parsed(t, full).With([]Stored{{Key: "feeds[new]", Value: "true"}, {Key: "feeds[new].title", Value: `"New"`}})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ list, name, want string }{
		{"feeds", "go", "match: golang AND NOT jobs"}, {"feeds", "new", "title: New"}, {"digests", "daily", "schedule: \"@daily\""},
		{"feeds", "gone", "!c.yaml has no feeds gone"}, {"relays", "x", "!c.yaml has no relays x"}, {"nothing", "x", "!c.yaml has no nothing x"},
	} {
		data, err := c.ExportEntry(test.list, test.name)
		got := string(data)
		if err != nil {
			got = "!" + err.Error()
		}
		if !strings.Contains(got, test.want) || err == nil && (!strings.HasPrefix(got, test.list+":\n") || strings.Count(got, "- ") != 1 && test.list == "feeds" && test.name == "new") {
			t.Errorf("%s %s: %s, want %s", test.list, test.name, got, test.want)
		}
	}
	if data, err := Default().ExportEntry("feeds", "all"); err != nil || !strings.HasPrefix(string(data), "feeds:") {
		t.Errorf("without a file: %s, %v", data, err)
	}
}
