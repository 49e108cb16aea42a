package feed

import (
	"encoding/xml"
	"html"
	"regexp"
	"strings"
)

// plain is text in an element that some readers take for HTML. "&" and "<" are
// written as hexadecimal references, as the RSS Best Practices Profile asks
// for: that is how a document says that it means the characters themselves.
type plain string

// MarshalXML implements xml.Marshaler.
func (p plain) MarshalXML(e *xml.Encoder, start xml.StartElement) error {
	return e.EncodeElement(struct {
		Text string `xml:",innerxml"`
	}{hexadecimal.Replace(string(p))}, start)
}

var hexadecimal = strings.NewReplacer("&", "&#x26;", "<", "&#x3C;", ">", "&#x3E;")

// endTag is what validators and readers take for a sign of HTML, whatever the
// document says.
var endTag = regexp.MustCompile(`</\w+>`)

// rssText is plain text for RSS, which has no way to say that it is none of
// HTML. An end tag in it is kept from being one by a word joiner, which nobody
// sees.
func rssText(s string) plain {
	if strings.Contains(s, "</") {
		s = endTag.ReplaceAllStringFunc(s, func(tag string) string { return "<\u2060" + tag[1:] })
	}
	return plain(s)
}

// atomText is a text construct (RFC 4287, section 3.1).
type atomText struct {
	Type string `xml:"type,attr,omitempty"`
	Text string `xml:",innerxml"`
}

// newAtomText declares text as text, or where it has an end tag in it as HTML
// that shows it: validators believe no other declaration then.
func newAtomText(s string) atomText {
	if strings.Contains(s, "</") && endTag.MatchString(s) {
		return atomText{"html", html.EscapeString(html.EscapeString(s))}
	}
	return atomText{"", hexadecimal.Replace(s)}
}
