package config

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// problemsOf checks a file's content and gives the problems without the file's name.
func problemsOf(t *testing.T, content string) []string {
	t.Helper()
	_, err := Parse([]byte(content), "c.yaml")
	if err == nil {
		return nil
	}
	problems, ok := err.(Problems)
	if !ok {
		t.Fatalf("%T: %v", err, err)
	}
	var out []string
	for _, p := range problems {
		out = append(out, strings.TrimPrefix(p.Error(), "c.yaml"))
	}
	return out
}

const digestStart = "digests:\n- name: weekly\n  sender: a@example.org\n  schedule: '@weekly'\n"

const acmeStart = "server:\n  tls: auto\n  acme: {email: a@example.org}\n"

func TestProblemsNameLineAndFix(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, in, want string }{
		{"unknown key", "site:\n  titel: x", ":2: site.titel: unknown key; did you mean title?"},
		{"unknown key like none", "xyzzy: 1", ":1: xyzzy: unknown key; use one of: site, store,"},
		{"a key twice", "log: {level: info}\nlog: {level: warn}", ":2: log: duplicate key, first in line 1; remove one of them"},
		{"broken YAML", "site:\n  title: [x", ":"},
		{"a tab", "site:\n\ttitle: x", ":2: found character that cannot start any token; indent with spaces, not with tabs"},
		{"two documents", "log: {}\n---\nlog: {}", ":2: a second document begins"},
		{"a value where keys belong", "site: x", `:1: site: the value is "x"; write keys below it, such as title, description, url`},
		{"a list where a value belongs", "site:\n  title: [x]", ":2: site.title: the value is a list; write one text, or one per language"},
		{"a value where a list belongs", "feeds: x", `:1: feeds: the value is "x"; write a list, each item after a hyphen`},
		{"a merge of itself", "site: &s\n  <<: *s", "it refers to itself"},
		{"no environment", "site:\n  title: ${TIDINGS_NO_SUCH_NAME}", ":2: site.title: the environment variable TIDINGS_NO_SUCH_NAME is not set; set it, or write ${TIDINGS_NO_SUCH_NAME:-a default}"},
		{"no unit", "delivery:\n  retry_for: 72", `:2: delivery.retry_for: "72" has no unit; write 72s, 72m or 72h`},
		{"no duration", "delivery:\n  retry_for: soon", `"soon" is not a duration`},
		{"size without unit", "feed_server:\n  memory: 64", `"64" has no unit; write a number and a unit`},
		{"no size", "feed_server:\n  memory: big", `"big" is not a size`},
		{"no whole number", "delivery:\n  chunk: many", `"many" is not a whole number`},
		{"neither true nor false", "import:\n  sources: [{path: x, watch: maybe}]", `"maybe" is neither true nor false`},
		{"bad address of the site", "site:\n  url: news.example.org", `:2: site.url: "news.example.org" is not a web address; use an address such as https://news.example.org`},
		{"bad timezone", "site:\n  timezone: Europe/Pariss", `:2: site.timezone: timezone "Europe/Pariss" is unknown; `},
		{"bad mailbox", "site:\n  editor: nobody", `:2: site.editor: address "nobody": it has no @; `},
		{"bad language", "site:\n  language: klingonese", `:2: site.language: "klingonese" is not a language tag`},
		{"bad store", "store:\n  dsn: mysql://x", `:2: store.dsn: it names neither SQLite nor PostgreSQL`},
		{"a draft too short before", digestStart + "  draft_before: 10s", ":5: digests[0].draft_before: 10s is too short for an editor to read a proof; use 1m or more"},
		{"a draft before the tick before", "digests:\n- name: daily\n  sender: a@example.org\n  schedule: '0 8 * * *'\n  draft_before: 48h", ":5: digests[0].draft_before: 48h0m0s is longer than the time between two ticks, 24h0m0s; use at most that"},
		{"an unknown deadline", digestStart + "  at_deadline: wait", `:5: digests[0].at_deadline: unknown value "wait"; use one of: send, hold, skip`},
		{"bad choice", "store:\n  durability: ful", `unknown value "ful"; did you mean full?`},
		{"bad listen", "server:\n  listen: \"8080\"", `"8080" is not an address with a port`},
		{"a relative socket", "server:\n  listen: unix:http.sock", `server.listen: "http.sock" is not an absolute path; write one such as unix:/run`},
		{"a socket's mode", "server:\n  socket_mode: rw", `server.socket_mode: "rw" is not a file mode; write octal digits`},
		{"TLS without https", "server:\n  tls: auto\n  acme: {email: a@example.org}", ":2: server.tls: it is auto, but site.url is http://localhost:8080; begin site.url with https://"},
		{"TLS for an IP address", acmeStart + "site: {url: https://192.0.2.1}", "server.tls: auto needs a host name, but site.url has the address 192.0.2.1; use a host name"},
		{"TLS for a private name", acmeStart + "site: {url: https://press.internal}", "server.tls: Let's Encrypt gives no certificates for press.internal; use a public host name"},
		{"TLS without an address", "server:\n  tls: auto\nsite: {url: https://press.example.org}", "server.acme.email: it is missing; write the mail address"},
		{"TLS on a Unix socket", acmeStart + "  listen: unix:/run/x\nsite: {url: https://press.example.org}", "server.listen: a certificate authority cannot reach a Unix socket"},
		{"TLS twice", acmeStart + "  cert_file: x\nsite: {url: https://press.example.org}", "server.cert_file: it has no effect with server.tls: auto"},
		{"a certificate without TLS", "server:\n  tls: none\n  cert_file: x", "server.cert_file: it has no effect with server.tls: none"},
		{"a certificate without a key", "server:\n  cert_file: config_test.go\nsite: {url: https://press.example.org}", "server.key_file: it is missing; name the PEM file"},
		{"no such certificate", "server:\n  cert_file: nowhere.pem\n  key_file: config_test.go\nsite: {url: https://press.example.org}", "nowhere.pem: no such file or directory; name the PEM file"},
		{"an authority without TLS", "server:\n  tls: auto\n  acme: {email: a@example.org, directory: 'http://ca.example.org/'}\nsite: {url: https://press.example.org}", `server.acme.directory: "http://ca.example.org/" is not an https address`},
		{"a redirect without TLS", "server:\n  listen_http: :80", "server.listen_http: it has no effect without TLS"},
		{"an authority without tls: auto", "server:\n  acme: {email: a@example.org}", "server.acme: it has no effect without server.tls: auto"},
		{"one port for both", acmeStart + "  listen: :80\nsite: {url: https://press.example.org}", "server.listen_http: it is the same as server.listen"},
		{"bad network", "server:\n  trusted_proxies: [10.0.0.0/33]", `server.trusted_proxies[0]: "10.0.0.0/33" is not an address or a network`},
		{"bad pattern", "import:\n  strip: [\"a(\"]", `:2: import.strip[0]: error parsing regexp`},
		{"bad feed name", "feeds:\n- name: Go News", `:2: feeds[0].name: "Go News" cannot be part of an address`},
		{"a name twice", "feeds:\n- name: go\n- name: go", `:3: feeds[1].name: "go" is already used by feeds[0].name`},
		{"bad filter", "feeds:\n- name: go\n  filter: {match: \"go AND\"}", `:3: feeds[0].filter.match: `},
		{"limit", "feeds:\n- name: go\n  limit: 5000", `:3: feeds[0].limit: 5000 is out of range; use a number from 1 to 1000`},
		{"no category", "feeds:\n- name: go\n  podcast: {category: Nwes}", `:3: feeds[0].podcast.category: unknown value "Nwes"; did you mean News?`},
		{"no part of a category", "feeds:\n- name: go\n  podcast: {category: Arts > Desing}", `:3: feeds[0].podcast.category: Apple's category Arts has no subcategory "Desing"; did you mean Arts > Design?`},
		{"a category without parts", "feeds:\n- name: go\n  podcast: {category: History > Wars}", `Apple's category History has no subcategory "Wars"; write History`},
		{"a header that is ours", "relays:\n- host: x\n  extra_headers: [\"From: a@example.org\"]", `:3: relays[0].extra_headers[0]: "From: (secret)" is not a header line of a mail service`},
		{"two lines in a header", "relays:\n- host: x\n  extra_headers: [\"X-A: b\\r\\nBcc: c@d\"]", `:3: relays[0].extra_headers[0]: "X-A: (secret)" is not a header line`},
		{"a header without a value", "relays:\n- host: x\n  extra_headers: [X-PM-KeepID]", `"(secret)" is not a header line`},
		{"a header twice", "relays:\n- host: x\n  extra_headers: [\"X-A: b\", \"x-a: c\"]", `relays[0].extra_headers[1]: there are two headers "x-a"`},
		{"bad cron", "digests:\n- name: weekly\n  sender: a@example.org\n  schedule: 0 25 * * *", `:4: digests[0].schedule: schedule "0 25 * * *": "25" in the field “hour” is out of range; use a number from 0 to 23`},
		{"no schedule", "digests:\n- name: weekly\n  sender: a@example.org", `:2: digests[0].schedule: schedule "": it is empty`},
		{"no sender", "digests:\n- name: weekly\n  schedule: '@weekly'", `:2: digests[0].sender: it is missing`},
		{"bad timezone of a digest", digestStart + "  timezone: Mars", `:5: digests[0].timezone: timezone "Mars" is unknown`},
		{"max below min", digestStart + "  min_articles: 5\n  max_articles: 3", `:6: digests[0].max_articles: 3 is less than min_articles, 5`},
		{"unknown order", digestStart + "  order: wieght", `:5: digests[0].order: unknown value "wieght"; did you mean weight?`},
		{"unknown form", digestStart + "  form: short", `:5: digests[0].form: unknown value "short"; use one of: full, summary, title`},
		{"unknown group", digestStart + "  group_by: author", `:5: digests[0].group_by: unknown value "author"; use one of: source`},
		{"group and sections", digestStart + "  group_by: source\n  sections: [{title: A, tag: a}]", `:5: digests[0].group_by: there are sections too; remove one of the two`},
		{"section without title", digestStart + "  sections: [{tag: a}]", `digests[0].sections[0].title: it is missing; write the heading`},
		{"section without name", digestStart + "  sections: [{title: '!?'}]", `digests[0].sections[0].name: it is missing`},
		{"section with bad name", digestStart + "  sections: [{title: A, name: A B}]", `digests[0].sections[0].name: "A B" is not a name`},
		{"a section twice", digestStart + "  sections: [{title: A}, {title: a, tag: x, name: a}]", `digests[0].sections[1].name: "a" is already used by digests[0].sections[0].name`},
		{"two sections for the rest", digestStart + "  sections: [{title: A}, {title: B}]", `digests[0].sections[1]: it selects all other articles, and so does digests[0].sections[0]`},
		{"section with tag and filter", digestStart + "  sections: [{title: A, tag: a, filter: {search: b}}]", `digests[0].sections[0].tag: there is a filter too`},
		{"section with bad filter", digestStart + "  sections: [{title: A, filter: {match: a AND}}]", `digests[0].sections[0].filter.match: `},
		{"link placeholder", digestStart + "  link_parameters: utm_campaign={digets}", `:5: digests[0].link_parameters: unknown placeholder {digets}; the placeholders are {digest}, {number}, {date}, {section}`},
		{"link parameter without value", digestStart + "  link_parameters: utm_source=news&utm_medium", `:5: digests[0].link_parameters: "utm_medium" is not a name and a value`},
		{"link parameter twice", digestStart + "  link_parameters: a=b&a=c", `:5: digests[0].link_parameters: the parameter a is there twice`},
		{"link parameters as a query", digestStart + "  link_parameters: ?a=b", `:5: digests[0].link_parameters: it begins with a question mark`},
		{"host of links", digestStart + "  link_hosts: ['https://blog.example.org']", `digests[0].link_hosts[0]: "https://blog.example.org" is not a host; write a host such as blog.example.org`},
		{"negative waiting period", digestStart + "  after: -2h", `:5: digests[0].after: `},
		{"bad waiting period", digestStart + "  after: 2 days", `:5: digests[0].after: "2 days" is not a duration; write a number and a unit, such as 30s, 15m, 72h or 2d`},
		{"no key file", "mail:\n  dkim:\n  - {domain: example.org, selector: a, key_file: nowhere.pem}", `:3: mail.dkim[0].key_file: nowhere.pem: no such file or directory`},
		{"relay without host", "relays:\n- name: x", `:2: relays[0].host: it is missing`},
		{"relay with two addresses", "relays:\n- host: x\n  socket: /x", `:3: relays[0].socket: host is set too`},
		{"password without name", "relays:\n- host: x\n  password: y", `:2: relays[0].username: a password is set without a username`},
		{"name without password", "relays:\n- host: x\n  username: y", `relays[0].password: a username is set without a password; add password: ${SMTP_PASSWORD}`},
		{"a provider without a client", "admin:\n  sign_in:\n    oidc: {issuer: 'https://id.example'}", `:3: admin.sign_in.oidc.client_id: `},
		{"a provider without a secret", "admin:\n  sign_in:\n    oidc: {issuer: 'https://id.example', client_id: x}", `admin.sign_in.oidc.client_secret: `},
		{"a provider without encryption", "admin:\n  sign_in:\n    oidc: {issuer: 'http://id.example', client_id: x, client_secret: '${USER:-y}'}", `the connection to the provider would not be encrypted`},
		{"no secret file", "admin:\n  sign_in:\n    oidc: {issuer: 'https://id.example', client_id: x, client_secret_file: /nowhere/at/all}", `admin.sign_in.oidc.client_secret_file: /nowhere/at/all: no such file`},
		{"no password file", "relays:\n- host: x\n  username: y\n  password_file: /nowhere/at/all", `:4: relays[0].password_file: /nowhere/at/all: no such file`},
		{"bad webhook", "bounces:\n  webhooks:\n  - service: sess\n    secret: x", `:3: bounces.webhooks[0].service: unknown value "sess"; did you mean ses?`},
		{"bad bounce address", "bounces:\n  addresses: [loops]", `bounces.addresses[0]: address "loops": it has no @`},
		{"bad mailbox settings", "bounces:\n  mailbox: {host: h, every: 1ms, username: u}", `bounces.mailbox.every: 1ms is too often`},
		{"a Maildir without its folder", "mail:\n  test_mailbox: {protocol: maildir}", `:2: mail.test_mailbox.folder: it is missing`},
		{"a Maildir on a server", "mail:\n  test_mailbox: {protocol: maildir, folder: mail, host: h}", `mail.test_mailbox.host: a Maildir is a folder of this machine`},
		{"a mailbox of an unknown protocol", "mail:\n  test_mailbox: {protocol: mbox, host: h, username: u}", `mail.test_mailbox.protocol: unknown value "mbox"; use one of: imap, pop3, maildir`},
		{"no folder of templates", "templates: nowhere", `:1: templates: nowhere: no such file or directory`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := strings.Join(problemsOf(t, test.in), "\n"); !strings.Contains(got, test.want) {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

func TestDurationMayHaveDays(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for text, want := range map[string]time.Duration{"2d": 2 * day, "1d12h": 36 * time.Hour, "0d": 0, "36h": 36 * time.Hour, "90s": 90 * time.Second} {
		if got, err := ParseDuration(text); got != want || err != nil {
			t.Errorf("%q: %s, %v; want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "d", "2d3", "2d-3h", "-2d", "1.5d", "2dh", "99999999999d", "40000d", "2"} {
		if got, err := ParseDuration(text); err == nil {
			t.Errorf("%q gives %s", text, got)
		}
	}
}

func TestAllProblemsAreReportedInOrder(t *testing.T) {
	t.Parallel()
	got := problemsOf(t, "site:\n  url: nowhere\n  timezone: Mars\nlog:\n  levle: info\n  format: txt\n")
	var lines []string
	for _, p := range got {
		lines = append(lines, p[:2])
	}
	if fmt.Sprint(lines) != "[:2 :3 :5 :6]" {
		t.Errorf("%s", strings.Join(got, "\n"))
	}
}

func TestValuesAreReadFromEnvironmentAndFiles(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "smtp.secret"), []byte("from file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TIDINGS_TEST_TITLE", "From the environment")
	path := filepath.Join(dir, "c.yaml")
	content := `
site: {title: "${TIDINGS_TEST_TITLE}", description: "$${x} ${TIDINGS_TEST_NONE:-a default}", url: "https://news.example.org/"}
feed_server: {memory: 64MiB, retry_after: 1h30m}
relays:
- {host: mail.example.org, username: u, password_file: smtp.secret, per_second: 2.5}
- {host: other.example.org, tls: implicit, username: u, password: "${TIDINGS_TEST_TITLE}"}
`
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if c.Site.Title != "From the environment" || c.Site.Description != "${x} a default" || c.Site.URL != "https://news.example.org" {
		t.Errorf("%+v", c.Site)
	}
	if c.FeedSet.Memory != 64<<20 || c.FeedSet.RetryAfter != 90*time.Minute || c.Relays[0].PerSecond != 2.5 {
		t.Errorf("%+v", c.FeedSet)
	}
	if c.Relays[0].Password.Reveal() != "from file" || c.Relays[1].Password.Reveal() != "From the environment" {
		t.Error("a password was not read")
	}
	if c.Relays[0].Port != 587 || c.Relays[1].Port != 465 || c.Store.DSN.Reveal() != "sqlite:"+filepath.Join(dir, "tidings.db") {
		t.Errorf("%d %d %s", c.Relays[0].Port, c.Relays[1].Port, c.Store.DSN)
	}
	if got := c.Position("relays[1].username"); got != path+":6" {
		t.Errorf("the position is %s", got)
	}
	if got := c.Position("relays[1].helo.nothing"); got != path+":6" {
		t.Errorf("the position of what is not there is %s", got)
	}
}

func TestSecretsAreNeverPrinted(t *testing.T) {
	t.Parallel()
	c, err := Parse([]byte("store: {dsn: 'postgres://u:hunter2@h/d'}\nrelays: [{host: x, username: u, password: hunter2}]\nbounces: {webhooks: [{service: ses, secret: hunter2}]}"), "c.yaml")
	if err != nil {
		t.Fatal(err)
	}
	asYAML, _ := c.YAML()
	asJSON, _ := c.JSON()
	direct, _ := json.Marshal(c.Relays)
	for name, text := range map[string]string{
		"YAML": string(asYAML), "JSON": string(asJSON), "encoding/json": string(direct),
		"%v": fmt.Sprintf("%v", c.Relays), "%+v": fmt.Sprintf("%+v", c.Bounces), "%#v": fmt.Sprintf("%#v", c.Relays), "%s": fmt.Sprintf("%s", []Secret{c.Relays[0].Password}),
	} {
		if strings.Contains(text, "hunter2") {
			t.Errorf("%s shows the secret: %s", name, text)
		}
	}
}

func TestDumpedSettingsParseToSameSettings(t *testing.T) {
	t.Parallel()
	c, err := Load(filepath.Join("..", "..", "config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	shown, err := c.YAML()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse(shown, "again.yaml")
	if err != nil {
		t.Fatalf("%v in\n%s", err, shown)
	}
	c.lines, again.lines, c.path, again.path = nil, nil, "", ""
	first, _ := c.JSON()
	second, _ := again.JSON()
	if string(first) != string(second) {
		t.Errorf("%s\nis not\n%s", first, second)
	}
	if c.SharedHash() != again.SharedHash() {
		t.Error("equal settings have two fingerprints")
	}
	again.Digests[0].Schedule = "@daily"
	if c.SharedHash() == again.SharedHash() {
		t.Error("different schedules have one fingerprint")
	}
}

func TestDefaultsPassTheirOwnChecks(t *testing.T) {
	t.Parallel()
	fromNothing, err := Parse(nil, "")
	if err != nil {
		t.Fatal(err)
	}
	fromNothing.lines = nil
	if want := Default(); !reflect.DeepEqual(fromNothing, want) {
		t.Errorf("an empty file gives %+v, want %+v", fromNothing, want)
	}
}

func TestRootConfigShowsEveryKey(t *testing.T) {
	t.Parallel()
	for _, page := range []string{"config.yaml", "docs/configuration.md"} {
		data, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(page)))
		if err != nil {
			t.Error(err)
			continue
		}
		eachKey(reflect.TypeFor[Config](), func(key string) {
			if !strings.Contains(string(data), key+":") && !strings.Contains(string(data), key+"`") {
				t.Errorf("%s does not show the key %s", page, key)
			}
		})
	}
}

// eachKey visits every key of a struct and those below it.
func eachKey(typ reflect.Type, visit func(key string)) {
	switch typ.Kind() {
	case reflect.Pointer, reflect.Slice:
		eachKey(typ.Elem(), visit)
	case reflect.Struct:
		for i := range typ.NumField() {
			if key := typ.Field(i).Tag.Get("yaml"); key != "" {
				visit(key)
				eachKey(typ.Field(i).Type, visit)
			}
		}
	}
}

func TestCommentedKeysOfStarterAreValid(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(filepath.Join("..", "..", "config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for line := range strings.Lines(string(data)) {
		bare := strings.TrimLeft(line, " ")
		if rest, ok := strings.CutPrefix(bare, "# "); ok && strings.Contains(rest, ": ") || strings.HasSuffix(strings.TrimSpace(bare), ":") && strings.HasPrefix(bare, "# ") {
			if word, _, _ := strings.Cut(strings.TrimLeft(rest, " -"), ":"); knownKey(word) {
				line = line[:len(line)-len(bare)] + rest
			}
		}
		out = append(out, line)
	}
	d := strings.Join(out, "")
	for _, empty := range []string{"sources: []", "dkim: []", "webhooks: []", "filter: {} # everything"} {
		d = strings.Replace(d, empty, strings.TrimSuffix(strings.SplitN(empty, " ", 2)[0], ""), 1)
	}
	_, err = Parse([]byte(d), "c.yaml")
	problems, _ := err.(Problems)
	for _, p := range problems {
		if strings.Contains(p.What, "unknown") || strings.Contains(p.What, "holds") {
			t.Error(p)
		}
	}
	if err != nil && problems == nil {
		t.Error(err)
	}
}

func knownKey(word string) (known bool) {
	eachKey(reflect.TypeFor[Config](), func(key string) { known = known || key == word })
	return known
}

func TestLocalOnlySettingsGiveWarning(t *testing.T) {
	t.Parallel()
	c, err := Parse([]byte("relays: [{host: mail.example.org, tls: none}]\nfeeds: [{name: talks, podcast: {}}]\n"+digestStart), "c.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, w := range c.Warnings() {
		keys = append(keys, w.Key)
	}
	if got := strings.Join(keys, " "); got != "site.url relays[0].tls feeds[0].podcast.category feeds[0].podcast.owner feeds[0].podcast.image digests[0].sender bounces mail.postal_address" {
		t.Error(got)
	}
}

func TestPostgresWithoutJournalGivesWarning(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"store: {dsn: 'postgres://tidings@localhost/tidings'}":                  true,
		"store: {dsn: 'postgres://tidings@localhost/tidings', journal: none}":   false,
		"store: {dsn: 'postgres://tidings@localhost/tidings', journal: folder}": false,
		"store: {dsn: 'sqlite:tidings.db'}":                                     false,
	} {
		c, err := Parse([]byte(text), "c.yaml")
		if err != nil {
			t.Fatal(err)
		}
		all := fmt.Sprint(c.Warnings())
		if got := strings.Contains(all, "c.yaml:1: store.journal: it is not set, and has no default with PostgreSQL"); got != want {
			t.Errorf("%s: warned %t, want %t: %s", text, got, want, all)
		}
	}
}

func TestExampleValuesGiveWarning(t *testing.T) {
	t.Parallel()
	c, err := Parse([]byte(Starter()), "c.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want := "these keys still have example values: site.title, site.copyright, site.editor, site.webmaster, digests[0].title, digests[0].sender, mail.postal_address"
	if all := fmt.Sprint(c.Warnings()); !strings.Contains(all, want) {
		t.Errorf("the starter's warnings are %s", all)
	}
	c, err = Parse([]byte("site: {title: The Harbour Gazette, copyright: the Gazette}\n"), "c.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if all := fmt.Sprint(c.Warnings()); strings.Contains(all, "example") {
		t.Errorf("warnings are %s", all)
	}
}

func TestNearestNameCorrectsTypos(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{"titel": "title", "retry": "", "shedule": "schedule", "Schedule": "schedule", "x": ""} {
		if got := nearest(word, []string{"title", "schedule", "description", "retry_after_all"}); got != want {
			t.Errorf("%q is near %q, want %q", word, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	data, err := os.ReadFile(filepath.Join("..", "..", "config.yaml"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte("site: &s {<<: *s}\n"))
	f.Add([]byte("? [a]\n: b\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse(data, "c.yaml")
		if err != nil {
			if strings.ContainsRune(err.Error(), 0) {
				t.Errorf("%q", err)
			}
			return
		}
		if _, err := c.YAML(); err != nil {
			t.Error(err)
		}
	})
}

func TestStarterIsRootConfig(t *testing.T) {
	t.Parallel()
	root, err := os.ReadFile(filepath.Join("..", "..", "config.yaml"))
	if err != nil || string(root) != Starter() {
		t.Errorf("config/starter.yaml differs from config.yaml (%v): copy the one that you changed over the other", err)
	}
}

func TestListenersDependOnTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	parse := func(text string) *Config {
		t.Helper()
		c, err := Parse([]byte(text), filepath.Join(dir, "config.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if s := parse("").Server; s.TLS != "none" || s.Listen != ":8080" || s.ListenHTTP != "" || len(s.TrustedProxies) != 2 || s.Mode() != 0o660 {
		t.Errorf("without TLS: %+v", s)
	}
	if s := parse("server: {trusted_proxies: []}").Server; len(s.TrustedProxies) != 0 {
		t.Errorf("with an empty list, these proxies are trusted: %v", s.TrustedProxies)
	}
	c := parse("site: {url: 'https://News.example.org', webmaster: 'Ada <ada@example.org>', former_urls: ['https://old.example.org/x', 'http://plain.example.org']}\nserver: {tls: auto}")
	if s := c.Server; s.Listen != ":443" || s.ListenHTTP != ":80" || s.ACME.Directory != letsEncrypt || s.ACME.Email != "ada@example.org" || c.CertificateFolder() != filepath.Join(dir, "tidings.certificates") {
		t.Errorf("with tls: auto: %+v, folder %s", s, c.CertificateFolder())
	}
	if hosts := c.Site.Hosts(); !slices.Equal(hosts, []string{"news.example.org", "old.example.org"}) {
		t.Errorf("hosts with a certificate: %v", hosts)
	}
	if folder := parse("store: {dsn: 'postgres://x@y/z'}\nsite: {url: 'https://a.example.org'}\nserver: {tls: auto, acme: {email: a@example.org, folder: c}}").CertificateFolder(); folder != filepath.Join(dir, "c") {
		t.Errorf("the configured folder: %s", folder)
	}
}

func TestPortsThatTheAuthorityDoesNotReachAreAWarning(t *testing.T) {
	t.Parallel()
	for listen, want := range map[string]int{":443": 0, ":8443": 1, "systemd:https": 0, "192.0.2.1:443": 0} {
		c, err := Parse([]byte("site: {url: 'https://press.example.org'}\nserver: {tls: auto, listen: '"+listen+"', listen_http: none, acme: {email: a@example.org}}"), "config.yaml")
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for _, w := range c.Warnings() {
			if strings.Contains(w.Error(), "server.listen: Let's Encrypt checks the host at port 443 or 80") {
				found++
			}
		}
		if found != want {
			t.Errorf("%s: %d warnings, want %d: %v", listen, found, want, c.Warnings())
		}
	}
}
