package feed

import (
	"bytes"
	"encoding/xml"
	"time"
)

type opml struct {
	XMLName  xml.Name  `xml:"opml"`
	Version  string    `xml:"version,attr"`
	Title    string    `xml:"head>title"`
	Modified string    `xml:"head>dateModified,omitempty"`
	Outline  []outline `xml:"body>outline"`
}

type outline struct {
	Text        string    `xml:"text,attr"`
	Title       string    `xml:"title,attr,omitempty"`
	Type        string    `xml:"type,attr,omitempty"`
	XMLURL      string    `xml:"xmlUrl,attr,omitempty"`
	HTMLURL     string    `xml:"htmlUrl,attr,omitempty"`
	Description string    `xml:"description,attr,omitempty"`
	Language    string    `xml:"language,attr,omitempty"`
	Version     string    `xml:"version,attr,omitempty"`
	Outline     []outline `xml:"outline"`
}

// OPML renders a list of feeds as OPML 2.0, which feed readers import. updated is when the
// newest article changed.
func OPML(site Site, listing Listing, updated time.Time) ([]byte, error) {
	site = cleanSite(site)
	doc := opml{Version: "2.0", Title: site.Title, Modified: rssDate(updated)}
	for _, group := range listing.Groups {
		section := outline{Text: group.Title}
		for _, f := range group.Feeds {
			section.Outline = append(section.Outline, outline{
				Text: f.Title, Title: f.Title, Type: "rss", XMLURL: f.RSS, HTMLURL: f.Home,
				Description: f.Description, Language: feedLanguage(f.Language), Version: "RSS",
			})
		}
		doc.Outline = append(doc.Outline, section)
	}
	var out bytes.Buffer
	out.WriteString(xml.Header)
	encoder := xml.NewEncoder(&out)
	encoder.Indent("", "  ")
	if err := encoder.Encode(doc); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}
