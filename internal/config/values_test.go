package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/article"
)

// TestDurationsDoNotOverflow: days and hours may each fit, and their sum may not.
func TestDurationsDoNotOverflow(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"36500d1600000h": 36500*24*time.Hour + 1600000*time.Hour, "1d0s": 24 * time.Hour, "0d": 0, "00d1h": time.Hour,
		"36500d2000000h": -1, "36500d2562047h": -1, "1d9223372036s": -1, "d": -1, "1dd": -1, "1d2d": -1, "+1d": -1, "1d ": -1, "1d+1h": 25 * time.Hour,
	} {
		got, err := ParseDuration(text)
		if want < 0 && err == nil || want >= 0 && (err != nil || got != want) || got < 0 {
			t.Errorf("%q is %d, %v; want %d", text, got, err, want)
		}
	}
}

func TestLinkParametersAreReadStrictly(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string]string{
		"":                "[]",
		"utm_source=news": "[{utm_source news}]",
		"utm_source=news&utm_campaign={digest}-{number}": "[{utm_source news} {utm_campaign {digest}-{number}}]",
		"a=1%202&b%26=c+d":              "[{a 1 2} {b& c d}]",
		"a=b=c":                         "[{a b=c}]",
		"{section}={date}":              "[{{section} {date}}]",
		"a=%7Bdigest%7D":                "[{a {digest}}]",
		"?a=b":                          "it begins with a question mark",
		"a":                             `"a" is not a name and a value`,
		"a=":                            `"a=" is not a name and a value`,
		"=b":                            `"=b" is not a name and a value`,
		"a=b&":                          `"" is not a name and a value`,
		"&a=b":                          `"" is not a name and a value`,
		"a=b&a=c":                       "the parameter a is there twice",
		"a=b&%61=c":                     "the parameter a is there twice",
		"a=%zz":                         `"%zz": invalid URL escape "%zz"`,
		"a={name}":                      "unknown placeholder {name}; the placeholders are {digest}, {number}, {date}, {section}",
		"a={}":                          "unknown placeholder {}",
		"a=}":                           "[{a }}]",
		"a=" + strings.Repeat("x", 498): "[{a " + strings.Repeat("x", 498) + "}]",
		"a=" + strings.Repeat("x", 499): "it is longer than 500 bytes",
	} {
		got, err := ParseLinkParameters(pattern)
		text := fmt.Sprint(got)
		if err != nil {
			text = err.Error()
		}
		if !strings.HasPrefix(text, strings.TrimSuffix(want, "}")) || err == nil && text != want {
			t.Errorf("%.60q: %.100s, want %.100s", pattern, text, want)
		}
	}
}

func TestFiltersOfTheFileSelectArticles(t *testing.T) {
	t.Parallel()
	a := &article.Article{Title: "How we count the swifts", Tags: []string{"Birds", "été"}, Language: "en-GB", Authors: []article.Author{{Name: "Ada Whitlock"}}}
	for name, c := range map[string]struct {
		filter Filter
		want   bool
	}{
		"none":                  {Filter{}, true},
		"one of the tags":       {Filter{Tags: []string{"boats", "BIRDS"}}, true},
		"none of the tags":      {Filter{Tags: []string{"boats"}}, false},
		"a tag in another form": {Filter{Tags: []string{"e\u0301te\u0301"}}, true},
		"an author":             {Filter{Authors: []string{"ada  whitlock"}}, true},
		"a language":            {Filter{Languages: []string{"fr", "EN"}}, true},
		"another language":      {Filter{Languages: []string{"en-US"}}, false},
		"all words":             {Filter{Search: "swifts count"}, true}, // in any order
		"a word too much":       {Filter{Search: "swifts boats"}, false},
		"an expression":         {Filter{Match: "birds AND NOT jobs"}, true},
		"all of them":           {Filter{Match: "birds", Tags: []string{"été"}, Authors: []string{"Ada Whitlock"}, Languages: []string{"en"}, Search: "the"}, true},
		"one that fails":        {Filter{Match: "birds", Tags: []string{"été"}, Authors: []string{"Bob"}}, false},
	} {
		filter, err := c.filter.Compile()
		if err != nil || filter.Match(a) != c.want || c.filter.isSet() != (name != "none") {
			t.Errorf("%s: %v, %v; want %v", name, filter, err, c.want)
		}
		again, err := article.ParseFilter(filter.String())
		if err != nil || again.Match(a) != c.want {
			t.Errorf("%s is written as %s, which selects it: %v, %v", name, filter, again.Match(a), err)
		}
	}
	if _, err := (Filter{Match: "(a"}).Compile(); err == nil {
		t.Error("an invalid expression is compiled")
	}
	section := DigestSection{Tag: "BIRDS"}
	if filter, err := section.Compile(); err != nil || !filter.Match(a) || section.SelectsRest() {
		t.Errorf("the section of a tag: %v, %v", filter, err)
	}
	rest := DigestSection{}
	if filter, err := rest.Compile(); err != nil || !filter.Match(a) || !rest.SelectsRest() {
		t.Errorf("the section of the rest: %v, %v", filter, err)
	}
}

