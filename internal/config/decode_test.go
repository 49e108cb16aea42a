package config

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestNumbersAreReadStrictly(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ value, want string }{
		{"500", ""}, {"+500", ""}, {"0500", ""}, {`"500"`, ""},
		{"1e3", `"1e3" is not a whole number; write a whole number, such as 10`},
		{"1_000", `"1_000" is not a whole number`},
		{"'1,000'", `"1,000" is not a whole number`},
		{"0x10", `"0x10" is not a whole number`},
		{"5.0", `"5.0" is not a whole number`},
		{"５", `"５" is not a whole number`},
		{`""`, `"" is not a whole number`},
		{`" 5"`, `" 5" is not a whole number`},
		{"99999999999", "99999999999 is out of range; use a number from -2147483648 to 2147483647"},
		{"-99999999999", "-99999999999 is out of range; use a number from -2147483648 to 2147483647"},
		{"2147483647", "2147483647 is out of range; use a number from 1 to 100000"},
		{"0", "0 is out of range; use a number from 1 to 100000"},
		{"-1", "-1 is out of range; use a number from 1 to 100000"},
		{"true", `"true" is not a whole number`},
		{"[5]", "the value is a list; write a single value"},
		{"{a: 5}", "the value is a mapping; write a single value"},
	} {
		expectProblem(t, "delivery: {chunk: "+test.value+"}", ":1: delivery.chunk: ", test.want)
	}
}

func TestFractionsAreReadStrictly(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ value, want string }{
		{"0", ""}, {"0.3", ""}, {"100", ""}, {"1e2", ""},
		{"100.0001", "it is out of range; use a percentage from 0 (off) to 100"},
		{"-0.1", "it is out of range; use a percentage from 0 (off) to 100"},
		{"NaN", "it is out of range"}, {"Inf", "it is out of range"}, {"-Inf", "it is out of range"},
		{"1e999", `"1e999" is not a number`},
		{"0,3", `"0,3" is not a number; write a number, such as 2.5`},
		{"3%", `"3%" is not a number`},
		{"some", `"some" is not a number`},
	} {
		expectProblem(t, "delivery: {complaints_stop: \""+test.value+"\"}", ":1: delivery.complaints_stop: ", test.want)
	}
	for value, want := range map[string]string{"NaN": "it is out of range; use 0 (no limit) to 1000000", "1e7": "it is out of range", "-1": "it is out of range", "1e6": "", "0.01": ""} {
		expectProblem(t, "relays: [{host: a, per_second: "+value+"}]", ":1: relays[0].per_second: ", want)
	}
}

func TestSwitchesAreTrueOrFalse(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{"true": "", "false": "", `"true"`: "", "yes": `"yes" is neither true nor false; write true or false`, "True": `"True" is neither`, "1": `"1" is neither`, "on": `"on" is neither`, `""`: `"" is neither`, "[true]": "the value is a list; write a single value"} {
		expectProblem(t, "health: {alerts: "+value+"}", ":1: health.alerts: ", want)
	}
}

func TestDurationsNeedAUnit(t *testing.T) {
	t.Parallel()
	const form = "write a number and a unit, such as 30s, 15m, 72h or 2d"
	for _, test := range []struct{ value, want string }{
		{"72h", ""}, {"3d", ""}, {"1d12h30m", ""}, {"1.5h", ""}, {"0s", ""}, {"36500d", ""},
		{"72", `"72" has no unit; write 72s, 72m or 72h`},
		{"1.5", `"1.5" has no unit; write 1.5s, 1.5m or 1.5h`},
		{"1e5", `"1e5" is not a duration; ` + form},
		{"NaN", `"NaN" is not a duration; ` + form},
		{"5 m", `"5 m" is not a duration; ` + form},
		{"3 days", `"3 days" is not a duration; ` + form},
		{"1w", `"1w" is not a duration; ` + form},
		{"9999999999h", `"9999999999h" is not a duration; ` + form},
		{"36501d", `"36501d" is not a duration; ` + form},
		{"99999999999999999999d", `"99999999999999999999d" is not a duration; ` + form},
		{"1d-1h", `"1d-1h" is not a duration; ` + form},
		{".", `"." is not a duration; ` + form},
		{"", `"" is not a duration; ` + form},
		{"-1h", "-1h0m0s is negative; use 0s or more"},
		{"-5", `"-5" is not a duration; ` + form},
	} {
		expectProblem(t, "delivery: {retry_for: \""+test.value+"\"}", ":1: delivery.retry_for: ", test.want)
	}
}

func TestSizesNeedAUnit(t *testing.T) {
	t.Parallel()
	const form = "; write a number and a unit, such as 64MB or 512KiB"
	for _, test := range []struct{ value, want string }{
		{"64MB", ""}, {"64 mb", ""}, {"1.5GiB", ""}, {"2000000B", ""},
		{"64", `"64" has no unit` + form},
		{"64M", `"64M" has no unit` + form},
		{"64MBit", `"64MBit" is not a size` + form},
		{"64TB", `"64TB" is not a size` + form},
		{"-1MB", `"-1MB" is not a size` + form},
		{"NaNB", `"NaNB" is not a size` + form},
		{"MB", `"MB" is not a size` + form},
		{"", `"" is not a size` + form},
		{"1e30GB", `"1e30GB" is too large` + form},
		{"1e999GB", `"1e999GB" is too large` + form},
		{"9223372036854775808B", `"9223372036854775808B" is too large` + form},
		{"999KB", "it is less than a megabyte; use 64MB or more"},
	} {
		expectProblem(t, "feed_server: {memory: \""+test.value+"\"}", ":1: feed_server.memory: ", test.want)
	}
}

