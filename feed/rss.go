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

// The documents embed the structs of gorilla/feeds and redeclare the fields that need other
// contents: of two fields with the same name, encoding/xml uses the outer one.

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
	Podcast string   `xml:"xmlns:podcast,attr,omitempty"`
	Channel rssChannel
}

type rssChannel struct {
	feeds.RssFeed
	XMLName     xml.Name  `xml:"channel"`
	Lang        string    `xml:"xml:lang,attr,omitempty"`
	Title       plainText `xml:"title"`
	Description plainText `xml:"description"`
	Copyright   plainText `xml:"copyright,omitempty"`
	Editor      plainText `xml:"managingEditor,omitempty"`
	Webmaster   plainText `xml:"webMaster,omitempty"`
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
	XMLName xml.Name  `xml:"image"`
	Title   plainText `xml:"title"`
}

type rssItem struct {
	feeds.RssItem
	XMLName     xml.Name    `xml:"item"`
	Lang        string      `xml:"xml:lang,attr,omitempty"`
	Title       plainText   `xml:"title"`
	Description string      `xml:"description,omitempty"`
	Content     *cdata      `xml:"content:encoded"`
	Creators    []plainText `xml:"dc:creator"`
	Language    string      `xml:"dc:language,omitempty"`
	Category    []plainText `xml:"category"`
	Updated     string      `xml:"atom:updated"`
	Source      *rssSource  `xml:"source"`
	Via         *xmlLink    `xml:"atom:link"`
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
	Lang   string `xml:"hreflang,attr,omitempty"`
	Title  string `xml:"title,attr,omitempty"`
	Length string `xml:"length,attr,omitempty"`
}

// FeedXml implements feeds.XmlFeed.
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
				LastBuildDate: rssDate(p.updated), Generator: generator, Ttl: p.rate.ttl,
				Docs: "https://www.rssboard.org/rss-specification",
			},
			Title: plainText(d.Title), Description: plainText(d.Description), Copyright: plainText(site.Copyright),
			Editor: plainText(site.Editor), Webmaster: plainText(site.Webmaster),
			Lang: feedLanguage(d.Language), Period: p.rate.period, Frequency: p.rate.frequency,
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
		root.ITunes, root.Podcast = itunesNamespace, podcastNamespace
		channel.itunesChannel = newITunesChannel(d.Podcast, site)
		owner := ""
		if channel.Owner != nil {
			owner = channel.Owner.Email
		}
		channel.podcastChannel = newPodcastChannel(d.Podcast, site, p.address(FormatRSS, ""), owner)
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
		Lang: xmlLanguage(e.ownLanguage(d)), Language: xmlLanguage(e.language), Title: plainText(e.title),
		Description: html.EscapeString(cmp.Or(e.summary, e.title)), // required beside content:encoded
		Updated:     timestamp(e.updated),
	}
	for _, tag := range e.tags {
		item.Category = append(item.Category, plainText(tag))
	}
	for _, author := range e.authors {
		item.Creators = append(item.Creators, plainText(author.Name))
	}
	if e.html != "" {
		item.Content = &cdata{e.html}
	}
	if file := e.rssFile(site); file != nil {
		item.Enclosure = &feeds.RssEnclosure{Url: file.URL, Type: file.Type, Length: strconv.FormatInt(file.Bytes, 10)}
	}
	switch origin := e.origin; {
	case origin != nil && origin.FeedURL != "":
		item.Source = &rssSource{origin.FeedURL, hexEscaper.Replace(origin.Title)}
	case origin != nil:
		item.Via = &xmlLink{Href: origin.URL, Rel: "via", Title: origin.Title}
	}
	item.Media, item.Thumbnail = e.media()
	if d.Podcast != nil {
		item.itunesItem = newITunesItem(e, site)
	}
	return item
}

// rssFile returns the only enclosure of an RSS item: the first with an address that RSS allows.
func (e *entry) rssFile(site *Site) *article.Enclosure {
	for i := range e.files {
		if isFileURL(e.files[i].URL, site) {
			return &e.files[i]
		}
	}
	return nil
}

// fileURL matches an address that RSS allows for a file: it has a domain with a dot, and a
// path.
var fileURL = regexp.MustCompile(`(?i)^https?://([a-z0-9-]+\.)+[a-z0-9][a-z0-9-]*(:\d+)?/`)

// isFileURL reports whether RSS allows an address for a file. Addresses on the site itself
// are always accepted, since it may have no other.
func isFileURL(address string, site *Site) bool {
	return fileURL.MatchString(address) || onSite(address, site.URL)
}

// rssPicture reports whether a channel may have this picture. RSS allows GIF, JPEG and PNG;
// a picture without a file extension passes.
func rssPicture(address string) bool {
	ending := strings.ToLower(address[strings.LastIndexByte(address, '.')+1:])
	switch {
	case ending == "gif", ending == "jpeg", ending == "jpg", ending == "png":
		return true
	}
	return address != "" && strings.ContainsFunc(ending, func(r rune) bool { return !isExtensionChar(r) })
}

// isExtensionChar reports whether a file extension may contain a character.
func isExtensionChar(r rune) bool { return 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || r == '_' }

// feedLanguage returns the language of a feed for a document, or "" if there is none.
func feedLanguage(tag string) string {
	if tag = xmlLanguage(tag); tag != "und" {
		return tag
	}
	return ""
}

// ownLanguage returns the entry's language, or "" if it is the feed's.
func (e *entry) ownLanguage(d *Definition) string {
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

// rssDate formats a date by RFC 822, with the year of four digits that RSS recommends.
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