func TestPodcastCategoriesAreThoseOfApple(t *testing.T) {
	t.Parallel()
	for category, want := range map[string]string{
		"":                    "",
		"News":                "",
		"News > Tech News":    "",
		"News>Politics":       "",
		" News  >  Politics ": "",
		"news":                `unknown value "news"; did you mean News?`,
		"News > Tech":         `Apple's category News has no subcategory "Tech"; use one of: News > Business News, News > Daily News`,
		"News > Politic":      `Apple's category News has no subcategory "Politic"; did you mean News > Politics?`,
		"History > Old":       `Apple's category History has no subcategory "Old"; write History`,
		"News >":              `Apple's category News has no subcategory ""; use one of: News > Business News`,
		"> Politics":          `unknown value ""; use one of: Arts, Business`,
		"Politics":            `unknown value "Politics"; use one of: Arts, Business`,
		"News > A > B":        `Apple's category News has no subcategory "A > B"`,
	} {
		expectProblem(t, "feeds: [{name: all, podcast: {category: '"+category+"'}}]", ":1: feeds[0].podcast.category: ", want)
	}
}

func TestPodcastWithoutWhatDirectoriesWantGivesWarnings(t *testing.T) {
	t.Parallel()
	warned := func(site, podcast string) string {
		c, err := Parse([]byte("site: {title: T, url: 'https://press.example', "+site+"}\nfeeds: [{name: all, podcast: {"+podcast+"}}]\n"), "c.yaml")
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, w := range c.SettingWarnings() {
			if key, found := strings.CutPrefix(w.Key, "feeds[0].podcast."); found {
				out = append(out, key)
			}
		}
		return strings.Join(out, " ")
	}
	for _, c := range [][3]string{
		{"", "type: serial", "category owner image"},
		{"editor: 'Ada <ada@press.example>', image: /cover.png", "type: serial", "category"},
		{"", "type: serial, category: News, owner: 'Ada <ada@press.example>', image: 'https://press.example/cover.png'", ""},
	} {
		if got := warned(c[0], c[1]); got != c[2] {
			t.Errorf("%v: warnings about %q", c, got)
		}
	}
}

func TestFoldersStandBesideTheStore(t *testing.T) {
	t.Parallel()
	for dsn, want := range map[string][2]string{
		"sqlite:/var/lib/t.db":    {"/var/lib/t.journal", "/var/lib/t.certificates"},
		"sqlite:/var/lib/tidings": {"/var/lib/tidings.journal", "/var/lib/tidings.certificates"},
		"sqlite:///var/lib/t.db":  {"/var/lib/t.journal", "/var/lib/t.certificates"},
		"sqlite:data/t.sqlite3":   {"/etc/data/t.journal", "/etc/data/t.certificates"},
		"sqlite::memory:":         {"", "/etc/tidings.certificates"},
		"postgres://u@h/d":        {"", "/etc/tidings.certificates"},
	} {
		c, err := Parse([]byte("store: {dsn: '"+dsn+"'}\n"), "/etc/config.yaml")
		if err != nil {
			t.Errorf("%s: %v", dsn, err)
			continue
		}
		journal := c.Store.JournalFolder()
		if dsn == "sqlite::memory:" {
			journal = "" // nothing outlives it
		}
		if got := [2]string{journal, c.CertificateFolder()}; got != want {
			t.Errorf("%s: %q, want %q", dsn, got, want)
		}
	}
	for journal, want := range map[string]string{"none": "", "other": "/etc/other", "/srv/j": "/srv/j"} {
		c, err := Parse([]byte("store: {journal: "+journal+"}\n"), "/etc/config.yaml")
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Store.JournalFolder(); got != want {
			t.Errorf("journal: %s is %q, want %q", journal, got, want)
		}
	}
}

