package config

import (
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"

	"github.com/tidings-press/tidings/internal/schedule"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/words"
)

// checker checks every value of a decoded configuration.
type checker struct {
	config   *Config
	folder   string
	bad      map[string]bool // keys that have a problem already
	names    map[string]map[string]string
	problems Problems
}

func (c *checker) wrong(key, what, fix string) {
	if c.bad[key] {
		return
	}
	c.bad[key] = true
	c.problems = append(c.problems, Problem{File: c.config.path, Line: c.config.lineOf(key), Key: key, What: shortened(what), Fix: fix})
}

// failed records an error. fix is how to fix it, unless the error's own text says so after a
// semicolon.
func (c *checker) failed(key string, err error, fix string) {
	if err == nil {
		return
	}
	what, own, found := strings.Cut(err.Error(), "; ")
	if !found {
		c.wrong(key, what, fix)
	} else if before := len(c.problems); !c.bad[key] {
		c.wrong(key, what, own)
		c.problems[before].one = true
	}
}

func (c *checker) all() {
	c.site()
	c.brand()
	c.service()
	c.imports()
	for i := range c.config.Feeds {
		c.feed(fmt.Sprintf("feeds[%d]", i), &c.config.Feeds[i])
	}
	c.feedSet()
	for i := range c.config.Digests {
		c.digest(fmt.Sprintf("digests[%d]", i), &c.config.Digests[i])
	}
	c.mail()
	c.relays()
	c.delivery()
	c.checks()
	c.bounces()
	c.health()
	c.metrics()
	c.backup()
	c.admin()
	if c.config.Templates != "" {
		c.existingFolder("templates", &c.config.Templates)
	}
	c.controlCharacters(reflect.ValueOf(c.config).Elem(), "")
}

// multiline are the keys whose values may have line breaks: texts for people and long
// expressions. All others are used in headers, commands, addresses and names, where a line break
// would begin another header or command.
var multiline = map[string]bool{"description": true, "postal_address": true, "copyright": true, "match": true, "strip": true, "footer": true, "intro": true}

// controlCharacters refuses values with control characters for all keys.
func (c *checker) controlCharacters(v reflect.Value, key string) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			c.controlCharacters(v.Elem(), key)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if name := v.Type().Field(i).Tag.Get("yaml"); name != "" {
				c.controlCharacters(v.Field(i), join(key, name))
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			c.controlCharacters(v.Index(i), key+"["+strconv.Itoa(i)+"]")
		}
	case reflect.String:
		if text, ok := v.Interface().(Text); ok {
			for _, one := range text.All() {
				c.oneLine(one, key)
			}
			return
		}
		c.oneLine(v.String(), key)
	}
}

func (c *checker) oneLine(value, key string) {
	last, _, _ := strings.Cut(key[strings.LastIndexByte(key, '.')+1:], "[")
	i := strings.IndexFunc(value, func(r rune) bool {
		return unicode.IsControl(r) && !(multiline[last] && (r == '\n' || r == '\t'))
	})
	if i >= 0 {
		r, _ := utf8.DecodeRuneInString(value[i:])
		c.wrong(key, words.T("it has the control character {0} after {1} bytes", fmt.Sprintf("%U", r), i).String(), "write one line of visible characters")
	}
}

func (c *checker) site() {
	s := &c.config.Site
	c.required("site.title", s.Title.String(), "write the publication's name")
	s.URL = strings.TrimRight(s.URL, "/")
	c.address("site.url", s.URL)
	if strings.ContainsAny(s.URL, "?#") { // even empty ones, since paths are added at the end
		c.wrong("site.url", "it has a query or fragment", "keep only the address, such as https://news.example.org")
	}
	for i := range s.FormerURLs {
		c.address(fmt.Sprintf("site.former_urls[%d]", i), s.FormerURLs[i])
	}
	c.language("site.language", s.Language)
	for i, tag := range s.Languages {
		c.language(fmt.Sprintf("site.languages[%d]", i), tag)
	}
	c.timezone("site.timezone", s.Timezone)
	c.mailbox("site.editor", s.Editor)
	c.mailbox("site.webmaster", s.Webmaster)
	c.optionalAddress("site.icon", s.Icon)
	c.optionalAddress("site.image", s.Image)
}

