package config

import (
	"fmt"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/schedule"
	"github.com/tidings-press/tidings/internal/subscriber"
)

func (c *checker) feed(key string, f *Feed) {
	c.name(key+".name", f.Name, c.taken("feeds"))
	c.filter(key+".filter", f.Filter)
	c.between(key+".limit", f.Limit, 1, 1000)
	c.oneOf(key+".content", f.Content, "full", "summary")
	c.language(key+".language", f.Language)
	c.notNegative(key+".max_age", f.MaxAge)
	if p := f.Podcast; p != nil {
		c.mailbox(key+".podcast.owner", p.Owner)
		c.optionalAddress(key+".podcast.image", p.Image)
		c.podcastCategory(key+".podcast.category", p.Category)
		c.oneOf(key+".podcast.type", p.Type, "episodic", "serial")
	}
}

func (c *checker) digest(key string, d *Digest) {
	c.name(key+".name", d.Name, c.taken("digests"))
	if d.Timezone != c.config.Site.Timezone { // which is looked at once
		c.timezone(key+".timezone", d.Timezone)
	}
	_, err := schedule.Parse(d.Schedule, "UTC")
	c.failed(key+".schedule", err, `a cron spec such as "0 8 * * 5"`)
	c.oneOf(key+".missed", d.Missed, "latest", "each")
	c.filter(key+".filter", d.Filter)
	c.between(key+".min_articles", d.MinArticles, 1, 1000)
	c.between(key+".max_articles", d.MaxArticles, 1, 1000)
	if d.MaxArticles < d.MinArticles {
		c.wrong(key+".max_articles", fmt.Sprintf("%d is less than min_articles, %d", d.MaxArticles, d.MinArticles), "as many or more")
	}
	c.required(key+".sender", d.Sender, `"Name <news@example.org>"`)
	c.mailbox(key+".sender", d.Sender)
	if d.ReplyTo != d.Sender {
		c.mailbox(key+".reply_to", d.ReplyTo)
	}
	c.language(key+".language", d.Language)
	c.oneOf(key+".approval", d.Approval, "automatic", "manual")
	c.oneOf(key+".prefer", d.Prefer, "newest", "oldest")
	c.oneOf(key+".notify", d.Notify, "editors", "owners", "none")
}

func (c *checker) filter(key string, f Filter) {
	for i, lang := range f.Languages {
		c.language(fmt.Sprintf("%s.languages[%d]", key, i), lang)
	}
	c.match(key+".match", f.Match)
}

func (c *checker) mail() {
	m := &c.config.Mail
	c.domain("mail.return_path_domain", m.ReturnPathDomain)
	c.mailbox("mail.owner", m.Owner)
	selectors := map[string]string{}
	for i := range m.DKIM {
		key, k := fmt.Sprintf("mail.dkim[%d]", i), &m.DKIM[i]
		c.required(key+".domain", k.Domain, "the domain of the senders")
		c.domain(key+".domain", k.Domain)
		c.required(key+".selector", k.Selector, "a word such as 2026a")
		c.unique(key+".selector", k.Selector+"._domainkey."+k.Domain, selectors)
		c.required(key+".key_file", k.KeyFile, `a file made by "tidings dkim keygen"`)
		c.path(key+".key_file", &k.KeyFile, `a file made by "tidings dkim keygen"`)
		c.config.secrets = append(c.config.secrets, secretFile{key + ".key_file", k.KeyFile, "a private key"})
	}
}

func (c *checker) domain(key, value string) {
	if value == "" {
		return
	}
	if _, err := subscriber.ParseAddress("a@" + value); err != nil {
		c.wrong(key, fmt.Sprintf("%q is no domain", value), "something like example.org")
	}
}

func (c *checker) relays() {
	names := map[string]string{}
	for i := range c.config.Relays {
		key, r := fmt.Sprintf("relays[%d]", i), &c.config.Relays[i]
		c.unique(key+".name", r.Name, names)
		c.relay(key, r)
		c.limits(key, r)
		c.password(key, &r.Password, r.PasswordFile)
		c.clearPassword(key, r)
		c.extraHeaders(key+".extra_headers", r.ExtraHeaders)
	}
}

// extraHeader is a header line of a mail service's own. Other names are ours to
// write: a second From or List-Unsubscribe makes a mail that receivers refuse.
var extraHeader = regexp.MustCompile(`^(?i)X-[a-z0-9-]{1,70}: [ -~]{1,400}$`)

func (c *checker) extraHeaders(key string, lines []HeaderLine) {
	names := map[string]bool{}
	for i, line := range lines {
		name, _, _ := strings.Cut(strings.ToLower(line.Reveal()), ":")
		switch at := fmt.Sprintf("%s[%d]", key, i); {
		case !extraHeader.MatchString(line.Reveal()): // without its value, which may be a token
			c.wrong(at, fmt.Sprintf("%q is no header line of a mail service", line), `"X-NAME: VALUE" in ASCII, such as "X-PM-KeepID: true"`)
		case names[name]:
			c.wrong(at, fmt.Sprintf("there are two headers %q", name), "each name once")
		}
		names[name] = true
	}
}