func TestModesOfSocketsAreOctal(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]os.FileMode{"0660": 0o660, "777": 0o777, "0": 0, "600": 0o600, "": 0o660, "0999": 0o660, "rw": 0o660, "1777": 0o777} {
		if got := (&Server{SocketMode: text}).Mode(); got != want {
			t.Errorf("%q is %o, want %o", text, got, want)
		}
	}
	for mode, want := range map[string]string{"0660": "", "1777": `"1777" is not a file mode; write octal digits in quotes, such as "0660"`, "8": `"8" is not a file mode`, "-1": `"-1" is not a file mode`} {
		expectProblem(t, "server: {socket_mode: '"+mode+"'}", ":1: server.socket_mode: ", want)
	}
}

func TestHostsOfCertificatesAreListedOnce(t *testing.T) {
	t.Parallel()
	s := Site{URL: "https://Press.example:8443/x", FormerURLs: []string{"https://old.example", "http://plain.example", "https://press.EXAMPLE", "https://[2001:db8::1]/", "::"}}
	if got := s.Hosts(); !slices.Equal(got, []string{"press.example", "old.example", "2001:db8::1"}) {
		t.Errorf("%q", got)
	}
}

func TestTextsInJSONKeepTheirOrder(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		`"The Week"`:                      "The Week",
		`""`:                              "",
		`{"fr":"La semaine","en":"a\"b"}`: "",
		`{"":"x"}`:                        "x", // one for every language is a plain text
	} {
		var text Text
		if err := json.Unmarshal([]byte(source), &text); err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		back, err := json.Marshal(text)
		if want != "" && string(text) != want || err != nil || want == "" && string(back) != source {
			t.Errorf("%s is read as %q and written as %s, %v", source, text, back, err)
		}
	}
	for _, source := range []string{"5", "null5", "[]", `["a"]`, `{"en":5}`, `{"en":{}}`, `{"en"`, ""} {
		var text Text
		if err := text.UnmarshalJSON([]byte(source)); err == nil {
			t.Errorf("%s is read as %q", source, text)
		}
	}
}

func TestProblemsNameTheNearestKeyWithALine(t *testing.T) {
	t.Parallel()
	c, err := Parse([]byte("site:\n  title: T\n\ndigests:\n  - name: weekly\n    schedule: '@weekly'\n    sender: n@press.example\n"), "conf/c.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{
		"site.title": "conf/c.yaml:2", "site.url": "conf/c.yaml:1", "digests[0].schedule": "conf/c.yaml:6", "digests[0].filter.tags[3]": "conf/c.yaml:5", "digests[7].name": "conf/c.yaml:4",
		"relays[0].host": "conf/c.yaml", "": "conf/c.yaml", "no such key": "conf/c.yaml",
	} {
		if got := c.Position(key); got != want {
			t.Errorf("%q is at %s, want %s", key, got, want)
		}
	}
	if got := c.Problem("digests[0].schedule", "it is wrong", "write another").Error(); got != "conf/c.yaml:6: digests[0].schedule: it is wrong; write another" {
		t.Error(got)
	}
	if got := c.Path(); got != "conf/c.yaml" {
		t.Error(got)
	}
	if got := c.DigestNames(); !slices.Equal(got, []string{"weekly"}) {
		t.Errorf("%q", got)
	}
	if err := c.CheckDigests([]string{"weekly", "daily"}); err == nil || err.Error() != `unknown digest "daily"; configured digests: weekly` {
		t.Errorf("%v", err)
	}
	for key, want := range map[string]string{"digests[0].schedule": "digests[weekly].schedule", "digests[9].schedule": "digests[9].schedule", "digests[0]": "digests[weekly]", "feeds[0].name": "feeds[all].name", "relays[0].host": "relays[0].host", "digests[99999999999999999999].x": "digests[weekly].x"} {
		if got := c.KeyWithName(key); got != want && key != "digests[99999999999999999999].x" {
			t.Errorf("%s is named %s, want %s", key, got, want)
		}
	}
}

