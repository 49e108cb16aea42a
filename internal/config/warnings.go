package config

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// Warnings returns warnings about settings that are valid but probably not intended.
func (c *Config) Warnings() []Problem { return append(c.SettingWarnings(), c.SecurityWarnings()...) }

// SettingWarnings returns the warnings that are not about secrets. Serve logs them at start.
func (c *Config) SettingWarnings() []Problem {
	var out []Problem
	warn := func(key, what, fix string) { out = append(out, c.Problem(key, what, fix)) }
	if u, err := url.Parse(c.Site.URL); err == nil && (u.Hostname() == "localhost" || strings.HasPrefix(u.Hostname(), "127.")) {
		warn("site.url", "links to "+c.Site.URL+" work only on this machine", "use the public address once there is one")
	}
	if left := c.examples(); len(left) > 0 {
		warn(left[0], "these keys still have example values: "+strings.Join(left, ", "), "replace them with your own")
	}
	c.warnJournal(warn)
	c.warnACME(warn)
	for i, r := range c.Relays {
		key := fmt.Sprintf("relays[%d].tls", i)
		if r.Socket == "" && !isLocal(r.Host) && (r.TLS == "none" || r.TLS == "opportunistic") {
			warn(key, "mail to "+r.Host+" is sent without encryption", "use starttls or implicit")
		}
	}
	for i, f := range c.Feeds {
		if f.Podcast != nil {
			c.warnPodcast(fmt.Sprintf("feeds[%d].podcast", i), f.Podcast, warn)
		}
	}
	c.warnBrand(warn)
	c.warnMail(warn)
	c.warnMetrics(warn)
	if len(c.Digests) > 0 && c.Mail.Postal == "" {
		warn("mail.postal_address", "it is empty", "add a postal address; many countries require one in such mails")
	}
	return out
}

// warnJournal warns of a PostgreSQL store without a journal, which has no default there: each machine
// needs a folder of its own, and no place is known to be beside the store.
func (c *Config) warnJournal(warn func(key, what, fix string)) {
	if c.Store.Journal == "" && c.Store.JournalFolder() == "" {
		warn("store.journal", "it is not set, and has no default with PostgreSQL: without the journal, a restored backup does not know who unsubscribed and what was sent since it was made",
			"name a folder of this machine, such as tidings.journal, that the service may write, or write none to do without")
	}
}

// examples returns the keys with public texts that still have the values of "tidings init".
func (c *Config) examples() (keys []string) {
	check := func(key, value string) {
		if text := strings.ToLower(value); strings.Contains(text, "example press") || strings.Contains(text, "example town") || strings.HasSuffix(text, "@example.org>") {
			keys = append(keys, key)
		}
	}
	check("site.title", c.Site.Title.String())
	check("site.copyright", c.Site.Copyright)
	check("site.editor", c.Site.Editor)
	check("site.webmaster", c.Site.Webmaster)
	for i, d := range c.Digests {
		check(fmt.Sprintf("digests[%d].title", i), d.Title.String())
		check(fmt.Sprintf("digests[%d].sender", i), d.Sender)
	}
	check("mail.postal_address", c.Mail.Postal)
	return keys
}

// warnPodcast warns of missing values that podcast directories require.
func (c *Config) warnPodcast(key string, p *Podcast, warn func(key, what, fix string)) {
	if p.Category == "" {
		warn(key+".category", "it is empty, and podcast directories require one", "use one of Apple's, such as News")
	}
	if p.Owner == "" && c.Site.Editor == "" {
		warn(key+".owner", "it is empty, and so is site.editor: directories have no address to write to", `write "Name <mail@example.org>"`)
	}
	if p.Image == "" && c.Site.Image == "" {
		warn(key+".image", "it is empty, and podcast directories require a cover", "write the address of a square picture")
	}
}

// hasAlignedKey reports whether a DKIM key's domain aligns with the sender's (RFC 7489, section
// 3.1.1): both belong to one registered domain.
func (c *Config) hasAlignedKey(domain string) bool {
	return slices.ContainsFunc(c.Mail.DKIM, func(key DKIM) bool { return organisation(key.Domain) == organisation(domain) })
}