// expectProblem checks that a file has exactly one problem, which begins with a position and goes on with a
// text; with an empty text that it has none.
func expectProblem(t *testing.T, in, position, want string) {
	t.Helper()
	got := problemsOf(t, in)
	switch {
	case want == "" && len(got) > 0:
		t.Errorf("%.200s: %.400q", in, got)
	case want != "" && (len(got) != 1 || !strings.HasPrefix(got[0], position+want)):
		t.Errorf("%.200s:\ngot  %.400q\nwant %q", in, got, position+want)
	}
}

func TestSizesAndDurationsAreReadAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		size := Size(random.Int64() >> random.IntN(63))
		if got, err := ParseSize(size.String()); err != nil || size < 1<<53 && got != size {
			t.Errorf("%d is written %s and read as %d, %v", size, size, got, err)
		}
		d := time.Duration(random.Int64() >> random.IntN(63))
		if random.IntN(2) == 0 {
			d = d.Truncate([]time.Duration{time.Second, time.Minute, time.Hour, 24 * time.Hour}[random.IntN(4)])
		}
		if got, err := ParseDuration(FormatDuration(d)); err != nil || got != d {
			t.Errorf("%d is written %s and read as %d, %v", d, FormatDuration(d), got, err)
		}
	}
}

func TestEmptyItemsOfListsAreRefused(t *testing.T) {
	t.Parallel()
	const want = "it is empty; write a value, or remove the item"
	for position, in := range map[string]string{
		":3: import.strip[0]: ":                   "import:\n  strip:\n  -\n", // would match every line of every article
		":1: import.sources[0].strip[1]: ":        "import: {sources: [{path: x, strip: [a, '']}]}",
		":1: feeds[0].filter.tags[0]: ":           "feeds: [{name: a, filter: {tags: ['']}}]",
		":1: feeds[0].filter.authors[0]: ":        "feeds: [{name: a, filter: {authors: ''}}]",
		":1: site.languages[1]: ":                 "site: {languages: [en, ~]}",
		":1: bounces.addresses[0]: ":              "bounces: {addresses: ['${TIDINGS_NO_SUCH_NAME:-}']}",
		":1: relays[0].extra_headers[0]: ":        "relays: [{host: a, extra_headers: ['']}]",
		":1: admin.sign_in.oidc.roles.owner[0]: ": "admin: {sign_in: {oidc: {roles: {owner: ['']}}}}",
		":1: feed_server.hubs[0]: ":               "feed_server: {hubs: [~]}",
	} {
		expectProblem(t, in, position, want)
	}
	if c := parsed(t, "site: {languages: ~}\nfeed_server: {hubs: }\nimport: {strip: []}"); c.Site.Languages != nil || c.FeedSet.Hubs != nil || len(c.Import.Strip) != 0 {
		t.Errorf("lists without items: %q %q %q", c.Site.Languages, c.FeedSet.Hubs, c.Import.Strip)
	}
}

func TestSingleValueIsAListOfOneText(t *testing.T) {
	t.Parallel()
	c := parsed(t, "site: {languages: fr}\nserver: {trusted_proxies: 10.0.0.1}\nfeeds: [{name: a, filter: {tags: 2026}}]")
	if got := fmt.Sprint(c.Site.Languages, c.Server.TrustedProxies, c.Feeds[0].Filter.Tags); got != "[fr] [10.0.0.1] [2026]" {
		t.Errorf("got %s", got)
	}
	expectProblem(t, "feeds: {name: a}", ":1: feeds: ", "the value is a mapping; write a list, each item after a hyphen")
	expectProblem(t, "site: {languages: {a: b}}", ":1: site.languages: ", "the value is a mapping; write a list, each item after a hyphen")
}

func TestZeroIsKeptWhereItHasAMeaning(t *testing.T) {
	t.Parallel()
	c := parsed(t, "relays: [{host: a}, {host: b, weight: 0}, &c {host: c, weight: 7}, {<<: *c, name: d, host: d}]\nfeeds: [{name: a}, {name: b, max_age: 0s}, {name: c, max_age: 1h}]")
	var weights []int
	for _, r := range c.Relays {
		weights = append(weights, r.Weight)
	}
	if fmt.Sprint(weights) != "[1 0 7 7]" {
		t.Errorf("weights are %v: a relay of weight 0 is a standby", weights)
	}
	if got := fmt.Sprint(c.Feeds[0].MaxAge, c.Feeds[1].MaxAge, c.Feeds[2].MaxAge); got != "5m0s 0s 1h0m0s" {
		t.Errorf("times in caches are %s", got)
	}
}

