package subscriber

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/tidings-press/tidings/internal/words"
)

// Limits of an address in octets (RFC 5321 section 4.5.3.1; the path limit of 256
// includes its angle brackets).
const (
	MaxLocal   = 64
	MaxDomain  = 253
	MaxAddress = 254
)

// Address is a valid mail address; the zero value is none. Two spellings of one mailbox are
// different values, so compare addresses by Key.
type Address struct {
	local  string // as in SMTP: a dot-atom, or a quoted string if it has to be one
	domain string // lower case, IDN labels in punycode
}

// AddressError reports an invalid address: what is wrong and what is expected.
type AddressError struct {
	Input    string
	What     string
	Expected string
}

func (e *AddressError) Error() string { return e.Text().String() }

// Text returns the error for pages.
func (e *AddressError) Text() words.Text {
	return words.T("address {0}: {1}; expected: {2}", quoteShort(e.Input), words.Stored(e.What), words.Stored(e.Expected))
}

// ParseAddress parses one address, such as ada@example.org. The local part may be a dot-atom or
// a quoted string (RFC 5321) and may hold UTF-8 (RFC 6531). The domain may be international, in
// Unicode or punycode (RFC 5890). Spaces around the address are dropped. Errors are
// *AddressError.
func ParseAddress(s string) (Address, error) {
	input := s
	s = strings.Trim(s, " \t")
	invalid := func(what, expected string) (Address, error) {
		return Address{}, &AddressError{Input: input, What: what, Expected: expected}
	}
	if s == "" {
		return invalid("it is empty", "something like ada@example.org")
	}
	if len(s) > 4*MaxAddress { // punycode can be shorter than UTF-8, but never by a factor of 4
		return invalid("it is too long", fmt.Sprintf("at most %d octets", MaxAddress))
	}
	if !utf8.ValidString(s) {
		return invalid("it is not UTF-8", "the same address saved as UTF-8")
	}
	at := strings.LastIndexByte(s, '@')
	if at < 0 {
		return invalid("it has no @", "something like ada@example.org")
	}
	local, what, expected := parseLocal(s[:at])
	if what != "" {
		return invalid(what, expected)
	}
	domain, what, expected := parseDomain(s[at+1:])
	if what != "" {
		return invalid(what, expected)
	}
	if len(local)+1+len(domain) > MaxAddress {
		return invalid("it is too long", fmt.Sprintf("at most %d octets", MaxAddress))
	}
	return Address{local: local, domain: domain}, nil
}

// MustParseAddress is ParseAddress for constants. It panics if the address is invalid.
func MustParseAddress(s string) Address {
	a, err := ParseAddress(s)
	if err != nil {
		panic(err)
	}
	return a
}

// String returns the address as people read it, with the domain in Unicode. The local part
// keeps its case. ParseAddress of the result gives a.
func (a Address) String() string {
	if a.IsZero() {
		return ""
	}
	return a.local + "@" + a.UnicodeDomain()
}

// ASCII returns the address for SMTP, with the domain in punycode. The local part may still
// hold UTF-8, which needs a server with SMTPUTF8 (RFC 6531).
func (a Address) ASCII() string {
	if a.IsZero() {
		return ""
	}
	return a.local + "@" + a.domain
}

// Key returns the address in the form in which addresses are compared. It is equal for all
// spellings of one mailbox: case, Unicode form and quoting of the local part and the form of
// the domain do not matter. (Servers may treat A@ and a@ as different, but in practice none
// does, and people type both.)
func (a Address) Key() string {
	if a.IsZero() {
		return ""
	}
	return fold(a.local) + "@" + a.domain
}

// Domain returns the part after the @, in punycode and lower case.
func (a Address) Domain() string { return a.domain }

// Local returns the part before the @ as in SMTP, quoted if it has to be.
func (a Address) Local() string { return a.local }

// IsZero reports whether a is the zero value, which is not an address.
func (a Address) IsZero() bool { return a.domain == "" }

// MarshalText returns String, for JSON.
func (a Address) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText parses the text of MarshalText. Empty text gives the zero Address.
func (a *Address) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*a = Address{}
		return nil
	}
	parsed, err := ParseAddress(string(text))
	*a = parsed
	return err
}

// fold returns a local part in the form in which local parts are compared: case folded, in
// Unicode form C. Most are ASCII, for which lower case is enough.
func fold(s string) string {
	if isASCII(s) {
		return strings.ToLower(s)
	}
	return norm.NFC.String(cases.Fold().String(norm.NFC.String(s)))
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// quoteShort quotes at most 80 bytes of untrusted input on one line, for messages.
func quoteShort(s string) string {
	const most = 80
	if len(s) > most {
		return strconv.Quote(strings.ToValidUTF8(s[:most], "")) + "…"
	}
	return strconv.Quote(s)
}

// graphic reports whether a local part may hold the character r beyond ASCII: visible
// characters, and the two joiners that Persian and some Indian scripts need.
func graphic(r rune) bool {
	return unicode.IsGraphic(r) && !unicode.IsSpace(r) || r == '\u200C' || r == '\u200D'
}

// idnaProfile is the lookup profile of IDNA, restricted to host names.
var idnaProfile = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.StrictDomainName(true), idna.Transitional(false))

// parseDomain parses the domain of an address. It returns it in lower case and punycode, or
// what is wrong and what is expected.
func parseDomain(s string) (domain, what, expected string) {
	const example = "something like example.org after the @"
	switch {
	case s == "":
		return "", "there is nothing after the @", example
	case s[0] == '[':
		return "", "there is an address literal after the @", "a domain, " + example
	}
	domain = strings.ToLower(s)
	if !isASCII(s) || strings.Contains(domain, "xn--") {
		ascii, err := idnaProfile.ToASCII(s)
		if err != nil {
			return "", "the domain is not a valid international domain", example
		}
		domain = ascii
	}
	if what := checkDomain(domain); what != "" {
		return "", what, example
	}
	return domain, "", ""
}

// checkDomain returns what is wrong with a domain in ASCII, or an empty string. It must have at
// least two labels of letters, digits and inner hyphens (RFC 5321 section 4.1.2), and the last
// one must not be a number.
func checkDomain(s string) (what string) {
	if len(s) > MaxDomain {
		return fmt.Sprintf("the domain has %d octets, more than %d", len(s), MaxDomain)
	}
	labels := 0
	for rest, more := s, true; more; labels++ {
		var label string
		label, rest, more = strings.Cut(rest, ".")
		if what := checkLabel(label); what != "" {
			return what
		}
		if !more && strings.Trim(label, "0123456789") == "" {
			return "the domain ends in a number"
		}
	}
	if labels < 2 {
		return "the domain has no dot"
	}
	return ""
}

func checkLabel(label string) (what string) {
	switch {
	case label == "":
		return "a dot is first, last or doubled in the domain"
	case len(label) > 63:
		return "a part of the domain has more than 63 octets"
	case label[0] == '-' || label[len(label)-1] == '-':
		return "a part of the domain begins or ends with a hyphen"
	}
	for i := range len(label) {
		c := label[i]
		if c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') {
			return describeRune(rune(c)) + " in the domain"
		}
	}
	return ""
}

// UnicodeDomain returns the part after the @ in Unicode.
func (a Address) UnicodeDomain() string {
	if !strings.Contains(a.domain, "xn--") {
		return a.domain
	}
	unicode, err := idnaProfile.ToUnicode(a.domain)
	if err != nil {
		return a.domain
	}
	return unicode
}
