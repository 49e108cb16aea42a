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
)

// Limits of an address in octets (RFC 5321 section 4.5.3.1; the path limit of 256
// includes its angle brackets).
const (
	MaxLocal   = 64
	MaxDomain  = 253
	MaxAddress = 254
)

// Address is a checked mail address. The zero value is no address. Addresses are
// equal as Go values only when written alike: compare people by Key.
type Address struct {
	local  string // as on the wire: a dot-atom, or a quoted string where it must be one
	domain string // lower case, IDN labels in punycode
}

// AddressError says what is wrong with an address and what is expected.
type AddressError struct {
	Input    string
	What     string
	Expected string
}

func (e *AddressError) Error() string {
	return fmt.Sprintf("address %s: %s; expected: %s", quoteShort(e.Input), e.What, e.Expected)
}

// ParseAddress reads one address, such as ada@example.org. It takes dot-atoms and
// quoted strings as local parts (RFC 5321), UTF-8 in them (RFC 6531) and
// international domains (RFC 5890) in either form. Spaces around it are dropped.
// Errors are *AddressError.
func ParseAddress(s string) (Address, error) {
	input := s
	s = strings.Trim(s, " \t")
	invalid := func(what, expected string) (Address, error) {
		return Address{}, &AddressError{Input: input, What: what, Expected: expected}
	}
	if s == "" {
		return invalid("it is empty", "something like ada@example.org")
	}
	if len(s) > 4*MaxAddress { // 4: punycode is shorter than UTF-8 now and then, but never by so much
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

// MustParseAddress is ParseAddress for constants; it panics on an invalid address.
func MustParseAddress(s string) Address {
	a, err := ParseAddress(s)
	if err != nil {
		panic(err)
	}
	return a
}

// String is the address for people: the case of the local part kept, the domain
// in Unicode. ParseAddress reads it back.
func (a Address) String() string {
	if a.IsZero() {
		return ""
	}
	return a.local + "@" + a.UnicodeDomain()
}

// ASCII is the address for SMTP: the domain in punycode. The local part may still
// hold UTF-8; see NeedsUTF8.
func (a Address) ASCII() string {
	if a.IsZero() {
		return ""
	}
	return a.local + "@" + a.domain
}

// Key is equal for two spellings of one mailbox: case, Unicode form and quoting
// of the local part do not count, nor does the form of the domain. (In theory
// servers may tell A@ from a@; in practice none does, and people type both.)
func (a Address) Key() string {
	if a.IsZero() {
		return ""
	}
	return fold(a.local) + "@" + a.domain
}

// Domain is the part after the @ in punycode and lower case.
func (a Address) Domain() string { return a.domain }

// Local is the part before the @ as written in SMTP, quoted if it must be.
func (a Address) Local() string { return a.local }

// IsZero reports whether a is the zero value, which is no address.
func (a Address) IsZero() bool { return a.domain == "" }

// NeedsUTF8 reports whether mail to a needs a server with SMTPUTF8 (RFC 6531). An
// international domain alone does not: it is sent as punycode.
func (a Address) NeedsUTF8() bool { return !isASCII(a.local) }

// MarshalText makes addresses readable in JSON.
func (a Address) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads what MarshalText wrote; empty text gives the zero Address.
func (a *Address) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*a = Address{}
		return nil
	}
	parsed, err := ParseAddress(string(text))
	*a = parsed
	return err
}

// fold lowers for comparison. Most local parts are ASCII and need no tables.
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

// quoteShort quotes the start of hostile input on one line.
func quoteShort(s string) string {
	const most = 80
	if len(s) > most {
		return strconv.Quote(strings.ToValidUTF8(s[:most], "")) + "…"
	}
	return strconv.Quote(s)
}

// graphic reports whether r may stand in a local part beyond ASCII: visible characters, and the
// two joiners that Persian and some Indian scripts are written with.
func graphic(r rune) bool {
	return unicode.IsGraphic(r) && !unicode.IsSpace(r) || r == '\u200C' || r == '\u200D'
}

// idnaProfile is the lookup profile, strict about what a host name may hold.
var idnaProfile = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.StrictDomainName(true), idna.Transitional(false))

// parseDomain checks the part after the @. It returns the domain in lower case and
// punycode, or what is wrong with it and what is expected.
func parseDomain(s string) (domain, what, expected string) {
	const example = "something like example.org after the @"
	switch {
	case s == "":
		return "", "nothing stands after the @", example
	case s[0] == '[':
		return "", "an address literal stands after the @", "a domain, " + example
	}
	domain = strings.ToLower(s)
	if !isASCII(s) || strings.Contains(domain, "xn--") {
		ascii, err := idnaProfile.ToASCII(s)
		if err != nil {
			return "", "the domain is no valid international domain", example
		}
		domain = ascii
	}
	if what := checkDomain(domain); what != "" {
		return "", what, example
	}
	return domain, "", ""
}

// checkDomain checks a domain in ASCII: labels of letters, digits and inner hyphens
// (RFC 5321 section 4.1.2), at least two, the last not a number.
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
		return "a dot stands first, last or twice in the domain"
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

// UnicodeDomain is the part after the @ as people read it.
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
