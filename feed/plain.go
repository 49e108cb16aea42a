package feed

import (
	"encoding/xml"
	"strings"
)

// plain is text in an element that some readers take for HTML. "&" and "<" are
// written as hexadecimal references, as the RSS Best Practices Profile recommends:
// they tell a reader that the characters themselves are meant.
type plain string

// MarshalXML implements xml.Marshaler.
func (p plain) MarshalXML(e *xml.Encoder, start xml.StartElement) error {
	return e.EncodeElement(struct {
		Text string `xml:",innerxml"`
	}{hexadecimal.Replace(string(p))}, start)
}

var hexadecimal = strings.NewReplacer("&", "&#x26;", "<", "&#x3C;", ">", "&#x3E;")
