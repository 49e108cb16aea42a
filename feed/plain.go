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

// joiner is a word joiner. Nobody sees it, and it keeps two characters from being
// taken for one thing.
const joiner = "\u2060"

// endTag is what validators and readers take for a sign of HTML, whatever the
// document says.
var endTag = regexp.MustCompile(`</\w+>`)

// literal is text for an element of any format. An end tag in it is kept from
// being one by a word joiner: no declaration stops validators and readers from
// taking the text for HTML then.
func literal(s string) plain {
	if strings.Contains(s, "</") {
		s = endTag.ReplaceAllStringFunc(s, func(tag string) string { return "<" + joiner + tag[1:] })
	}
	return plain(unmistaken(s))
}

// reference is what readers take for a character reference.
var reference = regexp.MustCompile(`&(#?[\p{L}\p{N}_]+;)`)

// rssText is literal text for RSS, which cannot declare it: what looks like a
// character reference in it is broken up in the same way.
func rssText(s string) plain {
	return literal(reference.ReplaceAllString(s, "&"+joiner+"$1"))
}

// opening is what a reference or a tag may begin with.
var opening = regexp.MustCompile(`&#?[\p{L}\p{N}_]|<[/A-Za-z]`)

// attributeText is literal text for an attribute, where "&" and "<" cannot be
// written so that they are known to mean themselves.
func attributeText(s string) string {
	return unmistaken(opening.ReplaceAllStringFunc(s, func(start string) string { return start[:1] + joiner + start[1:] }))
}

// nameText is a person's name. A mail address in it, which has an element of its
// own, is kept from being read as one.
func nameText(s string) plain {
	return rssText(strings.ReplaceAll(s, "@", "@"+joiner))
}

// mistakable are pairs of letters that look like one letter whose UTF-8 was taken
// for Latin-1, such as a text about just that has. Validators warn of them.
var mistakable = regexp.MustCompile(`([\x{C2}\x{C3}])([\x{80}-\x{BF}])`)

// unmistaken keeps such letters apart by a word joiner.
func unmistaken(s string) string {
	if !strings.Contains(s, "\u00C2") && !strings.Contains(s, "\u00C3") {
		return s
	}
	return mistakable.ReplaceAllString(s, "$1"+joiner+"$2")
}
