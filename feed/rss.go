package feed

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"html"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/feeds"

	"github.com/tidings-press/tidings/internal/article"
)

// The documents are gorilla/feeds' structs with what they lack declared anew on
// the outside: encoding/xml prefers the shallower of two fields of one name.

type rssRoot struct {
	XMLName xml.Name `xml:"rss"`
	Version string   `xml:"version,attr"`
	Content string   `xml:"xmlns:content,attr"`
	Atom    string   `xml:"xmlns:atom,attr"`
	DC      string   `xml:"xmlns:dc,attr"`
	SY      string   `xml:"xmlns:sy,attr"`
	Media   string   `xml:"xmlns:media,attr"`
	History string   `xml:"xmlns:fh,attr,omitempty"`
	ITunes  string   `xml:"xmlns:itunes,attr,omitempty"`
	Channel rssChannel
}

type rssChannel struct {
	feeds.RssFeed
	XMLName     xml.Name  `xml:"channel"`
	Lang        string    `xml:"xml:lang,attr,omitempty"`
	Title       plain     `xml:"title"`
	Description plain     `xml:"description"`
	Copyright   plain     `xml:"copyright,omitempty"`
	Editor      plain     `xml:"managingEditor,omitempty"`
	Webmaster   plain     `xml:"webMaster,omitempty"`
	Links       []xmlLink `xml:"atom:link"`
	Archive     *struct{} `xml:"fh:archive"`
	Period      string    `xml:"sy:updatePeriod"`
	Frequency   int       `xml:"sy:updateFrequency"`
	Image       *rssImage
	itunesChannel
	Items []rssItem `xml:"item"`
}

type rssImage struct {
	feeds.RssImage
	XMLName xml.Name `xml:"image"`
	Title   plain    `xml:"title"`
}

type rssItem struct {
	feeds.RssItem
	XMLName     xml.Name   `xml:"item"`
	Lang        string     `xml:"xml:lang,attr,omitempty"`
	Title       plain      `xml:"title"`
	Description string     `xml:"description,omitempty"`
	Content     *cdata     `xml:"content:encoded"`
	Creators    []plain    `xml:"dc:creator"`
	Language    string     `xml:"dc:language,omitempty"`
	Category    []plain    `xml:"category"`
	Updated     string     `xml:"atom:updated"`
	Source      *rssSource `xml:"source"`
	Via         *xmlLink   `xml:"atom:link"`
	Media       []mediaContent
	Thumbnail   *mediaThumbnail
	itunesItem
}

type rssSource struct {
	URL   string `xml:"url,attr"`
	Title string `xml:",innerxml"`
}

type cdata struct {
	Text string `xml:",cdata"`
}

type xmlLink struct {
	Href   string `xml:"href,attr"`
	Rel    string `xml:"rel,attr"`
	Type   string `xml:"type,attr,omitempty"`
	Title  string `xml:"title,attr,omitempty"`
	Length string `xml:"length,attr,omitempty"`
}

// FeedXml makes the document a feeds.XmlFeed.
func (r *rssRoot) FeedXml() any { return r }

// RSS renders an RSS 2.0 document.
func RSS(p *Prepared) ([]byte, error) {
	d, site := &p.selection.Definition, &p.selection.Site
	root := &rssRoot{
		Version: "2.0",
		Content: "http://purl.org/rss/1.0/modules/content/",
		Atom:    "http://www.w3.org/2005/Atom",
		DC:      "http://purl.org/dc/elements/1.1/",
		SY:      "http://purl.org/rss/1.0/modules/syndication/",
		Media:   "http://search.yahoo.com/mrss/",
		Channel: rssChannel{
			RssFeed: feeds.RssFeed{
				Link: d.Home, Language: feedLanguage(d.Language),
				LastBuildDate: rssDate(p.updated), Generator: generator, Ttl: p.rhythm.ttl,
				Docs: "https://www.rssboard.org/rss-specification",
			},
			Title: plain(d.Title), Description: plain(d.Description), Copyright: plain(site.Copyright),
			Editor: plain(site.Editor), Webmaster: plain(site.Webmaster),
			Lang: feedLanguage(d.Language), Period: p.rhythm.period, Frequency: p.rhythm.frequency,
		},
	}
	channel := &root.Channel
	if rssPicture(site.Image) {
		channel.Image = &rssImage{RssImage: feeds.RssImage{Url: site.Image, Link: d.Home}, Title: channel.Title}
	}
	for _, l := range p.links(FormatRSS) {
		channel.Links = append(channel.Links, l.xml())
	}
	if p.selection.Page.Archive() {
		root.History, channel.Archive = historyNamespace, &struct{}{}
	}
	if d.Podcast != nil {
		root.ITunes = itunesNamespace
		channel.itunesChannel = newITunesChannel(d.Podcast, site)
	}
	for i := range p.entries {
		channel.Items = append(channel.Items, p.entries[i].rss(d, site))
	}
	return writeXML(root)
}

