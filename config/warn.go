package config

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/tidings-press/tidings/subscriber"
)

// Warnings are settings that work and that a person should look at once more.
func (c *Config) Warnings() []Problem {
	var out []Problem
	warn := func(key, what, right string) { out = append(out, c.Problem(key, what, right)) }
	if u, err := url.Parse(c.Site.URL); err == nil && (u.Hostname() == "localhost" || strings.HasPrefix(u.Hostname(), "127.")) {
		warn("site.url", "readers elsewhere cannot follow links to "+c.Site.URL, "the public address, once there is one")
	}
	if left := c.examples(); len(left) > 0 {
		warn(left[0], "still the example's: "+strings.Join(left, ", "), "your own")
	}
	for i, r := range c.Relays {
		key := fmt.Sprintf("relays[%d].tls", i)
		if r.Socket == "" && !isLocal(r.Host) && (r.TLS == "none" || r.TLS == "opportunistic") {
			warn(key, "mail to "+r.Host+" can be read on the way", "starttls or implicit")
		}
	}
	out = append(out, c.SecurityWarnings()...)
	for i, f := range c.Feeds {
		if f.Podcast != nil {
			c.warnPodcast(fmt.Sprintf("feeds[%d].podcast", i), f.Podcast, warn)
		}
	}
	for i, d := range c.Digests {
		if _, sender, err := subscriber.ParseMailbox(d.Sender); err == nil && !c.signs(sender.Domain()) {
			warn(fmt.Sprintf("digests[%d].sender", i), "no DKIM key signs for "+sender.Domain(), `a key under mail.dkim, unless the relay signs ("tidings dkim keygen")`)
		}
	}
	if len(c.Digests) > 0 && c.Mail.Postal == "" {
		warn("mail.postal_address", "it is empty", "a postal address, which many countries ask for in such mails")
	}
	return out
}

// examples are the keys of what readers see that is still as "tidings init" wrote it.
func (c *Config) examples() (keys []string) {
	check := func(key, value string) {
		if text := strings.ToLower(value); strings.Contains(text, "example press") || strings.Contains(text, "example town") || strings.HasSuffix(text, "@example.org>") {
			keys = append(keys, key)
		}
	}
	check("site.title", c.Site.Title)
	check("site.copyright", c.Site.Copyright)
	check("site.editor", c.Site.Editor)
	check("site.webmaster", c.Site.Webmaster)
	for i, d := range c.Digests {
		check(fmt.Sprintf("digests[%d].title", i), d.Title)
		check(fmt.Sprintf("digests[%d].sender", i), d.Sender)
	}
	check("mail.postal_address", c.Mail.Postal)
	return keys
}

// warnPodcast says what directories of podcasts ask for.
func (c *Config) warnPodcast(key string, p *Podcast, warn func(key, what, right string)) {
	if p.Category == "" {
		warn(key+".category", "it is empty, and directories ask for one", "one of Apple's, such as News")
	}
	if p.Owner == "" && c.Site.Editor == "" {
		warn(key+".owner", "it is empty, and so is site.editor: directories write to nobody", `"Name <mail@example.org>"`)
	}
	if p.Image == "" && c.Site.Image == "" {
		warn(key+".image", "it is empty, and directories ask for a cover", "the address of a square picture")
	}
}

// signs says whether a DKIM key's domain is the sender's or one above it.
func (c *Config) signs(domain string) bool {
	for _, key := range c.Mail.DKIM {
		if d := strings.ToLower(key.Domain); d == domain || strings.HasSuffix(domain, "."+d) {
			return true
		}
	}
	return false
}
