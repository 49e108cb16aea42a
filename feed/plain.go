package feed

import (
	"encoding/xml"
	"strings"
)

// plainText is text in an element that some feed readers parse as HTML. "&" and "<" are
// written as hexadecimal references, as the RSS Best Practices Profile recommends, so that
// they are shown as they are.
type plainText string

// MarshalXML implements xml.Marshaler.
func (p plainText) MarshalXML(e *xml.Encoder, start xml.StartElement) error {
	return e.EncodeElement(struct {
		Text string `xml:",innerxml"`
	}{hexEscaper.Replace(string(p))}, start)
}

var hexEscaper = strings.NewReplacer("&", "&#x26;", "<", "&#x3C;", ">", "&#x3E;")
