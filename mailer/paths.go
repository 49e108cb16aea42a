package mailer

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"strings"
	"sync"

	"golang.org/x/net/idna"
)

// ID names a delivery: an edition and a subscriber. Edition is a UUID, another
// word of at most 17 octets, or empty for mails that belong to none, such as
// confirmations.
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
type Paths struct {
	macs   sync.Pool // of hash.Hash: keying one costs as much as using it twice
	domain string
}

// The token is the ID and the first octets of its HMAC in base32, which survives
// servers that change the case of letters. With an edition that is a UUID it
// takes at most 60 of the 64 octets that a local part may have (RFC 5321,
// section 4.5.3.1.1).
var tokenText = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

const (
	macSize    = 9  // 72 bits: nobody guesses one by mail
	tokenLimit = 62 // of the token without its purpose
)

// NewPaths makes Paths for a domain of ours, which may be in Unicode. The secret
// must be the same on every node and for ever.
func NewPaths(secret []byte, domain string) (*Paths, error) {
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
	p := &Paths{domain: strings.ToLower(ascii)}
	key := append([]byte("tidings return path\x00"), secret...)
	p.macs.New = func() any { return hmac.New(sha256.New, key) }
	return p, nil
}

// ReturnPath is the address for MAIL FROM.
func (p *Paths) ReturnPath(id ID) string { return p.address(Bounce, id) }

// Unsubscribe is the mailbox for the mailto part of List-Unsubscribe.
func (p *Paths) Unsubscribe(id ID) string { return p.address(Unsubscribe, id) }

// MessageID is the Message-ID, without angle brackets: the same on every try.
func (p *Paths) MessageID(id ID) string { return p.address(MessageID, id) }

// Domain is the domain of the addresses, in ASCII.
func (p *Paths) Domain() string { return p.domain }

func (p *Paths) address(purpose Purpose, id ID) string {
	data := id.encode()
	data = append(data, p.mac(purpose, data)...)
	out := make([]byte, 0, 2+tokenText.EncodedLen(len(data))+1+len(p.domain))
	out = append(out, byte(purpose), '-')
	out = tokenText.AppendEncode(out, data)
	return string(append(append(out, '@'), p.domain...))
}

// Parse reads what the three others made, with or without angle brackets and in
// any case of letters. It returns ErrNotOurs for everything else. The domain is
// not looked at: it may have been another when the mail was sent.
func (p *Paths) Parse(s string) (Purpose, ID, error) {
	local, _, _ := strings.Cut(strings.ToLower(strings.Trim(s, "<> \t")), "@")
	if len(local) < 3 || len(local) > 2+tokenLimit || local[1] != '-' {
		return 0, ID{}, ErrNotOurs
	}
	purpose := Purpose(local[0])
	data, err := tokenText.DecodeString(local[2:])
	if err != nil || len(data) <= macSize {
		return 0, ID{}, ErrNotOurs
	}
	data, mac := data[:len(data)-macSize], data[len(data)-macSize:]
	if !hmac.Equal(mac, p.mac(purpose, data)) {
		return 0, ID{}, ErrNotOurs
	}
	id, err := decodeID(data)
	return purpose, id, err
}

func (p *Paths) mac(purpose Purpose, data []byte) []byte {
	h := p.macs.Get().(hash.Hash)
	defer p.macs.Put(h)
	h.Reset()
	h.Write([]byte{byte(purpose)})
	h.Write(data)
	return h.Sum(nil)[:macSize]
}

// The first octet of an encoded ID says how the edition is written.
const (
	noEdition = iota
	uuidEdition
	namedEdition
)

func (id ID) encode() []byte {
	out := make([]byte, 1, 64)
	switch uuid, ok := parseUUID(id.Edition); {
	case id.Edition == "":
		out[0] = noEdition
	case ok:
		out[0] = uuidEdition
		out = append(out, uuid[:]...)
	default:
		out[0] = namedEdition
		out = append(out, byte(len(id.Edition)))
		out = append(out, id.Edition...)
	}
	return binary.AppendUvarint(out, uint64(id.Subscriber))
}

// parseUUID takes the canonical form only, so that the text comes back as it was.
func parseUUID(s string) (uuid [16]byte, ok bool) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return uuid, false
	}
	digits := 0
	for i := range len(s) {
		value := strings.IndexByte("0123456789abcdef", s[i])
		switch {
		case i == 8 || i == 13 || i == 18 || i == 23:
			continue
		case value < 0:
			return uuid, false
		}
		uuid[digits/2] = uuid[digits/2]<<4 | byte(value)
		digits++
	}
	return uuid, true
}

func uuidText(u []byte) string {
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
}

// decodeID is only given what has a right HMAC, and still trusts no length.
func decodeID(data []byte) (ID, error) {
	var id ID
	kind, rest := data[0], data[1:]
	switch {
	case kind == uuidEdition && len(rest) > 16:
		id.Edition, rest = uuidText(rest[:16]), rest[16:]
	case kind == namedEdition && len(rest) > 1 && len(rest) > 1+int(rest[0]):
		end := 1 + int(rest[0])
		id.Edition, rest = string(rest[1:end]), rest[end:]
	case kind != noEdition:
		return ID{}, ErrNotOurs
	}
	n, used := binary.Uvarint(rest)
	if used != len(rest) {
		return ID{}, ErrNotOurs
	}
	id.Subscriber = int64(n)
	return id, nil
}
