package mailer

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/net/idna"

	"github.com/tidings-press/tidings/internal/token"
)

// appendMailbox appends "Name <address>", folded from the given column on. For an empty address
// it appends an empty group: RFC 5322 does not allow an empty address list.
func appendMailbox(dst []byte, column int, name, email string) []byte {
	email = mailboxAddress(email)
	if email == "" {
		return append(dst, "undisclosed-recipients:;"...)
	}
	if name == "" {
		return append(append(append(dst, '<'), email...), '>')
	}
	start := len(dst)
	dst = appendPhrase(dst, column, name)
	column += len(dst) - start
	if fold := bytes.LastIndexByte(dst[start:], '\n'); fold >= 0 {
		column = len(dst) - start - fold - 1
	}
	if column+len(email)+3 > headerLine {
		dst = append(dst, "\r\n"...)
	}
	return append(append(append(dst, " <"...), email...), '>')
}

// mailboxAddress returns the address as it is written between angle brackets: without the
// characters that are not allowed there, with its domain in ASCII, and at most tokenMax octets long.
func mailboxAddress(email string) string {
	if brokenAddress(email) {
		email = strings.Map(func(r rune) rune {
			if breaksAddress(r) {
				return -1
			}
			return r
		}, strings.ToValidUTF8(email, ""))
	}
	if ascii, err := asciiDomain(email); err == nil {
		email = ascii
	}
	return email[:min(len(email), tokenMax)]
}

// brokenAddress reports whether an address contains a character that would end it in a command
// or header. A quoted local part may contain spaces and brackets (RFC 5321, section 4.1.2).
func brokenAddress(address string) bool {
	quoted := quotedLocal(address)
	return strings.ContainsFunc(quoted, unicode.IsControl) || strings.ContainsFunc(address[len(quoted):], breaksAddress)
}

// quotedLocal returns the local part of an address if it is a quoted string, else "".
func quotedLocal(address string) string {
	if !strings.HasPrefix(address, `"`) {
		return ""
	}
	for i := 1; i < len(address); i++ {
		switch address[i] {
		case '\\':
			i++
		case '"':
			if strings.HasPrefix(address[i+1:], "@") {
				return address[:i+1]
			}
			return ""
		}
	}
	return ""
}

// breaksAddress reports whether a character must not occur outside the quoted part of an address.
func breaksAddress(r rune) bool {
	return r <= ' ' || r == '<' || r == '>' || r >= 0x7f && r <= 0xa0 || r == 0xFFFD
}

// asciiDomain converts the domain of an address to ASCII (RFC 5891) and leaves the local part
// unchanged.
func asciiDomain(email string) (string, error) {
	if isASCII(email) {
		return email, nil
	}
	at := strings.LastIndexByte(email, '@')
	if at < 0 {
		return "", errors.New("there is no @ in it")
	}
	domain, err := idna.Lookup.ToASCII(email[at+1:])
	if err != nil {
		return "", fmt.Errorf("domain %q: %w", email[at+1:], err)
	}
	return email[:at+1] + domain, nil
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// asciiURL converts the host of a URL to ASCII. It leaves other non-ASCII characters to
// appendToken, which %-encodes them.
func asciiURL(s string) string {
	scheme, rest, found := strings.Cut(s, "://")
	if !found || isASCII(s) {
		return s
	}
	host, path := rest, ""
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		host, path = rest[:end], rest[end:]
	}
	name, port, colon := strings.Cut(host, ":")
	ascii, err := idna.Lookup.ToASCII(name)
	if err != nil {
		return s
	}
	if colon {
		ascii += ":" + port
	}
	return scheme + "://" + ascii + path
}

// DeliveryID identifies a delivery by edition and subscriber. Edition is a UUID, or empty for a
// mail without an edition, such as a confirmation.
type DeliveryID = token.Delivery

// Purpose is the use of an address or message id that SignedAddresses made.
type Purpose byte

// The purposes.
const (
	PurposeReturnPath  Purpose = 'b' // return path (VERP)
	PurposeUnsubscribe Purpose = 'u' // mailto address of List-Unsubscribe
	PurposeMessageID   Purpose = 'm'
)

// SignedAddresses makes addresses and message ids that contain a delivery's ID and an HMAC.
// It is safe for concurrent use.
type SignedAddresses struct {
	codec  *token.Deliveries
	domain string
}

// NewSignedAddresses makes SignedAddresses for a domain, which may be in Unicode. The secret
// must be the same on every node and must never change.
func NewSignedAddresses(secret []byte, domain string) (*SignedAddresses, error) {
	if len(secret) < 16 {
		return nil, fmt.Errorf("mailer: a secret of %d octets; use at least 16", len(secret))
	}
	ascii, err := idna.Lookup.ToASCII(domain)
	if err != nil {
		return nil, fmt.Errorf("mailer: domain %q of return paths: %w", domain, err)
	}
	if ascii == "" {
		return nil, errors.New("mailer: return paths need a domain, such as bounces.example.org")
	}
	return &SignedAddresses{codec: token.NewDeliveries(secret), domain: strings.ToLower(ascii)}, nil
}

// ReturnPath returns the address for MAIL FROM.
func (s *SignedAddresses) ReturnPath(id DeliveryID) string { return s.address(PurposeReturnPath, id) }

// Unsubscribe returns the address for the mailto part of List-Unsubscribe.
func (s *SignedAddresses) Unsubscribe(id DeliveryID) string { return s.address(PurposeUnsubscribe, id) }

// MessageID returns the Message-ID without angle brackets. It is the same on every try, also
// after the store was restored from a backup.
func (s *SignedAddresses) MessageID(id DeliveryID) string { return s.address(PurposeMessageID, id) }

// Domain returns the domain of the addresses, in ASCII.
func (s *SignedAddresses) Domain() string { return s.domain }

func (s *SignedAddresses) address(purpose Purpose, id DeliveryID) string {
	return s.codec.Name(byte(purpose), id) + "@" + s.domain
}

// Parse reads a return path, unsubscribe address or message id, with or without angle brackets and
// in upper or lower case. It returns token.ErrNotOurs for everything else. It ignores the domain, which
// may have changed since the mail was sent.
func (s *SignedAddresses) Parse(text string) (Purpose, DeliveryID, error) {
	local, _, _ := strings.Cut(strings.Trim(text, "<> \t"), "@")
	use, id, err := s.codec.Read(local)
	return Purpose(use), id, err
}
