// Package config reads config.yaml, checks every key of it and explains what is
// wrong. Load is the door for a file, Default for a service without one.
package config

import "time"

// Config is the whole of config.yaml. Every duration is written as Go writes it
// ("72h", "30s"), every size with a unit ("10MB").
type Config struct {
	Site      Site     `yaml:"site"`
	Store     Store    `yaml:"store"`
	Server    Server   `yaml:"server"`
	Log       Log      `yaml:"log"`
	Import    Import   `yaml:"import"`
	Feeds     []Feed   `yaml:"feeds"`
	FeedSet   FeedSet  `yaml:"feed_server"`
	Digests   []Digest `yaml:"digests"`
	Mail      Mail     `yaml:"mail"`
	Relays    []Relay  `yaml:"relays"`
	Delivery  Delivery `yaml:"delivery"`
	Bounces   Bounces  `yaml:"bounces"`
	Templates string   `yaml:"templates"` // folder with templates that replace the built-in ones
}

// Site describes the publication.
type Site struct {
	Title       string   `yaml:"title"`
	Description string   `yaml:"description"`
	URL         string   `yaml:"url"`         // public address without a path's last slash; self links come from here, never from requests
	FormerURLs  []string `yaml:"former_urls"` // old addresses of the site: requests to their hosts are redirected
	Language    string   `yaml:"language"`
	Timezone    string   `yaml:"timezone"`
	Copyright   string   `yaml:"copyright"`
	Editor      string   `yaml:"editor"`    // "Name <address>", RSS managingEditor
	Webmaster   string   `yaml:"webmaster"` // "Name <address>", RSS webMaster
	Icon        string   `yaml:"icon"`      // URL
	Image       string   `yaml:"image"`     // URL
}

// Store says where everything is kept.
type Store struct {
	DSN        string `yaml:"dsn"`        // "sqlite:PATH" or "postgres://…"
	Durability string `yaml:"durability"` // "full" (survives power loss) or "normal" (survives a kill)
}

// Server is the HTTP side.
type Server struct {
	Listen         string   `yaml:"listen"`
	TrustedProxies []string `yaml:"trusted_proxies"` // CIDRs whose X-Forwarded-For is believed
}

// Log says how the service logs.
type Log struct {
	Level  string `yaml:"level"`  // debug, info, warn, error
	Format string `yaml:"format"` // auto, text, json
}

// Import says how files become articles.
type Import struct {
	Sources []Source `yaml:"sources"`
	Strip   []string `yaml:"strip"` // patterns of boilerplate for every source
}

// Source is one folder of files with rules of its own.
type Source struct {
	Path     string   `yaml:"path"`
	BaseURL  string   `yaml:"base_url"` // where its articles live; empty for pages of this site
	Language string   `yaml:"language"`
	Author   string   `yaml:"author"`
	Tags     []string `yaml:"tags"`
	Strip    []string `yaml:"strip"` // regular expressions; matching lines of the source are dropped
	Watch    bool     `yaml:"watch"` // serve re-imports when it changes
}

// Filter selects articles: all that are given must hold.
type Filter struct {
	Match     string   `yaml:"match"` // boolean expression over tags, such as "golang AND NOT jobs"
	Tags      []string `yaml:"tags"`  // any of them
	Authors   []string `yaml:"authors"`
	Languages []string `yaml:"languages"`
	Search    string   `yaml:"search"` // words in title, summary or text
}

// Feed is one named selection of articles.
type Feed struct {
	Name        string        `yaml:"name"` // in its URL
	Title       string        `yaml:"title"`
	Description string        `yaml:"description"`
	Filter      Filter        `yaml:"filter"`
	Limit       int           `yaml:"limit"`
	Content     string        `yaml:"content"` // full or summary
	Language    string        `yaml:"language"`
	MaxAge      time.Duration `yaml:"max_age"` // Cache-Control of its documents
	Podcast     *Podcast      `yaml:"podcast"`
}

// Podcast adds the itunes elements to a feed.
type Podcast struct {
	Author   string `yaml:"author"`
	Owner    string `yaml:"owner"` // "Name <address>"
	Image    string `yaml:"image"`
	Category string `yaml:"category"`
	Explicit bool   `yaml:"explicit"`
	Type     string `yaml:"type"` // episodic or serial
}

// FeedSet is what holds for all feeds.
type FeedSet struct {
	Memory     Size          `yaml:"memory"`      // cap on cached documents
	Hubs       []string      `yaml:"hubs"`        // WebSub hubs to tell of changes
	RetryAfter time.Duration `yaml:"retry_after"` // for clients that poll unconditionally more often; 0 is off
}