const historyNamespace = "http://purl.org/syndication/history/1.0"

func (e *entry) rss(d *Definition, site *Site) rssItem {
	item := rssItem{
		RssItem: feeds.RssItem{
			Link: e.link, PubDate: rssDate(e.published),
			Guid: &feeds.RssGuid{Id: e.id, IsPermaLink: "false"},
		},
		Lang: xmlLanguage(e.foreign(d)), Language: xmlLanguage(e.language), Title: plain(e.title),
		Description: html.EscapeString(cmp.Or(e.summary, e.title)), // must stand beside content
		Updated:     timestamp(e.updated),
	}
	for _, tag := range e.tags {
		item.Category = append(item.Category, plain(tag))
	}
	for _, author := range e.authors {
		item.Creators = append(item.Creators, plain(author.Name))
	}
	if e.html != "" {
		item.Content = &cdata{e.html}
	}
	if file := e.rssFile(site); file != nil {
		item.Enclosure = &feeds.RssEnclosure{Url: file.URL, Type: file.Type, Length: strconv.FormatInt(file.Bytes, 10)}
	}
	switch origin := e.origin; {
	case origin != nil && origin.FeedURL != "":
		item.Source = &rssSource{origin.FeedURL, hexadecimal.Replace(origin.Title)}
	case origin != nil:
		item.Via = &xmlLink{Href: origin.URL, Rel: "via", Title: origin.Title}
	}
	item.Media, item.Thumbnail = e.media()
	if d.Podcast != nil {
		item.itunesItem = newITunesItem(e, site)
	}
	return item
}

// rssFile is the enclosure that RSS has room for: the first whose address it takes.
func (e *entry) rssFile(site *Site) *article.Enclosure {
	for i := range e.files {
		if ofFile(e.files[i].URL, site) {
			return &e.files[i]
		}
	}
	return nil
}

// fileAddress is what an address looks like where RSS has a file: with a domain,
// and with a path.
var fileAddress = regexp.MustCompile(`(?i)^https?://([a-z0-9-]+\.)+[a-z0-9][a-z0-9-]*(:\d+)?/`)

// ofFile reports whether an address may stand where RSS has that of a file. The
// site's own may in any case: it is all that there is.
func ofFile(address string, site *Site) bool {
	return fileAddress.MatchString(address) || below(address, site.URL)
}

// rssPicture reports whether RSS takes a picture for the channel's: a GIF, JPEG or
// PNG, as far as its name tells.
func rssPicture(address string) bool {
	ending := strings.ToLower(address[strings.LastIndexByte(address, '.')+1:])
	switch {
	case ending == "gif", ending == "jpeg", ending == "jpg", ending == "png":
		return true
	}
	return address != "" && strings.ContainsFunc(ending, func(r rune) bool { return !isLetter(r) })
}

// isLetter is what the ending of a file's name is made of.
func isLetter(r rune) bool { return 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || r == '_' }

// feedLanguage is the language that a document names as a feed's, if any.
func feedLanguage(tag string) string {
	if tag = xmlLanguage(tag); tag != "und" {
		return tag
	}
	return ""
}

// foreign is the entry's language where it is not the feed's.
func (e *entry) foreign(d *Definition) string {
	if e.language == d.Language {
		return ""
	}
	return e.language
}

func (l link) xml() xmlLink {
	x := xmlLink{Href: l.address, Rel: l.rel, Type: l.kind, Title: l.title}
	if l.bytes > 0 {
		x.Length = strconv.FormatInt(l.bytes, 10)
	}
	return x
}

// rssDate writes a date by RFC 822 with the four-digit year that RSS asks for.
func rssDate(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC1123Z)
}

func writeXML(document feeds.XmlFeed) ([]byte, error) {
	var out bytes.Buffer
	if err := feeds.WriteXML(document, &out); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}
