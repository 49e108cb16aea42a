package feedrules

import (
	"regexp"
	"strings"
)

func (c *checker) atom(root *Node) {
	if root.Space != namespaces["atom"] {
		c.report("the root's namespace is %q", root.Space)
	}
	for _, name := range []string{"atom:id", "atom:title", "atom:updated", "atom:author"} {
		if len(root.All(name)) != 1 {
			c.report("the feed has %d %s", len(root.All(name)), name)
		}
	}
	c.self = selfOf(root.All("atom:link"))
	c.links(root.All("atom:link"))
	c.id(root.Value("atom:id"))
	for _, name := range []string{"atom:title", "atom:subtitle", "atom:rights"} {
		c.title(name, root.Value(name))
	}
	c.authors(root)
	c.date3339("updated", root.Value("atom:updated"))
	for _, name := range []string{"atom:icon", "atom:logo"} {
		if address := root.Value(name); address != "" {
			c.address(name, address)
		}
	}
	c.tombstones(root)
	for _, entry := range root.All("atom:entry") {
		c.entry(entry)
	}
}

func (c *checker) entry(entry *Node) {
	c.once(entry, "atom:id", "atom:title", "atom:published", "atom:updated", "atom:source", "atom:summary", "atom:content", "media:thumbnail")
	c.id(entry.Value("atom:id"))
	c.title("entry title", entry.Value("atom:title"))
	if entry.Value("atom:title") == "" {
		c.report("an entry has no title")
	}
	c.date3339("updated", entry.Value("atom:updated"))
	if date := entry.Value("atom:published"); date != "" {
		c.date3339("published", date)
	}
	if len(entry.All("atom:content")) == 0 && len(entry.All("atom:summary")) == 0 {
		c.report("an entry has neither content nor summary")
	}
	for _, category := range entry.All("atom:category") {
		if strings.TrimSpace(category.Attributes["term"]) == "" {
			c.report("a category without a term")
		}
	}
	c.authors(entry)
	c.entryLinks(entry)
	c.title("summary", entry.Value("atom:summary"))
	c.markup("content", entry.Value("atom:content"))
	c.media(entry)
	c.source(entry)
}

// authors checks the authors (RFC 4287, section 3.2).
func (c *checker) authors(of *Node) {
	for _, author := range of.All("atom:author") {
		c.name("author", author.Value("atom:name"))
		if uri := author.Value("atom:uri"); uri != "" {
			c.address("author uri", uri)
		}
	}
}

// canonical matches an address in the normal form that RFC 4287, section 4.2.6.1,
// recommends for ids.
var canonical = regexp.MustCompile(`^https?://[a-z0-9.-]+/[^%]*$`)

// source checks the source of an entry (RFC 4287, section 4.2.11).
func (c *checker) source(entry *Node) {
	for _, source := range entry.All("atom:source") {
		if id := source.Value("atom:id"); !uuids.MatchString(id) && !canonical.MatchString(id) {
			c.report("the source's id is %q", id)
		}
		c.title("source title", source.Value("atom:title"))
		c.date3339("source updated", source.Value("atom:updated"))
		for _, link := range source.All("atom:link") {
			c.address("source link", link.Attributes["href"])
		}
	}
}

// tombstones checks the marks of removed entries (RFC 6721).
func (c *checker) tombstones(root *Node) {
	for _, deleted := range root.All("at:deleted-entry") {
		c.id(deleted.Attributes["ref"])
		c.date3339("tombstone", deleted.Attributes["when"])
	}
}

// entryLinks checks an entry's links (RFC 4287, section 4.2.7).
func (c *checker) entryLinks(entry *Node) {
	seen := map[string]bool{}
	for _, link := range entry.All("atom:link") {
		c.address("entry link", link.Attributes["href"])
		c.title("link title", link.Attributes["title"])
		key := link.Attributes["rel"] + " " + link.Attributes["type"] + " " + link.Attributes["hreflang"]
		if link.Attributes["rel"] == "alternate" && seen[key] {
			c.report("two alternate links of type %s", link.Attributes["type"])
		}
		seen[key] = true
	}
	if !seen["alternate text/html "] {
		c.report("an entry has no alternate link")
	}
}
