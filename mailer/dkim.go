package mailer

import (
	"crypto"
	"errors"
)

// Key is a DKIM key: RSA or Ed25519 (RFC 6376, RFC 8463).
type Key struct {
	Domain   string
	Selector string
	Signer   crypto.Signer
}

// Signer signs mails with one or several keys. It is for one goroutine: each
// takes a Clone.
type Signer struct{}

// NewSigner checks the keys. Without keys its Sign adds nothing.
func NewSigner(keys ...Key) (*Signer, error) { return nil, errors.New("mailer: no signer") }

// Clone gives a signer with the same keys for another goroutine.
func (s *Signer) Clone() *Signer { return nil }

// Sign appends the signatures and behind them the message to dst. The message
// is as Pour gives it.
func (s *Signer) Sign(dst, message []byte) ([]byte, error) { return nil, nil }

// ParseKey reads a private key in PEM: PKCS #8 or PKCS #1.
func ParseKey(pem []byte) (crypto.Signer, error) { return nil, errors.New("mailer: no key") }

// NewKey is a fresh key: its PEM and the value of its DNS record at
// SELECTOR._domainkey.DOMAIN.
type NewKey struct {
	PEM    []byte
	Record string
}

// GenerateKey makes a key of the kind "rsa" (2048 bits) or "ed25519".
func GenerateKey(kind string) (NewKey, error) { return NewKey{}, errors.New("mailer: no key") }