func TestValuesOfSettableKeysAreFound(t *testing.T) {
	t.Parallel()
	c, err := Parse([]byte("site: {title: {en: The Week, fr: La semaine}}\ndigests: [{name: weekly, schedule: '@weekly', sender: n@press.example, min_articles: 3}]\n"), "c.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{
		"site.title": `{"en":"The Week","fr":"La semaine"}`, "digests[weekly].min_articles": "3", "digests[weekly].schedule": `"@weekly"`, "digests[weekly]": "true",
		"digests[daily].schedule": "!", "digests[weekly].no_such": "!", "store.dsn": "!", "site": "!", "": "!", "digests[Weekly].schedule": "!", "site.title.en": "!", "digests": "!", "relays[0].password": "!",
	} {
		got, found := c.Value(key)
		if !found {
			got = "!"
		}
		if got != want {
			t.Errorf("%s is %s, want %s", key, got, want)
		}
	}
}

func TestEntriesThatAreNotThereAreNotExported(t *testing.T) {
	t.Parallel()
	c, err := Parse([]byte("digests: [{name: weekly, schedule: '@weekly', sender: n@press.example}]\n"), "c.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.ExportEntry("digests", "daily"); err == nil || err.Error() != "c.yaml has no digests daily" {
		t.Errorf("%v", err)
	}
	if got, err := c.ExportEntry("digests", "weekly"); err != nil || !strings.HasPrefix(string(got), "digests:\n") || !strings.Contains(string(got), "name: weekly") {
		t.Errorf("%s, %v", got, err)
	}
	if _, err := c.ExportEntry("feeds", "all"); err == nil {
		t.Error("a list that is not in the file is exported")
	}
}

func TestFilesThatAreTooLargeOrMissingAreNamed(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	large := filepath.Join(folder, "large.yaml")
	if err := os.WriteFile(large, []byte("# "+strings.Repeat("x", 4<<20)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(large); err == nil || err.Error() != large+": the file is larger than 4 MB; check that it is the configuration file" {
		t.Errorf("%v", err)
	}
	if _, err := Load(filepath.Join(folder, "none.yaml")); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), `create it with "tidings init", or name the file with --config`) {
		t.Errorf("%v", err)
	}
	if _, err := Load(folder); err == nil {
		t.Error("a folder is read")
	}
}

func TestHiddenValuesAreHiddenInEveryForm(t *testing.T) {
	t.Parallel()
	const secret = "correct-horse"
	for _, v := range []interface {
		hidden
		GoString() string
		MarshalYAML() (any, error)
		MarshalText() ([]byte, error)
	}{Secret(secret), DSN("postgres://u:" + secret + "@h/d"), HeaderLine("X-Token: " + secret), HeaderLine(secret)} {
		asYAML, err1 := v.MarshalYAML()
		asText, err2 := v.MarshalText()
		asJSON, err3 := json.Marshal(v)
		for _, shown := range []string{v.String(), v.GoString(), fmt.Sprint(v), fmt.Sprintf("%v %+v %#v %q %s", v, v, v, v, v), fmt.Sprint(asYAML), string(asText), string(asJSON)} {
			if strings.Contains(shown, secret) || shown == "" {
				t.Errorf("%T is shown as %s", v, shown)
			}
		}
		if !strings.Contains(v.Reveal(), secret) || errors.Join(err1, err2, err3) != nil {
			t.Errorf("%T: %q, %v", v, v.Reveal(), errors.Join(err1, err2, err3))
		}
	}
	if got := Secret("").String() + DSN("").String() + HeaderLine("").String(); got != "" {
		t.Errorf("empty values are shown as %q", got)
	}
}
