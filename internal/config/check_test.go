package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAddressesOfTheWebAreChecked(t *testing.T) {
	t.Parallel()
	const form = " is not a web address; use an address such as https://news.example.org"
	for address, want := range map[string]string{
		"https://news.example.org": "", "https://news.example.org/": "", "http://news.example.org:8080/a/b": "", "HTTPS://News.example": "", "https://[2001:db8::1]:8443": "", "https://bücher.example": "",
		"news.example.org": `"news.example.org"` + form, "//news.example.org": `"//news.example.org"` + form, "/news": `"/news"` + form, "ftp://news.example": `"ftp://news.example"` + form, "mailto:a@example.org": `"mailto:a@example.org"` + form,
		"https://": `"https:"` + form, "https://:8080": `"https://:8080"` + form, "https://u:p@news.example": `"https://u:p@news.example"` + form, "https://news example.org": `"https://news example.org"` + form,
		"https://news.example:99999": `"https://news.example:99999"` + form, "https://news.example:http": `"https://news.example:http"` + form, "javascript:alert(1)": `"javascript:alert(1)"` + form, "": `""` + form,
		"https://news.example/?a=b": "it has a query or fragment; keep only the address, such as https://news.example.org", "https://news.example/?": "it has a query or fragment", "https://news.example#": "it has a query or fragment",
	} {
		expectProblem(t, "site: {url: '"+address+"'}", ":1: site.url: ", want)
	}
	for _, key := range []string{"site: {icon: '%s'}", "site: {image: '%s'}", "brand: {imprint: '%s'}", "brand: {logo: {url: '%s'}}"} {
		for value, ok := range map[string]bool{"/media/a.png": true, "https://a.example/a.png": true, "//a.example/a.png": false, "media/a.png": false, "data:image/png;base64,AA": false} {
			if got := problemsOf(t, strings.Replace(key, "%s", value, 1)); (len(got) == 0) != ok {
				t.Errorf("%s with %s: %q", key, value, got)
			}
		}
	}
	for in, position := range map[string]string{
		"site: {former_urls: [https://a.example, old.example]}":                         ":1: site.former_urls[1]: ",
		"feed_server: {hubs: [hub.example]}":                                            ":1: feed_server.hubs[0]: ",
		"import: {sources: [{path: x, base_url: blog.example}]}":                        ":1: import.sources[0].base_url: ",
		"updates: {url: releases}":                                                      ":1: updates.url: ",
		"check: {rspamd: '127.0.0.1:11333'}":                                            ":1: check.rspamd: ",
		"backup: {s3: {endpoint: s3.example, bucket: b, access_key: a, secret_key: b}}": ":1: backup.s3.endpoint: ",
		"feeds: [{name: a, podcast: {persons: [{name: Ada, url: x}]}}]":                 ":1: feeds[0].podcast.persons[0].url: ",
		"feeds: [{name: a, podcast: {persons: [{name: Ada, image: '//a.example/x'}]}}]": ":1: feeds[0].podcast.persons[0].image: ",
	} {
		if got := problemsOf(t, in); len(got) != 1 || !strings.HasPrefix(got[0], position) || !strings.Contains(got[0], form) {
			t.Errorf("%s: %q", in, got)
		}
	}
}

// TestMissingSecretFileIsOneProblem: that the key has no secret follows from it, and is not said.
func TestMissingSecretFileIsOneProblem(t *testing.T) {
	t.Parallel()
	got := problemsOf(t, "backup: {s3: {endpoint: 'https://a.example', bucket: b, access_key: k, secret_key_file: nothing}}")
	if len(got) != 1 || !strings.HasPrefix(got[0], ":1: backup.s3.secret_key_file: ") {
		t.Errorf("%q", got)
	}
	got = problemsOf(t, "backup: {s3: {endpoint: 'https://a.example', bucket: b, access_key: k}}")
	if len(got) != 1 || !strings.Contains(got[0], "backup.s3.secret_key: it is missing") {
		t.Errorf("%q", got)
	}
}

func TestServersAreNamedWithoutSchemeAndPort(t *testing.T) {
	t.Parallel()
	const form = " is not a host name; write only the name or address, such as smtp.example.org, and the port in the key port"
	for host, ok := range map[string]bool{
		"smtp.example.org": true, "localhost": true, "my_relay": true, "192.0.2.1": true, "2001:db8::1": true, "::1": true, "bücher.example": true,
		"smtp.example.org:587": false, "smtp://smtp.example.org": false, "smtp.example.org/": false, "user@smtp.example.org": false, "smtp example": false, "[::1]": false, "[::1]:25": false,
	} {
		want := ""
		if !ok {
			want = `"` + host + `"` + form
		}
		expectProblem(t, "relays: [{host: '"+host+"', tls: starttls}]", ":1: relays[0].host: ", want)
		expectProblem(t, "bounces: {mailbox: {host: '"+host+"', username: u}}", ":1: bounces.mailbox.host: ", want)
		expectProblem(t, "mail: {test_mailbox: {host: '"+host+"', username: u}}", ":1: mail.test_mailbox.host: ", want)
	}
}

