package subscriber

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

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

// AddressError says what is wrong with an address and what would be right.
type AddressError struct {
	Input string
	What  string
	Right string
}

func (e *AddressError) Error() string {
	return fmt.Sprintf("address %s: %s; right would be: %s", quoteShort(e.Input), e.What, e.Right)
}

// ParseAddress reads one address, such as ada@example.org. It takes dot-atoms and
// quoted strings as local parts (RFC 5321), UTF-8 in them (RFC 6531) and
// international domains (RFC 5890) in either form. Spaces around it are dropped.
// Errors are *AddressError.
func ParseAddress(s string) (Address, error) {
	input := s
	s = strings.Trim(s, " \t")
	wrong := func(what, right string) (Address, error) {
		return Address{}, &AddressError{Input: input, What: what, Right: right}
	}
	if s == "" {
		return wrong("it is empty", "something like ada@example.org")
	}
	if len(s) > 4*MaxAddress { // 4: punycode is shorter than UTF-8 now and then, but never by so much
		return wrong("it is too long", fmt.Sprintf("at most %d octets", MaxAddress))
	}
	if !utf8.ValidString(s) {
		return wrong("it is not UTF-8", "the same address saved as UTF-8")
	}
	at := strings.LastIndexByte(s, '@')
	if at < 0 {
		return wrong("it has no @", "something like ada@example.org")
	}
	local, what, right := parseLocal(s[:at])
	if what != "" {
		return wrong(what, right)
	}
	domain, what, right := parseDomain(s[at+1:])
	if what != "" {
		return wrong(what, right)
	}
	if len(local)+1+len(domain) > MaxAddress {
		return wrong("it is too long", fmt.Sprintf("at most %d octets", MaxAddress))
	}
	return Address{local: local, domain: domain}, nil
}

// MustParseAddress is ParseAddress for addresses that stand in the code; it panics
// on a wrong one.
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

// IsZero says whether a is no address at all.
func (a Address) IsZero() bool { return a.domain == "" }

// NeedsUTF8 says whether mail to a needs a server with SMTPUTF8 (RFC 6531). An
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

// quoteShort shows hostile input without letting it break the line.
func quoteShort(s string) string {
	const most = 80
	if len(s) > most {
		return strconv.Quote(strings.ToValidUTF8(s[:most], "")) + "…"
	}
	return strconv.Quote(s)
}

// graphic says whether r may stand in a local part beyond ASCII: what can be seen, and the two
// joiners that Persian and some Indian scripts are written with.
func graphic(r rune) bool {
	return unicode.IsGraphic(r) && !unicode.IsSpace(r) || r == '\u200C' || r == '\u200D'
}
