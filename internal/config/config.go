// Package config reads and checks config.yaml. Load reads a file and reports everything
// that is wrong with it; Default returns the settings of a service without a file.
//
// docs/configuration.md is generated from the comments of the structs' fields.
package config

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Config is the content of config.yaml. Durations have Go's format or days ("72h", "30s", "2d"), sizes have
// a unit ("10MB"). Paths are relative to the file's folder.
type Config struct {
	// The publication.
	Site Site `yaml:"site"`
	// The database.
	Store Store `yaml:"store"`
	// The HTTP server.
	Server Server `yaml:"server"`
	// How the service logs.
	Log Log `yaml:"log"`
	// How mails and their web pages look.
	Brand Brand `yaml:"brand"`
	// How files become articles.
	Import Import `yaml:"import"`
	// Named selections of articles for feed readers.
	Feeds []Feed `yaml:"feeds"`
	// Settings of all feeds.
	FeedSet FeedSet `yaml:"feed_server"`
	// The recurring mails.
	Digests []Digest `yaml:"digests"`
	// Settings of all mails.
	Mail Mail `yaml:"mail"`
	// The SMTP servers that mail is handed to.
	Relays []Relay `yaml:"relays"`
	// How editions are sent.
	Delivery Delivery `yaml:"delivery"`
	// What is checked before an edition is sent; see docs/checks.md.
	Check Check `yaml:"check"`
	// Number of days after which old records are removed; 0 keeps them.
	Retention Retention `yaml:"retention"`
	// Backups; see docs/backup.md.
	Backup Backup `yaml:"backup"`
	// Where "tidings check-update" looks. Nothing else does.
	Updates Updates `yaml:"updates"`
	// Where bounces and complaints are received.
	Bounces Bounces `yaml:"bounces"`
	// When owners are alerted.
	Health Health `yaml:"health"`
	// What Prometheus reads; see docs/operations.md. Not reloaded.
	Metrics Metrics `yaml:"metrics"`
	// The editors' web interface.
	Admin Admin `yaml:"admin"`
	// Folder with templates that replace the built-in ones; see docs/templates.md. Empty for the built-in ones.
	Templates string `yaml:"templates"`

	path     string
	source   *source        // nil if it was not read from a file, or the file is empty
	lines    map[string]int // of each key that the file has, by its path such as "digests[0].subject"
	literals []string       // keys whose secrets are in the file itself
	secrets  []secretFile   // files with secrets, as named by keys

	file       *Config           // without stored values; nil if there are none
	document   *yaml.Node        // with stored values
	storedKeys map[string]string // of each stored value: its path such as "digests[0].subject" → its key
	unused     []string          // keys of stored values that have no place
}

// source is the text of the file. It may hold secrets: it stands behind a pointer so that printing a
// configuration does not show it.
type source struct{ data []byte }

// Site describes the publication.
type Site struct {
	// Name of the publication, on pages, in feeds and mails: a text, or one per language.
	Title Text `yaml:"title"`
	// One sentence about it: a text, or one per language.
	Description Text `yaml:"description"`
	// Public address, such as https://news.example.org. Links and self links come from here, never from requests.
	URL string `yaml:"url"`
	// Old addresses of the site: requests to their hosts are redirected permanently.
	FormerURLs []string `yaml:"former_urls"`
	// Language of the site's fixed phrases, such as en or pt-BR.
	Language string `yaml:"language"`
	// Languages in which the fixed phrases of pages may appear: the one that the reader's browser prefers. When empty, the site's language and those of its articles. An article's own page takes its language if it is one of these.
	Languages []string `yaml:"languages"`
	// Timezone of dates and of digests that name none, such as Europe/Paris.
	Timezone string `yaml:"timezone"`
	// Copyright line of the feeds, such as © 2026 Example Press.
	Copyright string `yaml:"copyright"`
	// The person responsible for the content: "Name <address>".
	Editor string `yaml:"editor"`
	// The person responsible for the technology: "Name <address>".
	Webmaster string `yaml:"webmaster"`
	// Whether search engines may list the web pages of editions. They show articles that have pages of their own.
	IndexEditions bool `yaml:"index_editions"`
	// Address of a small square picture.
	Icon string `yaml:"icon"`
	// Address of a larger picture.
	Image string `yaml:"image"`
}

// Store says where the database is.
type Store struct {
	// sqlite:PATH for one machine, or postgres://USER@HOST/DATABASE for any number.
	DSN DSN `yaml:"dsn"`
	// full survives a power cut; normal survives a killed process and is a little faster.
	Durability string `yaml:"durability"`
	// Folder of the journal, which records what a restored backup does not contain (see
	// docs/backup.md). Best on another disk than the store. Empty means a folder beside a SQLite file (tidings.journal for
	// tidings.db), and no journal for PostgreSQL, where each machine needs a folder of its own. "none" turns it off.
	Journal string `yaml:"journal"`
}