func TestListenersNeedAPort(t *testing.T) {
	t.Parallel()
	for value, ok := range map[string]bool{
		":8081": true, "127.0.0.1:0": true, "[::1]:8081": true, "localhost:8081": true, ":65535": true,
		"8081": false, ":65536": false, ":-1": false, ":http": false, "localhost": false, "localhost:": false, "::1:80": false, "http://localhost:80": false,
	} {
		want := ""
		if !ok {
			want = `"` + value + `" is not an address with a port; use an address such as :8080 or 127.0.0.1:8080`
		}
		for key, in := range map[string]string{"server.listen": "server: {listen: '%s'}", "bounces.smtp": "bounces: {smtp: '%s'}", "bounces.lmtp": "bounces: {lmtp: '%s'}", "metrics.listen": "metrics: {listen: '%s'}", "check.spamassassin": "check: {spamassassin: '%s'}"} {
			expectProblem(t, strings.Replace(in, "%s", value, 1), ":1: "+key+": ", want)
		}
	}
	for value, want := range map[string]string{
		"unix:/run/tidings/http.sock": "", "systemd": "", "systemd:web": "", "unix:": `"" is not an absolute path`, "unix:http.sock": `"http.sock" is not an absolute path`,
		"unix:/" + strings.Repeat("x", 100): "the path has 101 bytes, which is too long for a socket; use a path of at most 100 bytes",
		"systemd:":                          `"systemd:" is not an address with a port`, "systemdx": `"systemdx" is not an address with a port`,
	} {
		expectProblem(t, "server: {listen: '"+value+"'}", ":1: server.listen: ", want)
	}
	for mode, ok := range map[string]bool{"0660": true, "660": true, "0777": true, "0": true, "0888": false, "1777": false, "rw-rw----": false, "-1": false, "0o660": false, "": false} {
		got := problemsOf(t, "server: {socket_mode: '"+mode+"'}")
		if (len(got) == 0) != ok || !ok && got[0] != `:1: server.socket_mode: "`+mode+`" is not a file mode; write octal digits in quotes, such as "0660"` {
			t.Errorf("socket_mode %q: %q", mode, got)
		}
	}
	expectProblem(t, "server: {listen: ':9000'}\nmetrics: {listen: ':9000'}", ":2: metrics.listen: ", "it is the same as server.listen; use another port, or remove it and set metrics.token")
	expectProblem(t, "metrics: {pprof: true}", ":1: metrics.pprof: ", "there is no listener for it; set metrics.listen, such as 127.0.0.1:9180")
	expectProblem(t, "metrics: {token: fifteen-letters}", ":1: metrics.token: ", "it is too short; use 16 random characters or more")
}

func TestLimitsOfNumbersAreExact(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		in      string // with %s for the value
		key     string
		allowed string
		refused string
		want    string
	}{
		{"retention: {jobs: %s}", "retention.jobs", "0 7 36500", "-1 1 6", " days is too short; use 7 days or more, or 0 to keep everything"},
		{"retention: {audit: %s}", "retention.audit", "0 366", "-1 365", " days is too short; use 366 days or more, or 0 to keep everything: the database keeps each entry for a year"},
		{"delivery: {soft_limit: %s}", "delivery.soft_limit", "1 1000", "0 1001", " is out of range; use a number from 1 to 1000"},
		{"delivery: {soft_days: %s}", "delivery.soft_days", "0 365", "-1 366", " is out of range; use a number from 0 to 365"},
		{"feeds: [{name: a, limit: %s}]", "feeds[0].limit", "1 1000", "-1 1001", " is out of range; use a number from 1 to 1000"},
		{"relays: [{host: a, weight: %s}]", "relays[0].weight", "0 1000", "-1 1001", " is out of range; use a number from 0 to 1000"},
		{"relays: [{host: a, port: %s}]", "relays[0].port", "1 65535", "-1 65536", " is out of range; use a number from 1 to 65535"},
		{"relays: [{host: a, connections: %s}]", "relays[0].connections", "0 10000", "-1 10001", " is out of range; use a number from 0 to 10000"},
		{"brand: {logo: {url: /a.png, width: %s}}", "brand.logo.width", "0 2000", "-1 2001", " is out of range; use a number from 0 to 2000"},
		{digestStart + "  max_articles: %s", "digests[0].max_articles", "1 1000", "-1 1001", " is out of range; use a number from 1 to 1000"},
	} {
		line := ":" + string(rune('1'+strings.Count(test.in, "\n"))) + ": "
		for value := range strings.FieldsSeq(test.allowed) {
			expectProblem(t, strings.Replace(test.in, "%s", value, 1), "", "")
		}
		for value := range strings.FieldsSeq(test.refused) {
			expectProblem(t, strings.Replace(test.in, "%s", value, 1), line+test.key+": ", value+test.want)
		}
	}
	for _, test := range []struct{ in, key, allowed, refused, want string }{
		{"delivery: {undo: %s}", "delivery.undo", "0s 1h", "-1s 61m", "it is out of range; use 0s to 1h, such as 30s"},
		{"delivery: {lease: %s}", "delivery.lease", "1s 1h", "0s 999ms 2h -5s", "it is out of range; use 1s to 1h, such as 10s"},
		{"admin: {sign_in: {longest: %s, idle: 5m}}", "admin.sign_in.longest", "1h 366d", "59m 367d", "it is out of range; use 1h to 366d, such as 12h"},
		{"admin: {sign_in: {idle: %s}}", "admin.sign_in.idle", "5m 30d", "4m 31d 0s", "it is out of range; use at least 5m and at most the value of longest, such as 30m"},
		{"feed_server: {retry_after: %s}", "feed_server.retry_after", "0s 24h", "-1ns", "-1ns is negative; use 0s or more"},
		{"health: {alert_every: %s}", "health.alert_every", "1m 100d", "59s", "59s is too often; use 1h or more"},
	} {
		for value := range strings.FieldsSeq(test.allowed) {
			expectProblem(t, strings.Replace(test.in, "%s", value, 1), "", "")
		}
		for value := range strings.FieldsSeq(test.refused) {
			expectProblem(t, strings.Replace(test.in, "%s", value, 1), ":1: "+test.key+": ", test.want)
		}
	}
}

