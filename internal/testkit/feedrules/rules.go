package feedrules

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tidings-press/tidings/feed"
)

// Problems checks a document against its specification and the warnings of public
// validators, and returns the violations.
func Problems(f feed.Format, data []byte) []string {
	c := &checker{ids: map[string]bool{}}
	if !utf8.Valid(data) || bytes.Contains(data, []byte("\uFFFD")) {
		c.report("the document is not UTF-8, or contains U+FFFD")
	}
	switch f {
	case feed.FormatJSON:
		c.json(data)
	case feed.FormatRSS:
		c.xml(data, "rss", c.rss)
	case feed.FormatAtom:
		c.xml(data, "feed", c.atom)
	}
	return c.problems
}

type checker struct {
	problems []string
	ids      map[string]bool
	self     string // the document's own address
}

func (c *checker) report(format string, args ...any) {
	c.problems = append(c.problems, fmt.Sprintf(format, args...))
}

func (c *checker) xml(data []byte, root string, check func(*Node)) {
	n, err := Parse(data)
	if err != nil {
		c.report("not well-formed: %v", err)
		return
	}
	if n.Name != root {
		c.report("the root is %s, want %s", n.Name, root)
		return
	}
	check(n)
}

// links checks that exactly one of a document's links is its self link.
func (c *checker) links(links []*Node) {
	self := 0
	for _, link := range links {
		c.address("link "+link.Attributes["rel"], link.Attributes["href"])
		if link.Attributes["rel"] == "self" {
			self++
		}
	}
	if self != 1 {
		c.report("%d self links", self)
	}
}

// once checks that a node has at most one child of each name.
func (c *checker) once(n *Node, names ...string) {
	for _, name := range names {
		if found := len(n.All(name)); found > 1 {
			c.report("%d elements %s in %s", found, name, n.Name)
		}
	}
}

var uuids = regexp.MustCompile(`^urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

func (c *checker) id(id string) {
	if !uuids.MatchString(id) {
		c.report("id %q is not a urn:uuid", id)
	}
	if c.ids[id] {
		c.report("two entries have the id %q", id)
	}
	c.ids[id] = true
}

// Regular expressions for web addresses, from the grammar of RFC 3986, appendix A.
const (
	pchar  = `(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})`
	uriEnd = `(?:/` + pchar + `*)*(?:\?(?:` + pchar + `|[/?])*)?(?:#(?:` + pchar + `|[/?])*)?$`
	domain = `(?:[A-Za-z0-9_~-]+\.)*[A-Za-z0-9_~-]+\.?`
)

var (
	webAddress  = regexp.MustCompile(`^https?://(?:(?:[A-Za-z0-9._~!$&'()*+,;=:-]|%[0-9A-Fa-f]{2})+@)?(?:` + domain + `|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?` + uriEnd)
	otherLink   = regexp.MustCompile(`^(?:mailto|tel|xmpp|geo|magnet):(?:` + pchar + `|[/?])*(?:#(?:` + pchar + `|[/?])*)?$`)
	fileAddress = regexp.MustCompile(`(?i)^https?://([a-z0-9-]+\.)+[a-z0-9][a-z0-9-]*(:\d+)?/`)
)

// address checks the address of a page or file. Validators of RSS reject literal IPv6
// addresses.
func (c *checker) address(what, address string) {
	if !webAddress.MatchString(address) {
		c.report("%s is not a web address by RFC 3986: %q", what, address)
	}
	if strings.Contains(address, "[") && !c.onOwnHost(address) {
		c.report("%s is a literal IPv6 address: %q", what, address)
	}
}

// file checks an address by the rule of RSS for enclosures: it must have a domain with a
// dot, and a path. Addresses on the site's own host are exempt.
func (c *checker) file(what, address string) {
	if c.address(what, address); !fileAddress.MatchString(address) && !c.onOwnHost(address) {
		c.report("%s is not the address of a file: %q", what, address)
	}
}

// onOwnHost reports whether an address is on the document's host.
func (c *checker) onOwnHost(address string) bool {
	return c.self != "" && hostOf(address) == hostOf(c.self)
}

func hostOf(address string) string {
	_, rest, _ := strings.Cut(address, "://")
	host, _, _ := strings.Cut(rest, "/")
	return host
}

func (c *checker) date822(what, date string) {
	t, err := time.Parse(time.RFC1123Z, date)
	if err != nil || t.Format(time.RFC1123Z) != date { // time.Parse ignores the day of the week
		c.report("%s is not a date of RFC 822: %q", what, date)
	}
}

// fraction matches a second with more decimals than the parsers of feed readers accept.
var fraction = regexp.MustCompile(`\.\d{4,}`)

func (c *checker) date3339(what, date string) {
	if _, err := time.Parse(time.RFC3339Nano, date); err != nil || fraction.MatchString(date) {
		c.report("%s is not a date of RFC 3339 with at most three decimals of the second: %q", what, date)
	}
}

// title checks text that must be on one line.
func (c *checker) title(what, text string) {
	if strings.ContainsAny(text, "\n\t") {
		c.report("%s has several lines: %q", what, text)
	}
}

// name checks the name of a person.
func (c *checker) name(what, name string) {
	if c.title(what, name); name == "" {
		c.report("%s is %q", what, name)
	}
}