// JournalFolder returns the folder of the journal, or "" without a journal.
func (s *Store) JournalFolder() string {
	path, isFile := strings.CutPrefix(s.DSN.Reveal(), "sqlite:")
	switch {
	case s.Journal == "none", s.Journal == "" && !isFile:
		return ""
	case s.Journal != "":
		return s.Journal
	}
	path = strings.TrimPrefix(path, "//")
	return strings.TrimSuffix(path, filepath.Ext(path)) + ".journal"
}

// Retention sets after how many days old records are removed. Subscribers,
// suppressions, and the pages, counts and articles of editions are always kept.
type Retention struct {
	// The outcome of each mail of an edition, counted from the edition's end.
	Deliveries int `yaml:"deliveries"`
	// Bounces and complaints.
	Feedback int `yaml:"feedback"`
	// Single mails and other jobs that are done or were given up.
	Jobs int `yaml:"jobs"`
	// Entries of the audit log: who did what in the admin and on the command line.
	Audit int `yaml:"audit"`
	// Former revisions of articles that are written in the browser. The newest and the published one stay.
	Revisions int `yaml:"revisions"`
	// Pictures and other files, counted from the day on which no article, revision, edition or setting names them any more.
	Media int `yaml:"media"`
}

// Log says how the service logs.
type Log struct {
	// debug, info, warn or error. Reloaded on SIGHUP.
	Level string `yaml:"level"`
	// text for people, json for machines, auto for text on a terminal and json elsewhere.
	Format string `yaml:"format"`
	// What lines show of the network addresses of clients: full, network (the /24 of IPv4, the /48 of IPv6), or none. Reloaded on SIGHUP.
	Clients string `yaml:"clients"`
}

// Import says how files become articles.
type Import struct {
	// Folders of articles with their own rules.
	Sources []Source `yaml:"sources"`
	// Regular expressions of boilerplate for every source: matching lines are dropped.
	Strip []string `yaml:"strip"`
}

// Source is one folder of files with rules of its own.
type Source struct {
	// The folder.
	Path string `yaml:"path"`
	// Where its articles are published, such as https://blog.example.org/; empty for pages of this site.
	BaseURL string `yaml:"base_url"`
	// Language of articles that name none; empty to detect it.
	Language string `yaml:"language"`
	// Author of articles that name none.
	Author string `yaml:"author"`
	// Tags that are added to all of its articles.
	Tags []string `yaml:"tags"`
	// Regular expressions: matching lines of the source are dropped.
	Strip []string `yaml:"strip"`
	// Whether serve imports files again when they change.
	Watch bool `yaml:"watch"`
}

// Health says when owners are alerted.
type Health struct {
	// Whether owners get a mail when an edition fails or is paused by the program, a relay is paused, or the store has a problem.
	Alerts bool `yaml:"alerts"`
	// Minimum time between two alerts for the same cause.
	AlertEvery time.Duration `yaml:"alert_every"`
	// Free space on the store's disk below which owners are alerted.
	DiskFree Size `yaml:"disk_free"`
	// How long mails and jobs that are due may wait without a node that takes them, until /readyz answers 503; 0s for any time.
	StuckAfter time.Duration `yaml:"stuck_after"`
}

// Filter selects articles: all that are given must hold.
type Filter struct {
	// Boolean expression over tags, such as golang AND NOT jobs.
	Match string `yaml:"match"`
	// Tags, any of them.
	Tags []string `yaml:"tags"`
	// Names of authors, any of them.
	Authors []string `yaml:"authors"`
	// Languages, any of them.
	Languages []string `yaml:"languages"`
	// Words in title, summary or text, all of them.
	Search string `yaml:"search"`
}

// Path returns the name of the file that the configuration was read from, "" for Default.
func (c *Config) Path() string { return c.path }

// DigestNames returns the names of all digests.
func (c *Config) DigestNames() []string {
	names := make([]string, len(c.Digests))
	for i, d := range c.Digests {
		names[i] = d.Name
	}
	return names
}

// CheckDigests returns an error for the first name that is not a digest.
func (c *Config) CheckDigests(names []string) error {
	known := c.DigestNames()
	for _, name := range names {
		if !slices.Contains(known, name) {
			return fmt.Errorf("unknown digest %q; configured digests: %s", name, strings.Join(known, ", "))
		}
	}
	return nil
}