func TestSelectorsAndDomainsOfDKIMAreChecked(t *testing.T) {
	t.Parallel()
	for selector, want := range map[string]string{
		"2026a": "", "s1.mail": "", "A-b": `"A-b" is not a DKIM selector; use lower-case letters, digits and hyphens, such as 2026a`, "": "it is missing; write a word such as 2026a",
		"2026a._domainkey": `"2026a._domainkey" is not a DKIM selector; write only 2026a`, "2026a._domainkey.example.org": `"2026a._domainkey.example.org" is not a DKIM selector; write only 2026a`,
		"a b": `"a b" is not a DKIM selector; use lower-case letters, digits and hyphens, such as 2026a`, "a;d=x": `"a;d=x" is not a DKIM selector`, "a_b": `"a_b" is not a DKIM selector`, "a.": `"a." is not a DKIM selector`, "é": `"é" is not a DKIM selector`,
	} {
		expectProblem(t, "mail: {dkim: [{domain: example.org, selector: '"+selector+"', key_file: config.go}]}", ":1: mail.dkim[0].selector: ", want)
	}
	for domain, want := range map[string]string{
		"example.org": "", "bücher.example": "", "": "it is missing; write the domain of the senders", "example": `"example" is not a domain; use a domain such as example.org`, "a@example.org": `"a@example.org" is not a domain`,
		"https://example.org": `"https://example.org" is not a domain`, "example.org.": `"example.org." is not a domain`, "*.example.org": `"*.example.org" is not a domain`,
	} {
		expectProblem(t, "mail: {dkim: [{domain: '"+domain+"', selector: a, key_file: config.go}]}", ":1: mail.dkim[0].domain: ", want)
	}
	expectProblem(t, "mail: {dkim: [{domain: a.example, selector: x, key_file: config.go}, {domain: b.example, selector: x, key_file: config.go}]}", "", "")
	expectProblem(t, "mail:\n  dkim:\n  - {domain: a.example, selector: x, key_file: config.go}\n  - {domain: a.example, selector: x, key_file: config.go}", ":4: mail.dkim[1].selector: ", `"x._domainkey.a.example" is already used by mail.dkim[0].selector; choose another name`)
}