func TestEnvironmentVariablesAreReplaced(t *testing.T) {
	t.Parallel()
	env := func(name string) (string, bool) {
		value, found := map[string]string{"NAME": "Ada", "EMPTY": "", "NESTED": "${NAME}", "my.name": "dotted"}[name]
		return value, found
	}
	for _, test := range []struct{ text, want, missing string }{
		{"plain", "plain", ""},
		{"${NAME}", "Ada", ""},
		{"a ${NAME} b ${NAME}", "a Ada b Ada", ""},
		{"${NESTED}", "${NAME}", ""}, // a value is not expanded again
		{"${my.name}", "dotted", ""},
		{"${EMPTY}", "", ""},
		{"${EMPTY:-x}", "x", ""},
		{"${NONE:-}", "", ""},
		{"${NONE:-a b:-c}", "a b:-c", ""},
		{"${NONE} and ${OTHER}", " and ", "NONE OTHER"},
		{"$${NAME}", "${NAME}", ""},
		{"$$${NAME}", "$${NAME}", ""},
		{"$NAME {NAME} $ {NAME}", "$NAME {NAME} $ {NAME}", ""},
		{"${NAME", "${NAME", ""},
		{"${NAME} ${", "Ada ${", ""},
		{"${}", "", ""},
		{"${NONE:-${NAME}}", "}", "NONE:-${NAME}"},
	} {
		got, missing := expand(test.text, env)
		if got != test.want || strings.Join(missing, " ") != test.missing {
			t.Errorf("%q gives %q without %q, want %q without %q", test.text, got, missing, test.want, test.missing)
		}
	}
	const form = "does not name an environment variable; write ${NAME} or ${NAME:-a default}, or $${ for a plain ${"
	expectProblem(t, "site: {title: '${}'}", ":1: site.title: ", "${} "+form)
	expectProblem(t, "site: {title: '${ X }'}", ":1: site.title: ", "${ X } "+form)
	expectProblem(t, "relays: [{host: a, username: u, password: '${TIDINGS_NONE_A:-${TIDINGS_NONE_B}}'}]", ":1: relays[0].password: ", "${TIDINGS_NONE_A:-${TIDINGS_NONE_B}} "+form)
	expectProblem(t, "delivery: {chunk: '${TIDINGS_NO_SUCH_NAME:-many}'}", ":1: delivery.chunk: ", `"many" is not a whole number`)
}

func TestUnknownKeysSuggestTheNearestOne(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Site: {}":                        ":1: Site: unknown key; did you mean site?",
		"site: {URL: x}":                  ":1: site.URL: unknown key; use one of: title, description, url, former_urls",
		"site.title: x":                   ":1: site.title: unknown key; use one of: site, store",
		"site:{title: x}":                 ":1: site:{title: unknown key; use one of: site, store",
		"? [a]\n: b":                      ":1: unknown key; use one of: site, store",
		"\"\": x":                         ":1: unknown key; use one of: site, store",
		"sitе: {}":                        ":1: sitе: unknown key; did you mean site?", // with a Cyrillic letter
		"relays: [{host: a, pasword: b}]": ":1: relays[0].pasword: unknown key; did you mean password?",
		"relays: [{host: a, user: b}]":    ":1: relays[0].user: unknown key; use one of: name, host, port",
	} {
		got := strings.Join(problemsOf(t, in), "\n")
		if !strings.HasPrefix(got, want) {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if got := nearest(strings.Repeat("title", 1<<20), keysOf(reflect.TypeFor[Site]())); got != "" { // not compared letter by letter
		t.Errorf("a key of 5 MB is taken for %s", got)
	}
}

func TestLongValuesAreShortenedInProblems(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 10_000)
	for _, in := range []string{"site: {url: " + long + "}", "log: {level: " + long + "}", "site: " + long, "import: {strip: ['(" + long + "']}"} {
		for _, problem := range problemsOf(t, in) {
			if len(problem) > 2000 || !strings.Contains(problem, " … ") {
				t.Errorf("%.30s: a problem of %d bytes: %.100s", in, len(problem), problem)
			}
		}
	}
}

func TestDuplicateKeysAreFoundOnEveryLevel(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"log: {}\nlog: {}": ":2: log: duplicate key, first in line 1; remove one of them",
		"site:\n  title: a\n  url: http://a.example\n  title: a\n":  ":4: site.title: duplicate key, first in line 2; remove one of them",
		"relays:\n- host: a\n  host: a\n":                           ":3: relays[0].host: duplicate key, first in line 2; remove one of them",
		"log:\n  level: info\n  \"level\": info\n":                  ":3: log.level: duplicate key, first in line 2; remove one of them",
		"log: &l {level: info}\nmetrics: {<<: *l}":                  ":1: metrics.level: unknown key; use one of: listen, token",
		"site:\n  title: {en: a}\n  title: {en: b}\n  titel: c\n\n": ":3: site.title: duplicate key, first in line 2; remove one of them",
	} {
		if got := problemsOf(t, in); len(got) == 0 || got[0] != want && !strings.HasPrefix(got[0], want) {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
