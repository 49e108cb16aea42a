// Package token is the one codec for the signed tokens in links and mail addresses.
// Keys signs and verifies links; Delivery names one mail to one person in a return
// path or a Message-ID.
//
// A token names a person by the random id that no other person ever gets, so a token
// never opens another person's page, whatever happens to the numbers of rows: a
// restored store gives them out again. It carries an HMAC-SHA256 (RFC 2104) and
// is checked without a look-up.
package token

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"hash"
	"sync"

	"github.com/google/uuid"
)

// Person is who a token is about.
type Person struct {
	ID uuid.UUID // the random id; uuid.Nil for no person, as in test mails
	// Row is the row number that tokens carried before people had random ids. Such a
	// token is good only for a person who was there then; see store.Person.
	Row int64
}

// PersonOf names a person by the random id.
func PersonOf(id uuid.UUID) Person { return Person{ID: id} }

// String returns the person for logs.
func (p Person) String() string {
	if p.Row != 0 {
		return fmt.Sprintf("row %d", p.Row)
	}
	return p.ID.String()
}

// derive makes one key per use from a secret, so that what one use reveals is no help
// with another.
func derive(secret []byte, use string) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("tidings " + use))
	return mac.Sum(nil)
}

// code computes message authentication codes with one key. It is safe for concurrent
// use. Keying an HMAC costs as much as computing two, so keyed ones are kept.
type code struct{ keyed *sync.Pool }

func newCode(key []byte) code {
	return code{&sync.Pool{New: func() any { return hmac.New(sha256.New, key) }}}
}

// sum appends the code of some data to dst, cut to size octets.
func (c code) sum(dst []byte, size int, data ...[]byte) []byte {
	h := c.keyed.Get().(hash.Hash)
	defer c.keyed.Put(h)
	h.Reset()
	for _, part := range data {
		h.Write(part)
	}
	var buf [sha256.Size]byte
	return append(dst, h.Sum(buf[:0])[:size]...)
}

// parseUUID reads the canonical form only, so that String gives the same text again.
func parseUUID(s string) (uuid.UUID, bool) {
	id, err := uuid.Parse(s)
	return id, err == nil && id.String() == s
}
