package feedrules

import (
	"encoding/xml"
	"maps"
	"slices"
	"strings"
)

// OPML checks a list of feeds against OPML 2.0, "Subscription lists", and returns the
// violations.
func OPML(data []byte) []string {
	c := &checker{ids: map[string]bool{}}
	if !strings.HasPrefix(string(data), xml.Header) {
		c.report("no XML declaration with UTF-8")
	}
	c.xml(data, "opml", c.opml)
	return c.problems
}

func (c *checker) opml(root *Node) {
	if root.Attributes["version"] != "2.0" || len(root.All("head")) != 1 || len(root.All("body")) != 1 || len(root.Children) != 2 {
		c.report("not OPML 2.0 with one head and one body")
		return
	}
	head, body := root.All("head")[0], root.All("body")[0]
	if c.once(head, "title", "dateModified"); head.Value("title") == "" {
		c.report("the list has no title")
	}
	c.date822("dateModified", head.Value("dateModified"))
	if len(body.Children) == 0 {
		c.report("the body is empty")
	}
	for _, outline := range body.Children {
		c.outline(outline, 0)
	}
}

// outlineKeys are the attributes that the specification defines for an outline in a list
// of feeds.
var outlineKeys = []string{"text", "title", "type", "xmlUrl", "htmlUrl", "description", "language", "version"}

// outline checks a feed, or a group of them.
func (c *checker) outline(n *Node, depth int) {
	if n.Name != "outline" || strings.TrimSpace(n.Attributes["text"]) == "" || strings.TrimSpace(n.Text) != "" {
		c.report("%s with the text %q", n.Name, n.Attributes["text"])
	}
	for key := range maps.Keys(n.Attributes) {
		if !slices.Contains(outlineKeys, key) {
			c.report("an outline has the attribute %s", key)
		}
	}
	if n.Attributes["type"] == "" {
		if depth > 0 || len(n.Children) == 0 {
			c.report("the outline %q is neither a feed nor a group", n.Attributes["text"])
		}
		for _, child := range n.Children {
			c.outline(child, depth+1)
		}
		return
	}
	if n.Attributes["type"] != "rss" || len(n.Children) > 0 || n.Attributes["title"] == "" {
		c.report("the outline %q is of type %q", n.Attributes["text"], n.Attributes["type"])
	}
	c.address("xmlUrl", n.Attributes["xmlUrl"])
	c.address("htmlUrl", n.Attributes["htmlUrl"])
	if c.ids[n.Attributes["xmlUrl"]] {
		c.report("two outlines have the xmlUrl %s", n.Attributes["xmlUrl"])
	}
	c.ids[n.Attributes["xmlUrl"]] = true
	if version := n.Attributes["version"]; version != "" && version != "RSS" {
		c.report("version is %q, want RSS", version)
	}
}
