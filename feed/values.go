package feed

import (
	"cmp"
	"encoding/xml"
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/text/language"

	"github.com/tidings-press/tidings/internal/subscriber"
)

// rightToLeft reports whether an article is written from right to left, by its language, or
// by the first letter of its text if the language is unknown.
func rightToLeft(tag, text string) bool {
	if parsed, err := language.Parse(tag); err == nil && tag != "" {
		script, _ := parsed.Script()
		switch script.String() {
		case "Arab", "Hebr", "Syrc", "Thaa", "Nkoo", "Adlm", "Rohg", "Mand", "Samr":
			return true
		}
		return false
	}
	for _, r := range text {
		if unicode.In(r, unicode.Arabic, unicode.Hebrew, unicode.Syriac, unicode.Thaana, unicode.Nko) {
			return true
		}
		if unicode.IsLetter(r) {
			return false
		}
	}
	return false
}

var mediaTypes = regexp.MustCompile(`^[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*$`)

// mediaType returns a media type without its parameters, or "" if it is invalid.
func mediaType(s string) string {
	s, _, _ = strings.Cut(s, ";")
	if s = strings.ToLower(strings.TrimSpace(s)); !mediaTypes.MatchString(s) {
		return ""
	}
	return s
}

// commonMailbox matches the valid addresses that all validators accept. Some know neither quotes and
// rare characters before the @ nor top-level domains in punycode.
var commonMailbox = regexp.MustCompile(`^[A-Za-z0-9._%+'-]+@.*\.[a-z]+$`)

// mailbox returns a mail address in ASCII, or "" if it is invalid or some validators would reject it.
func mailbox(s string) string {
	address, err := subscriber.ParseAddress(s)
	if err != nil || !commonMailbox.MatchString(address.ASCII()) {
		return ""
	}
	return address.ASCII()
}

// person converts "Name <address>" to the form of RSS: address (Name). fallback is used for a
// missing name. Characters with a meaning in mail headers (RFC 5322, section 3.2.1) are
// removed from the name, since programs that parse it as a header would split it there.
func person(s, fallback string) string {
	name, parsed, err := subscriber.ParseMailbox(clean(s))
	address := mailbox(parsed.ASCII())
	if err != nil || address == "" {
		return ""
	}
	return address + " (" + cmp.Or(realName(name), realName(fallback), parsed.Local()) + ")"
}

func realName(name string) string {
	return singleLine(strings.Map(func(r rune) rune {
		if strings.ContainsRune(`()<>[]:;@\,"`, r) {
			return ' '
		}
		return r
	}, name))
}

func emailOf(person string) string {
	email, _, _ := strings.Cut(person, " ")
	return email
}

func nameOf(person string) string {
	_, name, _ := strings.Cut(person, " (")
	return strings.TrimSuffix(name, ")")
}

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
