package feedtest

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/net/html"

	"github.com/tidings-press/tidings/feed"
)

// Problems checks a document by the rules of its specification and those that
// the public validators warn about, and returns what is wrong with it.
func Problems(f feed.Format, data []byte) []string {
	c := &checker{ids: map[string]bool{}}
	if !utf8.Valid(data) {
		c.report("the document is not UTF-8")
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
}

func (c *checker) report(format string, args ...any) {
	c.problems = append(c.problems, fmt.Sprintf(format, args...))
}

func (c *checker) xml(data []byte, root string, check func(*node)) {
	n, err := parse(data)
	if err != nil {
		c.report("not well-formed: %v", err)
		return
	}
	if n.name != root {
		c.report("the root is %s, want %s", n.name, root)
		return
	}
	check(n)
}

func (c *checker) rss(root *node) {
	if root.attributes["version"] != "2.0" || len(root.all("channel")) != 1 {
		c.report("no version 2.0 with one channel")
		return
	}
	channel := root.all("channel")[0]
	for _, name := range []string{"title", "link", "description"} {
		if strings.TrimSpace(channel.value(name)) == "" {
			c.report("channel has no %s", name)
		}
	}
	c.address("channel link", channel.value("link"))
	c.date822("lastBuildDate", channel.value("lastBuildDate"))
	c.links(channel.all("atom:link"))
	c.once(channel, "title", "link", "description", "language", "lastBuildDate", "ttl", "image", "generator", "itunes:image")
	if ttl, err := strconv.Atoi(channel.value("ttl")); err != nil || ttl < 1 {
		c.report("ttl is %q", channel.value("ttl"))
	}
	for _, image := range channel.all("image") {
		if image.value("title") != channel.value("title") || image.value("link") != channel.value("link") {
			c.report("the image's title or link is not the channel's")
		}
		c.address("image url", image.value("url"))
	}
	for _, name := range []string{"managingEditor", "webMaster"} {
		if person := channel.value(name); person != "" && !rssPerson.MatchString(person) {
			c.report("%s is %q, want address (name)", name, person)
		}
	}
	for _, item := range channel.all("item") {
		c.item(item)
	}
}

var rssPerson = regexp.MustCompile(`^[^@\s]+@[^@\s]+\.[a-z]+ \(.+\)$`)

func (c *checker) item(item *node) {
	c.once(item, "title", "link", "description", "guid", "pubDate", "enclosure", "content:encoded", "source", "atom:updated")
	if item.value("title") == "" && item.value("description") == "" {
		c.report("an item has neither title nor description")
	}
	c.text("item title", item.value("title"))
	c.address("item link", item.value("link"))
	guids := item.all("guid")
	if len(guids) != 1 || guids[0].attributes["isPermaLink"] != "false" {
		c.report("an item has no guid that says it is no link")
		return
	}
	c.id(guids[0].text)
	if date := item.value("pubDate"); date != "" {
		c.date822("pubDate", date)
	}
	if len(item.all("author")) > 0 {
		c.report("an author, which must be a mail address: want dc:creator")
	}
	for _, enclosure := range item.all("enclosure") {
		c.address("enclosure", enclosure.attributes["url"])
		if _, err := strconv.ParseUint(enclosure.attributes["length"], 10, 63); err != nil || !strings.Contains(enclosure.attributes["type"], "/") {
			c.report("enclosure without length or type: %v", enclosure.attributes)
		}
	}
	c.markup("description", item.value("description"))
	c.markup("content", item.value("content:encoded"))
}

func (c *checker) atom(root *node) {
	if root.space != namespaces["atom"] {
		c.report("the root's namespace is %q", root.space)
	}
	for _, name := range []string{"atom:id", "atom:title", "atom:updated", "atom:author"} {
		if len(root.all(name)) != 1 {
			c.report("the feed has %d %s", len(root.all(name)), name)
		}
	}
	c.links(root.all("atom:link"))
	updated := map[string]bool{}
	for _, entry := range root.all("atom:entry") {
		c.id(entry.value("atom:id"))
		c.text("entry title", entry.value("atom:title"))
		if entry.value("atom:title") == "" {
			c.report("an entry has no title")
		}
		c.date3339("updated", entry.value("atom:updated"))
		if updated[entry.value("atom:updated")] {
			c.report("two entries were updated at %s", entry.value("atom:updated"))
		}
		updated[entry.value("atom:updated")] = true
		if len(entry.all("atom:content")) == 0 && len(entry.all("atom:summary")) == 0 {
			c.report("an entry has neither content nor summary")
		}
		c.alternates(entry)
		c.markup("content", entry.value("atom:content"))
	}
}

// alternates checks an entry's links (RFC 4287, section 4.2.7).
func (c *checker) alternates(entry *node) {
	seen := map[string]bool{}
	for _, link := range entry.all("atom:link") {
		c.address("entry link", link.attributes["href"])
		key := link.attributes["rel"] + " " + link.attributes["type"] + " " + link.attributes["hreflang"]
		if link.attributes["rel"] == "alternate" && seen[key] {
			c.report("two alternate links of type %s", link.attributes["type"])
		}
		seen[key] = true
	}
	if !seen["alternate text/html "] {
		c.report("an entry has no alternate link")
	}
}

// links checks a document's own links: self is there, once, and absolute.
func (c *checker) links(links []*node) {
	self := 0
	for _, link := range links {
		c.address("link "+link.attributes["rel"], link.attributes["href"])
		if link.attributes["rel"] == "self" {
			self++
		}
	}
	if self != 1 {
		c.report("%d self links", self)
	}
}

func (c *checker) once(n *node, names ...string) {
	for _, name := range names {
		if found := len(n.all(name)); found > 1 {
			c.report("%d elements %s in %s", found, name, n.name)
		}
	}
}

func (c *checker) id(id string) {
	if !strings.HasPrefix(id, "urn:uuid:") {
		c.report("id %q is no urn:uuid", id)
	}
	if c.ids[id] {
		c.report("id %q is there twice", id)
	}
	c.ids[id] = true
}

func (c *checker) address(what, address string) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "mailto" || u.Scheme != "mailto" && u.Host == "" {
		c.report("%s is no absolute address: %q", what, address)
	}
	if strings.ContainsFunc(address, func(r rune) bool { return r <= ' ' || r >= 0x7F }) || strings.ContainsAny(address, `"<>\^{|}`+"`") {
		c.report("%s has characters that no URI has: %q", what, address)
	}
}

