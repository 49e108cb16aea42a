package feed

import (
	"encoding/xml"
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

// literal is text for an element of any format. An end tag in it is kept from
// being one by a word joiner, which nobody sees: no declaration stops validators
// and readers from taking the text for HTML then.
func literal(s string) plain {
	if strings.Contains(s, "</") {
		s = endTag.ReplaceAllStringFunc(s, func(tag string) string { return "<\u2060" + tag[1:] })
	}
	return plain(s)
}

// reference is what readers take for a character reference.
var reference = regexp.MustCompile(`&(#?\w+;)`)

// rssText is literal text for RSS, which cannot declare it: what looks like a
// character reference in it is broken up in the same way.
func rssText(s string) plain {
	return literal(reference.ReplaceAllString(s, "&\u2060$1"))
}