func (c *checker) service() {
	cfg := c.config
	c.dsn(&cfg.Store.DSN)
	c.oneOf("store.durability", cfg.Store.Durability, "full", "normal")
	if cfg.Store.Journal != "none" {
		cfg.Store.Journal = c.relative(cfg.Store.Journal)
	}
	c.server()
	for key, days := range map[string]int{"deliveries": cfg.Retention.Deliveries, "feedback": cfg.Retention.Feedback, "jobs": cfg.Retention.Jobs,
		"revisions": cfg.Retention.Revisions, "media": cfg.Retention.Media} {
		if days < 0 || days > 0 && days < 7 {
			c.wrong("retention."+key, fmt.Sprintf("%d days is too short", days), "use 7 days or more, or 0 to keep everything")
		}
	}
	if days := cfg.Retention.Audit; days < 0 || days > 0 && days < 366 {
		c.wrong("retention.audit", fmt.Sprintf("%d days is too short", days), "use 366 days or more, or 0 to keep everything: the database keeps each entry for a year")
	}
	c.oneOf("log.level", cfg.Log.Level, "debug", "info", "warn", "error")
	c.oneOf("log.format", cfg.Log.Format, "auto", "text", "json")
	c.oneOf("log.clients", cfg.Log.Clients, "full", "network", "none")
}

// dsn checks the store's address, and makes a path relative to the working folder.
func (c *checker) dsn(dsn *DSN) {
	path, isFile := strings.CutPrefix(dsn.Reveal(), "sqlite:")
	switch {
	case isFile && path == "":
		c.wrong("store.dsn", "it names no file", "write sqlite:tidings.db")
	case isFile:
		*dsn = DSN("sqlite:" + c.relative(path))
	case strings.HasPrefix(dsn.Reveal(), "postgres://"), strings.HasPrefix(dsn.Reveal(), "postgresql://"):
	default:
		c.wrong("store.dsn", "it names neither SQLite nor PostgreSQL", "write sqlite:tidings.db or postgres://user@host/database")
	}
}

func (c *checker) imports() {
	for i := range c.config.Import.Sources {
		key, s := fmt.Sprintf("import.sources[%d]", i), &c.config.Import.Sources[i]
		if s.Path == "" {
			c.wrong(key+".path", "it is missing", "write the folder with the articles")
		}
		s.Path = c.relative(s.Path)
		if s.BaseURL != "" {
			c.address(key+".base_url", s.BaseURL)
		}
		c.language(key+".language", s.Language)
		c.patterns(key+".strip", s.Strip)
	}
	c.patterns("import.strip", c.config.Import.Strip)
}

func (c *checker) patterns(key string, patterns []string) {
	for i, pattern := range patterns {
		_, err := regexp.Compile(pattern)
		c.failed(fmt.Sprintf("%s[%d]", key, i), err, "write a regular expression in Go's syntax (RE2)")
	}
}

func (c *checker) feedSet() {
	set := &c.config.FeedSet
	if set.Memory < 1e6 {
		c.wrong("feed_server.memory", "it is less than a megabyte", "use 64MB or more")
	}
	for i, hub := range set.Hubs {
		c.address(fmt.Sprintf("feed_server.hubs[%d]", i), hub)
	}
	c.notNegative("feed_server.retry_after", set.RetryAfter)
}

func (c *checker) health() {
	h := c.config.Health
	if h.AlertEvery < time.Minute {
		c.wrong("health.alert_every", h.AlertEvery.String()+" is too often", "use 1h or more")
	}
	c.notNegative("health.stuck_after", h.StuckAfter)
	if h.DiskFree < 0 {
		c.wrong("health.disk_free", "it is negative", "use a size such as 256MB, or 0B for no warning")
	}
}

