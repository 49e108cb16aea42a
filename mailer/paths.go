package mailer

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/net/idna"

	"github.com/tidings-press/tidings/internal/token"
)

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
// must be the same on every node and for ever.
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