func (c *checker) relay(key string, r *Relay) {
	switch {
	case r.Host == "" && r.Socket == "":
		c.wrong(key+".host", "it is missing", "the server's name, or socket with a path")
	case r.Host != "" && r.Socket != "":
		c.wrong(key+".socket", "host is given as well", "one of the two")
	}
	if r.Socket == "" {
		c.between(key+".port", r.Port, 1, math.MaxUint16)
	}
	c.oneOf(key+".protocol", r.Protocol, "smtp", "lmtp")
	c.oneOf(key+".tls", r.TLS, "starttls", "implicit", "opportunistic", "none")
	c.oneOf(key+".auth", r.Auth, "auto", "plain", "login", "scram", "xoauth2", "none")
	c.path(key+".ca_file", &r.CAFile, "a PEM file with certificates")
	c.helo(key+".helo", r.Helo)
	if r.Username == "" && (r.Password != "" || r.PasswordFile != "") {
		c.wrong(key+".username", "a password is given and no name", "the name that goes with the password")
	}
	if r.Username != "" && r.Password == "" && r.PasswordFile == "" {
		c.wrong(key+".password", "a username is given and no password", "${SMTP_PASSWORD}, or password_file")
	}
}

// hostName is a name as EHLO takes it (RFC 5321, section 4.1.2).
var hostName = regexp.MustCompile(`^(?i)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*\.?$`)

func (c *checker) helo(key, value string) {
	literal, isLiteral := strings.CutPrefix(value, "[")
	literal, closed := strings.CutSuffix(literal, "]")
	_, err := netip.ParseAddr(strings.TrimPrefix(literal, "IPv6:"))
	switch {
	case value == "", isLiteral && closed && err == nil, !isLiteral && len(value) <= 253 && hostName.MatchString(value):
		return
	}
	c.wrong(key, fmt.Sprintf("%q is neither a host name nor an address in brackets", value), "something like mail.example.org or [192.0.2.1]")
}

func (c *checker) limits(key string, r *Relay) {
	c.between(key+".weight", r.Weight, 0, 1000)
	c.between(key+".connections", r.Connections, 0, 10_000)
	c.between(key+".connections_per_node", r.ConnectionsPerNode, 0, 10_000)
	c.between(key+".per_hour", r.PerHour, 0, math.MaxInt32)
	c.between(key+".per_connection", r.PerConnection, 0, math.MaxInt32)
	if r.PerSecond < 0 || r.PerSecond > 1e6 || math.IsNaN(r.PerSecond) {
		c.wrong(key+".per_second", "it is out of bounds", "0 (no limit) to 1000000")
	}
}

// password reads a password_file into the password.
func (c *checker) password(key string, password *Secret, file string) {
	if file == "" {
		return
	}
	if *password != "" {
		c.wrong(key+".password_file", "password is given as well", "one of the two")
		return
	}
	path := c.relative(file)
	c.config.secrets = append(c.config.secrets, secretFile{key + ".password_file", path, "a password"})
	data, err := os.ReadFile(path)
	if err != nil {
		c.wrong(key+".password_file", cause(err), "a file that this user can read")
		return
	}
	secret := strings.TrimRight(string(data), "\r\n")
	if secret == "" || len(secret) > 4096 || strings.ContainsAny(secret, "\r\n\x00") {
		c.wrong(key+".password_file", path+" does not hold a password", "one line with the password")
		return
	}
	*password = Secret(secret)
}

func (c *checker) delivery() {
	d := c.config.Delivery
	c.oneOf("delivery.uncertain", d.Uncertain, "resend", "hold")
	c.notNegative("delivery.retry_for", d.RetryFor)
	c.between("delivery.chunk", d.Chunk, 1, 100_000)
	if d.Lease < time.Second || d.Lease > time.Hour {
		c.wrong("delivery.lease", "it is out of bounds", "1s to 1h, such as 10s")
	}
	c.between("delivery.soft_limit", d.SoftLimit, 1, 1000)
	c.between("delivery.soft_days", d.SoftDays, 0, 365)
}

func (c *checker) bounces() {
	b := &c.config.Bounces
	for key, address := range map[string]string{"bounces.smtp": b.SMTP, "bounces.lmtp": b.LMTP} {
		if address != "" {
			c.listen(key, address)
		}
	}
	for i, address := range b.Addresses {
		c.mailbox(fmt.Sprintf("bounces.addresses[%d]", i), address)
	}
	if m := b.Mailbox; m != nil {
		c.required("bounces.mailbox.host", m.Host, "the server's name")
		c.between("bounces.mailbox.port", m.Port, 1, math.MaxUint16)
		c.oneOf("bounces.mailbox.protocol", m.Protocol, "imap", "pop3")
		c.oneOf("bounces.mailbox.tls", m.TLS, "implicit", "starttls", "none")
		c.required("bounces.mailbox.username", m.Username, "the mailbox's user")
		c.password("bounces.mailbox", &m.Password, m.PasswordFile)
		if m.TLS == "none" && m.Host != "" && !isLocal(m.Host) {
			c.wrong("bounces.mailbox.tls", "\"none\" would send the password to "+m.Host+" without TLS", "implicit or starttls")
		}
		if m.Every < 1e9 {
			c.wrong("bounces.mailbox.every", m.Every.String()+" is too often", "1m or more")
		}
	}
	names := map[string]string{}
	for i, w := range b.Webhooks {
		key := fmt.Sprintf("bounces.webhooks[%d]", i)
		c.oneOf(key+".service", w.Service, "ses", "postmark", "sendgrid", "generic")
		c.name(key+".name", w.Name, names)
		c.required(key+".secret", string(w.Secret), "${WEBHOOK_SECRET}, as the service has it")
	}
}

// path checks that a file or folder is there, and makes it relative to the working folder.
func (c *checker) path(key string, path *string, right string) {
	if *path == "" {
		return
	}
	*path = c.relative(*path)
	if _, err := os.Stat(*path); err != nil {
		c.wrong(key, cause(err), right)
	}
}

// cause says what happened to which file, without the system call.
func cause(err error) string {
	if path, ok := err.(*os.PathError); ok {
		return filepath.ToSlash(path.Path) + ": " + path.Err.Error()
	}
	return err.Error()
}
