package feedrules

import (
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

func (c *checker) rss(root *Node) {
	if root.Attributes["version"] != "2.0" || len(root.All("channel")) != 1 {
		c.report("not RSS 2.0 with one channel")
		return
	}
	channel := root.All("channel")[0]
	c.self = selfOf(channel.All("atom:link"))
	for _, name := range []string{"title", "link", "description"} {
		if strings.TrimSpace(channel.Value(name)) == "" {
			c.report("channel has no %s", name)
		}
		c.title("channel "+name, channel.Value(name))
	}
	c.address("channel link", channel.Value("link"))
	if date := channel.Value("lastBuildDate"); date != "" {
		c.date822("lastBuildDate", date)
	}
	c.links(channel.All("atom:link"))
	c.once(channel, "title", "link", "description", "language", "lastBuildDate", "ttl", "image", "generator", "copyright",
		"managingEditor", "webMaster", "itunes:image", "itunes:owner", "itunes:author", "itunes:explicit", "sy:updatePeriod", "sy:updateFrequency")
	if ttl, err := strconv.Atoi(channel.Value("ttl")); err != nil || ttl < 1 {
		c.report("ttl is %q", channel.Value("ttl"))
	}
	c.channelParts(channel)
	for _, item := range channel.All("item") {
		c.item(item)
	}
}

func selfOf(links []*Node) string {
	for _, link := range links {
		if link.Attributes["rel"] == "self" {
			return link.Attributes["href"]
		}
	}
	return ""
}

var (
	rssPerson  = regexp.MustCompile(`^[^@\s]+@[^@\s]+\.[A-Za-z]+ \([^()<>\[\]:;@\\,"]+\)$`)
	rssPicture = regexp.MustCompile(`\.(?i:gif|jpe?g|png)$|\.\w*[^\w.][^.]*$`)
	periods    = regexp.MustCompile(`^(hourly|daily|weekly|monthly|yearly)$`)
)

func (c *checker) channelParts(channel *Node) {
	for _, image := range channel.All("image") {
		if image.Value("title") != channel.Value("title") || image.Value("link") != channel.Value("link") {
			c.report("the image's title or link is not the channel's")
		}
		c.address("image url", image.Value("url"))
		if !rssPicture.MatchString(image.Value("url")) {
			c.report("the channel's image is not a GIF, JPEG or PNG: %q", image.Value("url"))
		}
	}
	for _, name := range []string{"managingEditor", "webMaster"} {
		if person := channel.Value(name); person != "" && !rssPerson.MatchString(person) {
			c.report("%s is %q, want address (name)", name, person)
		}
	}
	if !periods.MatchString(channel.Value("sy:updatePeriod")) {
		c.report("updatePeriod is %q", channel.Value("sy:updatePeriod"))
	}
	c.podcast(channel)
	for _, owner := range channel.All("itunes:owner") {
		if owner.Value("itunes:email") == "" {
			c.report("the podcast's owner has no address")
		}
		c.podcastName("itunes:name", owner.Value("itunes:name"))
	}
}

// podcastValues are the values that Apple and the Podcasting 2.0 namespace allow.
var podcastValues = map[string]*regexp.Regexp{
	"itunes:episode": regexp.MustCompile(`^[1-9]\d*$`), "itunes:season": regexp.MustCompile(`^[1-9]\d*$`),
	"itunes:episodeType": regexp.MustCompile(`^(full|trailer|bonus)$`), "itunes:explicit": regexp.MustCompile(`^(true|false)$`),
	"itunes:block": regexp.MustCompile(`^Yes$`), "itunes:complete": regexp.MustCompile(`^Yes$`), "itunes:type": regexp.MustCompile(`^(episodic|serial)$`),
	"podcast:guid":   regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`),
	"podcast:locked": regexp.MustCompile(`^(yes|no)$`), "podcast:season": regexp.MustCompile(`^\d+$`), "podcast:episode": regexp.MustCompile(`^\d+$`),
}

func (c *checker) podcast(n *Node) {
	c.once(n, "itunes:complete", "itunes:type", "podcast:guid", "podcast:locked")
	for name, allowed := range podcastValues {
		for _, found := range n.All(name) {
			if !allowed.MatchString(found.Text) {
				c.report("%s is %q", name, found.Text)
			}
		}
	}
	for _, file := range append(n.All("podcast:transcript"), n.All("podcast:chapters")...) {
		c.file("podcast:"+file.Name, file.Attributes["url"])
		if !strings.Contains(file.Attributes["type"], "/") {
			c.report("podcast:%s has no type", file.Name)
		}
	}
	for _, person := range n.All("podcast:person") {
		if c.title("podcast:person", person.Text); person.Text == "" || utf8.RuneCountInString(person.Text) > 128 {
			c.report("podcast:person is %q", person.Text)
		}
	}
	c.podcastName("itunes:author", n.Value("itunes:author"))
	for _, image := range n.All("itunes:image") {
		c.file("itunes:image", image.Attributes["href"])
	}
}

// podcastName checks a name against Apple's limit of 255 characters.
func (c *checker) podcastName(what, name string) {
	if c.title(what, name); utf8.RuneCountInString(name) > 255 {
		c.report("%s has more than 255 characters", what)
	}
}

func (c *checker) item(item *Node) {
	c.once(item, "title", "link", "description", "guid", "pubDate", "enclosure", "content:encoded", "source", "atom:updated",
		"dc:language", "itunes:duration", "itunes:image", "itunes:author", "itunes:title", "itunes:subtitle", "itunes:episode", "itunes:season",
		"itunes:episodeType", "itunes:explicit", "itunes:block", "podcast:season", "podcast:episode", "podcast:chapters")
	if item.Value("title") == "" && item.Value("description") == "" {
		c.report("an item has neither title nor description")
	}
	c.title("item title", item.Value("title"))
	c.address("item link", item.Value("link"))
	guids := item.All("guid")
	if len(guids) != 1 || guids[0].Attributes["isPermaLink"] != "false" {
		c.report("an item does not have one guid with isPermaLink=false")
		return
	}
	c.id(guids[0].Text)
	if date := item.Value("pubDate"); date != "" {
		c.date822("pubDate", date)
	}
	c.date3339("item updated", item.Value("atom:updated"))
	if len(item.All("author")) > 0 {
		c.report("an item has an author, which must be a mail address: want dc:creator")
	}
	for _, creator := range item.All("dc:creator") {
		c.name("creator", creator.Text)
	}
	for _, category := range item.All("category") {
		c.title("category", category.Text)
	}
	c.enclosures(item)
	c.descriptionOrder(item)
	c.markup("description", item.Value("description"))
	c.markup("content", item.Value("content:encoded"))
	c.media(item)
	c.podcast(item)
	if len(item.All("itunes:author")) > 0 {
		c.report("an item names its authors twice")
	}
}

func (c *checker) enclosures(item *Node) {
	for _, enclosure := range item.All("enclosure") {
		c.file("enclosure", enclosure.Attributes["url"])
		if _, err := strconv.ParseUint(enclosure.Attributes["length"], 10, 63); err != nil || !strings.Contains(enclosure.Attributes["type"], "/") {
			c.report("enclosure without length or type: %v", enclosure.Attributes)
		}
	}
	for _, source := range item.All("source") {
		c.address("source", source.Attributes["url"])
		c.title("source", source.Text)
	}
	for _, link := range item.All("atom:link") {
		c.address("item link "+link.Attributes["rel"], link.Attributes["href"])
		c.title("link title", link.Attributes["title"])
	}
}

// descriptionOrder checks that the description comes before the content, as the RSS Best
// Practices Profile recommends.
func (c *checker) descriptionOrder(item *Node) {
	described := false
	for _, child := range item.Children {
		described = described || child.Name == "description"
		if child.Name == "encoded" && !described {
			c.report("content without a description before it")
		}
	}
}

// media checks the picture by Media RSS, in items and entries.
func (c *checker) media(n *Node) {
	for _, content := range append(n.All("media:content"), n.All("media:thumbnail")...) {
		c.address(content.Name, content.Attributes["url"])
		for _, key := range []string{"fileSize", "width", "height"} {
			if value, there := content.Attributes[key]; there {
				if number, err := strconv.Atoi(value); err != nil || number < 1 {
					c.report("%s of a picture is %q", key, value)
				}
			}
		}
	}
	for _, described := range append(n.All("media:content"), n) {
		if len(described.All("media:description")) > 0 {
			c.report("a picture has a description, which feed readers take for the item's")
		}
	}
}