// Digest is a named, recurring mail.
type Digest struct {
	Name        string `yaml:"name"`
	Title       string `yaml:"title"`
	Description string `yaml:"description"`
	Schedule    string `yaml:"schedule"` // cron: 5 fields, 6 with seconds first, or @weekly and the like
	Timezone    string `yaml:"timezone"` // of the schedule; the site's when empty
	Missed      string `yaml:"missed"`   // after downtime: latest or each
	Filter      Filter `yaml:"filter"`
	MinArticles int    `yaml:"min_articles"`
	MaxArticles int    `yaml:"max_articles"`
	Template    string `yaml:"template"`
	Subject     string `yaml:"subject"` // a template of its own
	Sender      string `yaml:"sender"`  // "Name <address>"
	ReplyTo     string `yaml:"reply_to"`
	Language    string `yaml:"language"`
	Approval    string `yaml:"approval"` // automatic, or manual: an editor approves each edition
}

// Mail is what holds for all mails.
type Mail struct {
	ReturnPathDomain string `yaml:"return_path_domain"` // of the VERP return path; the sender's domain when empty
	Postal           string `yaml:"postal_address"`     // shown in each mail's footer
	Owner            string `yaml:"owner"`              // List-Owner address
	DKIM             []DKIM `yaml:"dkim"`
}

// DKIM is one key that signs mails.
type DKIM struct {
	Domain   string `yaml:"domain"`
	Selector string `yaml:"selector"`
	KeyFile  string `yaml:"key_file"` // PEM, RSA or Ed25519
}

// Relay is an SMTP server that mail is handed to.
type Relay struct {
	Name          string  `yaml:"name"`
	Host          string  `yaml:"host"`
	Port          int     `yaml:"port"`
	Protocol      string  `yaml:"protocol"` // smtp or lmtp
	Socket        string  `yaml:"socket"`   // Unix socket in place of host and port
	TLS           string  `yaml:"tls"`      // starttls (required, the default), implicit, opportunistic, none
	CAFile        string  `yaml:"ca_file"`
	Auth          string  `yaml:"auth"` // auto, plain, login, scram, xoauth2, none
	Username      string  `yaml:"username"`
	Password      Secret  `yaml:"password"`
	PasswordFile  string  `yaml:"password_file"`
	Helo          string  `yaml:"helo"`
	Weight        int     `yaml:"weight"`
	Connections   int     `yaml:"connections"`    // most at once over all nodes, 0 for as many as help
	PerSecond     float64 `yaml:"per_second"`     // mails, over all nodes, 0 for no limit
	PerHour       int     `yaml:"per_hour"`       // mails, over all nodes, 0 for no limit
	PerConnection int     `yaml:"per_connection"` // mails before it is opened anew, 0 for no limit
	MaxSize       Size    `yaml:"max_size"`       // largest mail it takes
}

// Delivery is how editions are sent.
type Delivery struct {
	Uncertain string        `yaml:"uncertain"`  // resend, or hold until an editor decides
	RetryFor  time.Duration `yaml:"retry_for"`  // deferred mails are tried for so long
	Chunk     int           `yaml:"chunk"`      // subscribers that a node claims at once
	SoftLimit int           `yaml:"soft_limit"` // soft bounces before a subscriber is suppressed
	SoftDays  int           `yaml:"soft_days"`  // and the days they must span
}

// Bounces is where bounce mails and complaints come in.
type Bounces struct {
	SMTP     string    `yaml:"smtp"` // address to listen on, such as ":2525"
	LMTP     string    `yaml:"lmtp"`
	Mailbox  *Mailbox  `yaml:"mailbox"`
	Webhooks []Webhook `yaml:"webhooks"`
}

// Mailbox is polled for bounce mails.
type Mailbox struct {
	Protocol     string        `yaml:"protocol"` // imap or pop3
	Host         string        `yaml:"host"`
	Port         int           `yaml:"port"`
	TLS          string        `yaml:"tls"` // implicit, starttls, none
	Username     string        `yaml:"username"`
	Password     Secret        `yaml:"password"`
	PasswordFile string        `yaml:"password_file"`
	Every        time.Duration `yaml:"every"`
}

// Webhook takes bounce events from a mail service.
type Webhook struct {
	Name    string `yaml:"name"`    // in its URL
	Service string `yaml:"service"` // ses, postmark, sendgrid or generic
	Secret  Secret `yaml:"secret"`
}

// Secret is a string that is never printed.
type Secret string

// String hides the secret.
func (Secret) String() string { return "(secret)" }

// GoString hides the secret.
func (Secret) GoString() string { return "(secret)" }

// MarshalYAML hides the secret.
func (Secret) MarshalYAML() (any, error) { return "(secret)", nil }

// Size is a number of bytes, written such as "64MB" or "512KiB".
type Size int64
