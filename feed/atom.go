package feed

import (
	"crypto/sha256"
	"encoding/xml"
	"regexp"
	"strings"

	"github.com/gorilla/feeds"
)

type atomFeed struct {
	feeds.AtomFeed
	XMLName    xml.Name      `xml:"feed"`
	Xmlns      string        `xml:"xmlns,attr"`
	Media      string        `xml:"xmlns:media,attr"`
	History    string        `xml:"xmlns:fh,attr,omitempty"`
	Tombstones string        `xml:"xmlns:at,attr,omitempty"`
	Lang       string        `xml:"xml:lang,attr,omitempty"`
	Id         string        `xml:"id"`
	Title      plainText     `xml:"title"`
	Subtitle   plainText     `xml:"subtitle,omitempty"`
	Updated    string        `xml:"updated"`
	Rights     plainText     `xml:"rights,omitempty"`
	Author     *atomPerson   `xml:"author"`
	Link       []xmlLink     `xml:"link"`
	Generator  string        `xml:"generator"`
	Archive    *struct{}     `xml:"fh:archive"`
	Deleted    []atomDeleted `xml:"at:deleted-entry"`
	Entries    []atomEntry   `xml:"entry"`
}

type atomDeleted struct {
	Ref  string `xml:"ref,attr"`
	When string `xml:"when,attr"`
}

type atomEntry struct {
	feeds.AtomEntry
	XMLName   xml.Name       `xml:"entry"`
	Lang      string         `xml:"xml:lang,attr,omitempty"`
	Id        string         `xml:"id"`
	Title     plainText      `xml:"title"`
	Published string         `xml:"published,omitempty"`
	Updated   string         `xml:"updated"`
	Author    []atomPerson   `xml:"author"`
	Links     []xmlLink      `xml:"link"`
	Category  []atomCategory `xml:"category"`
	Source    *atomSource    `xml:"source"`
	Summary   plainText      `xml:"summary,omitempty"`
	Content   *atomHTML      `xml:"content"`
	Media     []mediaContent
	Thumbnail *mediaThumbnail
}

// atomPerson is a person construct (RFC 4287, section 3.2).
type atomPerson struct {
	Name  plainText `xml:"name"`
	URI   string    `xml:"uri,omitempty"`
	Email string    `xml:"email,omitempty"`
}

type atomCategory struct {
	Term string `xml:"term,attr"`
}

type atomHTML struct {
	Type string `xml:"type,attr"`
	Text string `xml:",cdata"`
}

type atomSource struct {
	ID      string    `xml:"id"`
	Title   plainText `xml:"title"`
	Updated string    `xml:"updated"`
	Links   []xmlLink `xml:"link"`
}

// FeedXml implements feeds.XmlFeed.
func (a *atomFeed) FeedXml() any { return a }

// Atom renders an Atom 1.0 document (RFC 4287).
func Atom(p *Prepared) ([]byte, error) {
	d, site := &p.selection.Definition, &p.selection.Site
	doc := &atomFeed{
		AtomFeed:  feeds.AtomFeed{Icon: site.Icon, Logo: site.Image},
		Xmlns:     "http://www.w3.org/2005/Atom",
		Media:     "http://search.yahoo.com/mrss/",
		Lang:      feedLanguage(d.Language),
		Id:        d.ID(site),
		Title:     plainText(d.Title),
		Subtitle:  plainText(d.Description),
		Rights:    plainText(site.Copyright),
		Updated:   timestamp(p.updated),
		Author:    &atomPerson{Name: plainText(site.Title), URI: site.URL + "/"},
		Generator: generator,
	}
	for _, l := range p.links(FormatAtom) {
		doc.Link = append(doc.Link, l.xml())
	}
	doc.Link = append(doc.Link, xmlLink{Href: d.Home, Rel: "alternate", Type: "text/html"})
	if p.selection.Page.Archive() {
		doc.History, doc.Archive = historyNamespace, &struct{}{}
	}
	for _, removed := range p.tombstones {
		doc.Tombstones = "http://purl.org/atompub/tombstones/1.0"
		doc.Deleted = append(doc.Deleted, atomDeleted{removed.id, timestamp(removed.when)})
	}
	for i := range p.entries {
		doc.Entries = append(doc.Entries, p.entries[i].atom(d))
	}
	return writeXML(doc)
}

func (e *entry) atom(d *Definition) atomEntry {
	x := atomEntry{
		Lang: xmlLanguage(e.ownLanguage(d)), Id: e.id, Title: plainText(e.title), Summary: plainText(e.summary), Updated: timestamp(e.updated),
		Links: []xmlLink{{Href: e.link, Rel: "alternate", Type: "text/html"}},
	}
	if !e.published.IsZero() {
		x.Published = timestamp(e.published)
	}
	for _, author := range e.authors {
		x.Author = append(x.Author, atomPerson{Name: plainText(author.Name), URI: author.URL, Email: author.Email})
	}
	for _, file := range e.files {
		x.Links = append(x.Links, link{"enclosure", file.URL, file.Type, file.Title, file.Bytes}.xml())
	}
	for _, t := range e.translations { // RFC 4287, section 4.2.7.4
		x.Links = append(x.Links, xmlLink{Href: t.URL, Rel: "alternate", Type: "text/html", Lang: t.Language})
	}
	for _, tag := range e.tags {
		x.Category = append(x.Category, atomCategory{tag})
	}
	if e.html != "" {
		x.Content = &atomHTML{"html", e.html}
	}
	x.Media, x.Thumbnail = e.media()
	e.atomOrigin(&x)
	return x
}

// atomOrigin adds the origin of an article: the feed that it came from (RFC 4287, section
// 4.2.11), or a link to the original page if the feed is not known.
func (e *entry) atomOrigin(x *atomEntry) {
	switch origin := e.origin; {
	case origin == nil:
	case origin.FeedURL == "":
		x.Links = append(x.Links, xmlLink{Href: origin.URL, Rel: "via", Title: origin.Title})
	default:
		x.Source = &atomSource{
			ID: sourceID(origin.FeedURL), Title: plainText(origin.Title), Updated: x.Updated,
			Links: []xmlLink{{Href: origin.FeedURL, Rel: "self"}},
		}
		if origin.URL != "" {
			x.Source.Links = append(x.Source.Links, xmlLink{Href: origin.URL, Rel: "alternate"})
		}
	}
}

// canonicalURL matches addresses in the normal form that RFC 4287, section 4.2.6.1, asks
// for in ids.
var canonicalURL = regexp.MustCompile(`^https?://[a-z0-9-]+(\.[a-z0-9-]+)+/[A-Za-z0-9._~!$&'()*+,;=:@/-]*(\?[A-Za-z0-9._~!$&'()*+,;=:@/?-]*)?$`)

// sourceID returns an id for the feed that an article came from, whose real id is not
// known: its address, or a UUID made from the address if that is not canonical.
func sourceID(address string) string {
	if canonicalURL.MatchString(address) && !strings.Contains(address, "/.") {
		return address
	}
	sum := sha256.Sum256([]byte("feed at\x00" + address))
	return uuid8(sum[:])
}
