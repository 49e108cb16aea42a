package mailer

import "errors"

// ID names a delivery: an edition and a subscriber. Edition is empty for mails
// that belong to none, such as confirmations.
type ID struct {
	Edition    string
	Subscriber int64
}

// Purpose says what an address or message id of ours was made for.
type Purpose byte

// The purposes.
const (
	Bounce      Purpose = 'b' // return path (VERP)
	Unsubscribe Purpose = 'u' // mailto address of List-Unsubscribe
	MessageID   Purpose = 'm'
)

// ErrNotOurs is returned for addresses and message ids that we did not make.
var ErrNotOurs = errors.New("not one of our addresses")

// Paths makes addresses and message ids that carry a delivery's ID with an HMAC.
// It may be shared by goroutines.
type Paths struct{}

// NewPaths makes Paths for a domain of ours, which may be in Unicode. The secret
// must be the same on every node and for ever.
func NewPaths(secret []byte, domain string) (*Paths, error) {
	return nil, errors.New("mailer: no paths")
}

// ReturnPath is the address for MAIL FROM.
func (p *Paths) ReturnPath(id ID) string { return "" }

// Unsubscribe is the mailbox for the mailto part of List-Unsubscribe.
func (p *Paths) Unsubscribe(id ID) string { return "" }

// MessageID is the Message-ID, without angle brackets: the same on every try.
func (p *Paths) MessageID(id ID) string { return "" }

// Parse reads what the three others made, angle brackets or not, and in any case of letters. It
// returns ErrNotOurs for everything else.
func (p *Paths) Parse(s string) (Purpose, ID, error) { return 0, ID{}, ErrNotOurs }