// Checks that many keys share.

func (c *checker) required(key, value, fix string) {
	if strings.TrimSpace(value) == "" {
		c.wrong(key, words.T("it is missing").String(), fix)
	}
}

func (c *checker) oneOf(key, value string, allowed ...string) {
	if slices.Contains(allowed, value) {
		return
	}
	fix := words.T("use one of: {0}", strings.Join(allowed, ", ")).String()
	if best := nearest(value, allowed); best != "" {
		fix = words.T("did you mean {0}?", best).String()
	}
	c.wrong(key, words.T("unknown value {0}", strconv.Quote(value)).String(), fix)
}

func (c *checker) address(key, value string) {
	u, err := url.Parse(value)
	if err == nil && u.Port() != "" {
		_, err = strconv.ParseUint(u.Port(), 10, 16)
	}
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
		c.wrong(key, words.T("{0} is not a web address", strconv.Quote(value)).String(), "use an address such as https://news.example.org")
	}
}

// optionalAddress allows an empty value, and a path on this site.
func (c *checker) optionalAddress(key, value string) {
	if value != "" && (!strings.HasPrefix(value, "/") || strings.HasPrefix(value, "//")) {
		c.address(key, value)
	}
}

func (c *checker) language(key, value string) {
	if value == "" {
		return
	}
	if _, err := language.Parse(value); err != nil {
		fix := "write a tag such as en or pt-BR"
		if best := nearestLanguage(value, commonLanguages); best != "" {
			fix = words.T("did you mean {0}?", best).String()
		}
		c.wrong(key, words.T("{0} is not a language tag", strconv.Quote(value)).String(), fix)
	}
}

func (c *checker) timezone(key, value string) {
	_, err := schedule.LoadZone(value)
	c.failed(key, err, "use an IANA name such as Europe/Paris, or UTC")
}

func (c *checker) mailbox(key, value string) {
	if value == "" {
		return
	}
	_, _, err := subscriber.ParseMailbox(value)
	c.failed(key, err, "write Name <address>")
}

var namePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

func (c *checker) name(key, value string, used map[string]string) {
	if !namePattern.MatchString(value) {
		c.wrong(key, words.T("{0} cannot be part of an address", strconv.Quote(value)).String(), "use lower-case letters, digits and hyphens, such as weekly-news")
	}
	c.unique(key, value, used)
}

func (c *checker) unique(key, value string, used map[string]string) {
	if before, found := used[value]; found {
		c.wrong(key, words.T("{0} is already used by {1}", strconv.Quote(value), before).String(), "choose another name")
		return
	}
	used[value] = key
}

func (c *checker) listen(key, value string) {
	_, port, err := net.SplitHostPort(value)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	c.failed(key, wrongFormat(err, value, "an address with a port"), "use an address such as :8080 or 127.0.0.1:8080")
}

func (c *checker) between(key string, value, least, most int) {
	if value < least || value > most {
		c.wrong(key, words.T("{0} is out of range", strconv.Itoa(value)).String(), words.T("use a number from {0} to {1}", strconv.Itoa(least), strconv.Itoa(most)).String())
	}
}

func (c *checker) notNegative(key string, value time.Duration) {
	if value < 0 {
		c.wrong(key, words.T("{0} is negative", value.String()).String(), "use 0s or more")
	}
}

// relative makes a path that is relative to the file's folder relative to the working folder.
func (c *checker) relative(path string) string {
	if path == "" || path == ":memory:" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(c.folder, path)
}

// usedNames returns the names of a kind that are used already, each with its key.
func (c *checker) usedNames(kind string) map[string]string {
	if c.names == nil {
		c.names = map[string]map[string]string{}
	}
	if c.names[kind] == nil {
		c.names[kind] = map[string]string{}
	}
	return c.names[kind]
}