func TestFoldersAndSecretsOnDiskAreChecked(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, content string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, content := range map[string]string{"good": "hunter2\r\n", "spaces": " hunter2 ", "most": strings.Repeat("x", 4096), "empty": "", "newline": "\n", "lines": "a\nb\n", "long": strings.Repeat("x", 4097), "zero": "a\x00b"} {
		write(name, content)
	}
	parse := func(in string) (*Config, string) {
		c, err := Parse([]byte(in), filepath.Join(dir, "c.yaml"))
		if err != nil {
			return nil, strings.ReplaceAll(err.Error(), dir+"/", "")
		}
		return c, ""
	}
	for file, want := range map[string]string{"good": "hunter2", "spaces": " hunter2 ", "most": strings.Repeat("x", 4096)} {
		if c, problem := parse("relays: [{host: a, username: u, password_file: " + file + "}]"); problem != "" || c.Relays[0].Password.Reveal() != want {
			t.Errorf("%s: %s", file, problem)
		}
	}
	for _, file := range []string{"empty", "newline", "lines", "long", "zero"} {
		for in, want := range map[string]string{
			"relays: [{host: a, username: u, password_file: " + file + "}]":                                         "relays[0].password_file: " + file + " does not contain a password; write the password into it, in one line",
			"metrics: {token_file: " + file + "}":                                                                   "metrics.token_file: " + file + " does not contain a token; write the token into it, in one line",
			"backup: {s3: {endpoint: https://a.example, bucket: b, access_key: k, secret_key_file: " + file + "}}":  "backup.s3.secret_key_file: " + file + " does not contain a secret key; write the secret key into it, in one line",
			"bounces: {mailbox: {host: a, username: u, password_file: " + file + "}}":                               "bounces.mailbox.password_file: " + file + " does not contain a password",
			"admin: {sign_in: {oidc: {issuer: https://a.example, client_id: x, client_secret_file: " + file + "}}}": "admin.sign_in.oidc.client_secret_file: " + file + " does not contain a secret",
		} {
			if _, problem := parse(in); !strings.Contains(problem, want) {
				t.Errorf("%s: %s", in, problem)
			}
		}
	}
	for in, want := range map[string]string{
		"relays: [{host: a, username: u, password: x, password_file: good}]": "relays[0].password_file: password is set too; remove one of the two",
		"relays: [{host: a, username: u, password_file: .}]":                 "name a file that this user can read",
		"templates: good":                             "c.yaml:1: templates: good is not a folder; name an existing folder",
		"templates: none":                             "c.yaml:1: templates: none: no such file or directory; name an existing folder",
		"backup: {folder: good}":                      "c.yaml:1: backup.folder: good is not a folder; name an existing folder",
		"backup: {schedule: '@daily'}":                "c.yaml:1: backup.schedule: there is no place for the backups; set backup.folder or backup.s3",
		"backup: {schedule: '0 25 * * *', folder: .}": `c.yaml:1: backup.schedule: schedule "0 25 * * *"`,
		"backup: {keep: {daily: -1}}":                 "c.yaml:1: backup.keep.daily: it is negative; write how many backups are kept, or 0",
		"backup: {recipients: [AGE-SECRET-KEY-1XYZ]}": "c.yaml:1: backup.recipients[0]: this is a private key, and does not belong here; use its public key, which begins with age1",
		"backup: {recipients: [age1nonsense]}":        `c.yaml:1: backup.recipients[0]: "age1nonsense" is not a public key of age; it begins with age1`,
		"store: {dsn: 'sqlite:'}":                     "c.yaml:1: store.dsn: it names no file; write sqlite:tidings.db",
	} {
		if _, problem := parse(in); !strings.Contains(problem, want) || strings.Contains(problem, "AGE-SECRET") {
			t.Errorf("%s: %s, want %s", in, problem, want)
		}
	}
}

func TestSignInsOfAProviderAreChecked(t *testing.T) {
	t.Parallel()
	const start = "admin:\n  sign_in:\n    oidc:\n      client_id: x\n      client_secret: y\n      issuer: "
	for issuer, want := range map[string]string{
		"https://login.example.org": "", "https://login.example.org/realms/press": "", "http://localhost:9000": "", "http://127.0.0.1/x": "", "http://[::1]:9000": "",
		"http://login.example.org": "the connection to the provider would not be encrypted; use an address with https", "http://127.example.org": "the connection to the provider would not be encrypted", "login.example.org": `"login.example.org" is not the address of a provider`,
		"https://u:p@login.example.org": "is not the address of a provider", "https://login.example.org?x=1": "is not the address of a provider", "https://login.example.org#x": "is not the address of a provider", "ftp://login.example.org": "is not the address of a provider",
	} {
		got := strings.Join(problemsOf(t, start+"'"+issuer+"'"), "\n")
		if !strings.Contains(got, want) || (want == "") != (got == "") || want != "" && !strings.HasPrefix(got, ":6: admin.sign_in.oidc.issuer: ") {
			t.Errorf("%s: %q, want %q", issuer, got, want)
		}
	}
	expectProblem(t, "admin: {sign_in: {oidc: {client_id: x}}}", ":1: admin.sign_in.oidc.issuer: ", "client_id is set without an issuer; add the address of the provider")
	expectProblem(t, "admin: {sign_in: {second_factor: [owner, editors]}}", ":1: admin.sign_in.second_factor[1]: ", `unknown value "editors"; did you mean editor?`)
	expectProblem(t, start+"https://a.example\n      allowed_domains: [example.org, '@example.com']", ":7: admin.sign_in.oidc.allowed_domains[1]: ", `"@example.com" is not a domain; use a domain such as example.org`)
}