func (c *checker) date822(what, date string) {
	t, err := time.Parse(time.RFC1123Z, date)
	if err != nil {
		c.report("%s is no date of RFC 822: %q", what, date)
	} else if t.Year() < 1990 {
		c.report("%s is implausible: %q", what, date)
	}
}

func (c *checker) date3339(what, date string) {
	if t, err := time.Parse(time.RFC3339Nano, date); err != nil || t.Year() < 1990 {
		c.report("%s is no plausible date of RFC 3339: %q", what, date)
	}
}

var endTags = regexp.MustCompile(`</\w+>`)

func (c *checker) text(what, text string) {
	if endTags.MatchString(text) {
		c.report("%s looks like HTML: %q", what, text)
	}
	if strings.ContainsAny(text, "\n\t") {
		c.report("%s has several lines: %q", what, text)
	}
}

// markup checks HTML: nothing that runs, no relative addresses.
func (c *checker) markup(what, markup string) {
	for z := html.NewTokenizer(strings.NewReader(markup)); z.Next() != html.ErrorToken; {
		token := z.Token()
		if token.Type != html.StartTagToken && token.Type != html.SelfClosingTagToken {
			continue
		}
		switch token.Data {
		case "script", "iframe", "object", "embed", "style", "form", "base", "link", "meta", "svg", "math":
			c.report("%s has a %s element", what, token.Data)
		}
		for _, a := range token.Attr {
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" {
				c.report("%s has an attribute %s", what, a.Key)
			}
			switch a.Key {
			case "href", "src", "poster", "cite":
				c.address(what+" "+a.Key, a.Val)
			case "srcset":
				for candidate := range strings.SplitSeq(a.Val, ", ") {
					ref, _, _ := strings.Cut(candidate, " ")
					c.address(what+" srcset", ref)
				}
			}
		}
	}
}

// json checks JSON Feed 1.1.
func (c *checker) json(data []byte) {
	var doc map[string]any
	if err := json.Unmarshal(data, &doc); err != nil {
		c.report("not JSON: %v", err)
		return
	}
	if doc["version"] != "https://jsonfeed.org/version/1.1" {
		c.report("version is %v", doc["version"])
	}
	if title, ok := doc["title"].(string); !ok || title == "" {
		c.report("no title")
	}
	for _, key := range []string{"home_page_url", "feed_url", "next_url", "icon", "favicon"} {
		if value, there := doc[key].(string); there {
			c.address(key, value)
		}
	}
	items, ok := doc["items"].([]any)
	if !ok {
		c.report("items is %v", doc["items"])
	}
	for _, item := range items {
		c.jsonItem(item.(map[string]any))
	}
}

func (c *checker) jsonItem(item map[string]any) {
	id, _ := item["id"].(string)
	c.id(id)
	_, hasHTML := item["content_html"].(string)
	_, hasText := item["content_text"].(string)
	if !hasHTML && !hasText {
		c.report("item %s has neither content_html nor content_text", id)
	}
	if content, ok := item["content_html"].(string); ok {
		c.markup("content_html", content)
	}
	for _, key := range []string{"url", "external_url", "image", "banner_image"} {
		if value, there := item[key].(string); there {
			c.address(key, value)
		}
	}
	for _, key := range []string{"date_published", "date_modified"} {
		if value, there := item[key].(string); there {
			if _, err := time.Parse(time.RFC3339, value); err != nil {
				c.report("%s is %q", key, value)
			}
		}
	}
	attachments, _ := item["attachments"].([]any)
	for _, attachment := range attachments {
		a := attachment.(map[string]any)
		address, _ := a["url"].(string)
		c.address("attachment", address)
		if kind, _ := a["mime_type"].(string); !strings.Contains(kind, "/") {
			c.report("attachment of type %q", kind)
		}
	}
}
