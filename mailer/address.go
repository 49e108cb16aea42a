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

// appendMailbox appends "Name <address>". An address that is empty makes a group
// without members, which RFC 5322 allows where an empty list is not.
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

// mailboxAddress keeps what may stand between angle brackets, with the domain in
// ASCII.
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

// brokenAddress reports whether an address has what would end it in a command or
// header. A quoted local part may have spaces and brackets (RFC 5321, section 4.1.2).
func brokenAddress(address string) bool {
	quoted := quotedLocal(address)
	return strings.ContainsFunc(quoted, unicode.IsControl) || strings.ContainsFunc(address[len(quoted):], breaksAddress)
}

// quotedLocal returns the local part of an address if it is a quoted string, else empty.
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

func breaksAddress(r rune) bool {
	return r <= ' ' || r == '<' || r == '>' || r >= 0x7f && r <= 0xa0 || r == 0xFFFD
}

// asciiDomain writes the domain of an address in ASCII (RFC 5891); the local part
// stays as it is.
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

// asciiURL writes the host of a URL in ASCII. The rest of what is not ASCII is
// %-encoded by appendToken.
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

// DeliveryID names a delivery: an edition and a person. Edition is a UUID, or empty for mails
// that belong to none, such as confirmations.
type DeliveryID = token.Delivery

// Purpose says what an address or message id of ours was made for.
type Purpose byte

// The purposes.
const (
	PurposeReturnPath  Purpose = 'b' // return path (VERP)
	PurposeUnsubscribe Purpose = 'u' // mailto address of List-Unsubscribe
	PurposeMessageID   Purpose = 'm'
)

// ErrNotOurs is returned for addresses and message ids that we did not make.
var ErrNotOurs = token.ErrNotOurs

// SignedAddresses makes addresses and message ids that carry a delivery's ID with an HMAC.
// It may be shared by goroutines.
type SignedAddresses struct {
	codec  *token.Deliveries
	domain string
}

// NewSignedAddresses makes Paths for a domain of ours, which may be in Unicode. The secret
// must be the same on every node and must never change.
func NewSignedAddresses(secret []byte, domain string) (*SignedAddresses, error) {
	if len(secret) < 16 {
		return nil, fmt.Errorf("mailer: a secret of %d octets, 16 are the least", len(secret))
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

// ReturnPath is the address for MAIL FROM.
func (p *SignedAddresses) ReturnPath(id DeliveryID) string { return p.address(PurposeReturnPath, id) }

// Unsubscribe is the mailbox for the mailto part of List-Unsubscribe.
func (p *SignedAddresses) Unsubscribe(id DeliveryID) string { return p.address(PurposeUnsubscribe, id) }

// MessageID is the Message-ID, without angle brackets: the same on every try, and
// again after the store was restored.
func (p *SignedAddresses) MessageID(id DeliveryID) string { return p.address(PurposeMessageID, id) }

// Domain is the domain of the addresses, in ASCII.
func (p *SignedAddresses) Domain() string { return p.domain }

func (p *SignedAddresses) address(purpose Purpose, id DeliveryID) string {
	return p.codec.Name(byte(purpose), id) + "@" + p.domain
}

// Parse reads what the three others made, with or without angle brackets and in
// any case of letters. It returns ErrNotOurs for everything else. The domain is
// not looked at: it may have been another when the mail was sent.
func (p *SignedAddresses) Parse(s string) (Purpose, DeliveryID, error) {
	local, _, _ := strings.Cut(strings.Trim(s, "<> \t"), "@")
	use, id, err := p.codec.Read(local)
	return Purpose(use), id, err
}
