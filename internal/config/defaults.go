package config

import (
	"cmp"
	"time"

	"github.com/tidings-press/tidings/internal/article"
)

// Default returns the settings of a service without a configuration file: an SQLite store in the
// working folder, one feed of everything, no digests, and a relay on this machine.
func Default() *Config {
	c := empty()
	fillDefaults(c)
	return c
}

// empty returns the defaults of all keys outside lists. A file overrides them.
func empty() *Config {
	return &Config{
		Site:      Site{Title: "Tidings", URL: "http://localhost:8080", Language: "en", Timezone: "UTC"},
		Store:     Store{DSN: "sqlite:tidings.db", Durability: "full"},
		Retention: Retention{Deliveries: 400, Feedback: 800, Jobs: 30, Audit: 800, Revisions: 800, Media: 90},
		Backup:    Backup{Keep: BackupKeep{Daily: 7, Weekly: 4, Monthly: 12}},
		Server:    Server{SocketMode: "0660", HSTS: "auto", TrustedProxies: []string{"127.0.0.0/8", "::1"}},
		Log:       Log{Level: "info", Format: "auto", Clients: "network"},
		Health:    Health{Alerts: true, AlertEvery: 6 * time.Hour, DiskFree: 256e6, StuckAfter: 15 * time.Minute},
		FeedSet:   FeedSet{Memory: 24e6, Tombstones: true},
		Admin:     Admin{SignIn: SignIn{Password: true, Idle: 14 * 24 * time.Hour, Longest: 30 * 24 * time.Hour}},
		Check:     Check{Errors: "harmful", Links: true},
		Delivery: Delivery{
			Uncertain:      "resend",
			Undo:           30 * time.Second,
			FirstSendCheck: true,
			RetryFor:       72 * time.Hour,
			Chunk:          500,
			Lease:          10 * time.Second,
			SoftLimit:      5,
			SoftDays:       7,

			ComplaintsWarn: 0.1,
			ComplaintsStop: 0.3,
			RefusalsStop:   5,
		},
	}
}

// fillDefaults fills in the defaults in lists, and those that depend on other keys.
func fillDefaults(c *Config) {
	c.Site.Title, c.Site.Description = c.Site.Title.preferring(c.Site.Language), c.Site.Description.preferring(c.Site.Language)
	c.Brand.fill(c.Site.Language)
	c.Server.fill(c)
	c.Admin.SignIn.OIDC.fill()
	if c.Feeds == nil {
		c.Feeds = []Feed{{Name: "all", MaxAge: defaultMaxAge}}
	}
	if c.Relays == nil {
		c.Relays = []Relay{{Name: "local", Host: "localhost", Port: 25, TLS: "none", Weight: 1}}
	}
	for i := range c.Feeds {
		c.Feeds[i].fill()
	}
	for i := range c.Digests {
		c.Digests[i].fill(c)
	}
	for i := range c.Relays {
		c.Relays[i].fill()
	}
	if m := c.Bounces.Mailbox; m != nil {
		m.fill()
	}
	if m := c.Mail.TestMailbox; m != nil {
		m.fill()
	}
	for i := range c.Bounces.Webhooks {
		w := &c.Bounces.Webhooks[i]
		w.Name = cmp.Or(w.Name, w.Service)
	}
}

// defaultMaxAge is how long caches may keep documents of feeds.
const defaultMaxAge = 5 * time.Minute

// preset sets the default of a key for which 0 has a meaning of its own.
func (f *Feed) preset() { f.MaxAge = defaultMaxAge }

func (f *Feed) fill() {
	f.Limit = cmp.Or(f.Limit, 50)
	f.Content = cmp.Or(f.Content, "full")
	if f.Podcast != nil {
		f.Podcast.Type = cmp.Or(f.Podcast.Type, "episodic")
	}
}

func (d *Digest) fill(c *Config) {
	d.Title = cmp.Or(d.Title.preferring(c.Site.Language), c.Site.Title)
	d.Description = d.Description.preferring(c.Site.Language)
	d.Intro, d.Footer = d.Intro.preferring(c.Site.Language), d.Footer.preferring(c.Site.Language)
	d.Timezone = cmp.Or(d.Timezone, c.Site.Timezone)
	d.Status = cmp.Or(d.Status, "active")
	d.Missed = cmp.Or(d.Missed, "latest")
	d.MinArticles = cmp.Or(d.MinArticles, 1)
	d.MaxArticles = cmp.Or(d.MaxArticles, 20)
	d.Template = cmp.Or(d.Template, "digest")
	d.Subject = cmp.Or(d.Subject, "{{.Digest.Title}}: {{.First.Title}}")
	d.ReplyTo = cmp.Or(d.ReplyTo, d.Sender)
	d.Approval = cmp.Or(d.Approval, "automatic")
	if d.AtDeadline == "" {
		d.AtDeadline = map[bool]string{true: "send", false: "hold"}[d.Approval == "automatic"]
	}
	d.Prefer = cmp.Or(d.Prefer, "newest")
	d.Notify.To = cmp.Or(d.Notify.To, "editors")
	d.Order = cmp.Or(d.Order, "newest")
	for i := range d.Sections {
		s := &d.Sections[i]
		s.Title = s.Title.preferring(c.Site.Language)
		s.Name = cmp.Or(s.Name, article.Slugify(s.Tag), article.Slugify(s.Title.String()))
	}
}

func (m *Mailbox) fill() {
	m.Protocol = cmp.Or(m.Protocol, "imap")
	m.TLS = cmp.Or(m.TLS, "implicit")
	m.Port = cmp.Or(m.Port, mailboxPort(m.Protocol, m.TLS))
	m.Every = cmp.Or(m.Every, 5*time.Minute)
}

func (m *TestMailbox) fill() {
	m.Protocol = cmp.Or(m.Protocol, "imap")
	if m.Protocol == "maildir" {
		return
	}
	m.TLS = cmp.Or(m.TLS, "implicit")
	m.Port = cmp.Or(m.Port, mailboxPort(m.Protocol, m.TLS))
}

// mailboxPort returns the port of a protocol, 0 if it is not known.
func mailboxPort(protocol, security string) int {
	if security == "implicit" {
		return map[string]int{"imap": 993, "pop3": 995}[protocol]
	}
	return map[string]int{"imap": 143, "pop3": 110}[protocol]
}
