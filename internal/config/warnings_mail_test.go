package config

import (
	"fmt"
	"strings"
	"testing"
)

// warningOf is the warning about a key; empty when there is none.
func warningOf(t *testing.T, text, key string) string {
	t.Helper()
	c, err := Parse([]byte(text), "c.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range c.Warnings() {
		if w.Key == key {
			return w.Error()
		}
	}
	return ""
}

func digestOf(sender string) string {
	return "digests:\n- {name: weekly, schedule: '@weekly', sender: " + sender + "}\n"
}

// TestMailSettingsGiveWarnings: settings that make receivers refuse mails, or bounces unseen.
func TestMailSettingsGiveWarnings(t *testing.T) {
	t.Parallel()
	const listener = "bounces: {smtp: ':2525'}\n"
	for _, test := range []struct{ name, in, key, want string }{
		{"http", "site: {url: http://news.example.org}", "site.url", "https addresses"},
		{"http on this machine", "site: {url: 'http://[::1]:8080'}", "site.url", ""},
		{"https", "site: {url: https://news.example.org}", "site.url", ""},
		{"gmail", digestOf("me@gmail.com"), "digests[0].sender", "receivers refuse mail from gmail.com"},
		{"yahoo of a country", digestOf("me@yahoo.co.uk"), "digests[0].sender", "yahoo.co.uk"},
		{"outlook of a country", digestOf("me@outlook.de"), "digests[0].sender", "outlook.de"},
		{"gmx", digestOf("me@gmx.net"), "digests[0].sender", "gmx.net"},
		{"orange", digestOf("me@orange.fr"), "digests[0].sender", "orange.fr"},
		{"a domain that begins like one", digestOf("me@yahoo.example.org"), "digests[0].sender", "no DKIM key"},
		{"nothing reads bounces", digestOf("me@example.org"), "bounces", "nothing reads bounces"},
		{"nothing reads a return path", "mail: {return_path_domain: bounces.example.org}\n" + digestOf("me@example.org"), "mail.return_path_domain", "nothing reads mail to bounces.example.org"},
		{"a listener reads it", listener + "mail: {return_path_domain: bounces.example.org}\n" + digestOf("me@example.org"), "mail.return_path_domain", ""},
		{"a listener reads them", listener + digestOf("me@example.org"), "bounces", ""},
		{"another program reads them", "bounces: {read_elsewhere: true}\n" + digestOf("me@example.org"), "bounces", ""},
		{"a webhook tells of them", "bounces: {webhooks: [{service: generic, secret: 0123456789abcdef}]}\n" + digestOf("me@example.org"), "bounces", ""},
		{"another organisation", listener + "mail: {return_path_domain: bounces.example.com}\n" + digestOf("me@example.org"), "mail.return_path_domain", "bounces.example.com does not align with example.org"},
		{"another one below a public suffix", listener + "mail: {return_path_domain: bounces.co.uk}\n" + digestOf("me@press.co.uk"), "mail.return_path_domain", "does not align"},
		{"one organisation", listener + "mail: {return_path_domain: bounces.press.co.uk}\n" + digestOf("me@news.press.co.uk"), "mail.return_path_domain", ""},
		{"no digests", "", "bounces", ""},
	} {
		got := warningOf(t, test.in+"\n", test.key)
		if test.want == "" && got != "" || !strings.Contains(got, test.want) {
			t.Errorf("%s: the warning is %q, want %q", test.name, got, test.want)
		}
	}
}

func TestHeloIsNameOrAddress(t *testing.T) {
	t.Parallel()
	for value, ok := range map[string]bool{
		"mail.example.org": true, "localhost": true, "[192.0.2.1]": true, "[IPv6:2001:db8::1]": true, "xn--bcher-kva.example": true, "MAIL.example.org.": true,
		"mail example": false, "mail.example.org\\r\\nMAIL FROM:<x>": false, "[192.0.2.1": false, "[mail]": false, "192.0.2.1]": false, "-mail.example": false,
		"mail..example": false, "mail_1.example": false, "a\\nb": false, "bücher.example": false,
	} {
		_, err := Parse([]byte(fmt.Sprintf("relays: [{host: x, tls: none, helo: \"%s\"}]\n", value)), "c.yaml")
		if (err == nil) != ok {
			t.Errorf("helo %q: %v", value, err)
		}
	}
}

// TestControlCharactersAreRefusedEverywhere: most values end up in a header, a command
// or an address, where a line break begins another one.
func TestControlCharactersAreRefusedEverywhere(t *testing.T) {
	t.Parallel()
	for key, in := range map[string]string{
		"site.title":                 `site: {title: "A\r\nBcc: x@y"}`,
		"digests[0].title":           "digests:\n- {name: w, schedule: '@weekly', sender: a@example.org, title: \"A\\nB\"}",
		"digests[0].subject":         "digests:\n- {name: w, schedule: '@weekly', sender: a@example.org, subject: \"A\\x00\"}",
		"relays[0].username":         `relays: [{host: x, username: "a\0b", password: c}]`,
		"relays[0].password":         `relays: [{host: x, username: a, password: "c\r\nQUIT"}]`,
		"relays[0].host":             `relays: [{host: "x\ny", tls: none}]`,
		"relays[0].name":             `relays: [{host: x, tls: none, name: "a\x1b[2J"}]`,
		"mail.test_mailbox.username": `mail: {test_mailbox: {protocol: pop3, host: h, username: "u\r\nDELE 1", password: p}}`,
		"bounces.mailbox.username":   `bounces: {mailbox: {host: h, username: "u\r\nDELE 1", password: p}}`,
		"bounces.mailbox.password":   `bounces: {mailbox: {host: h, username: u, password: "p\r\nDELE 1"}}`,
		"bounces.webhooks[0].secret": `bounces: {webhooks: [{service: generic, secret: "0123456789abcdef\n"}]}`,
		"mail.dkim[0].selector":      "mail: {dkim: [{domain: example.org, selector: \"a\\nb\", key_file: c.yaml}]}",
		"mail.return_path_domain":    `mail: {return_path_domain: "a.example\r\n"}`,
		"mail.owner":                 `mail: {owner: "A\nB <a@example.org>"}`,
		"site.url":                   `site: {url: "http://a.example/\nX: y"}`,
		"feeds[0].title":             "feeds: [{name: a, title: \"A\\u0085B\"}]",
		"site.description":           "site: {description: \"a\\x07\"}",
		"digests[0].sender":          "digests:\n- {name: w, schedule: '@weekly', sender: \"A\\nB <a@example.org>\"}",
		"mail.postal_address":        "mail: {postal_address: \"a\\rb\"}",
	} {
		_, err := Parse([]byte(in+"\n"), "c.yaml")
		if err == nil || !strings.Contains(err.Error(), key+":") {
			t.Errorf("%s: %v", key, err)
		}
	}
	if _, err := Parse([]byte("site: {description: \"a\\nb\"}\nmail: {postal_address: \"The Press\\n1 Quay\"}\n"), "c.yaml"); err != nil {
		t.Error(err)
	}
}
