// Package token encodes and verifies the signed tokens in links, mail addresses and cookies. Keys
// signs and verifies links. Deliveries makes and reads the local parts of return paths and
// Message-IDs, which name one mail to one person. BrowserKeys signs and verifies the cookies of
// editors' browsers.
//
// A token names a person by their random id, which no other person ever gets. A row number
// would not do: a restored store gives numbers out again, and a token must never open another
// person's page. Tokens carry an HMAC-SHA256 (RFC 2104) and are verified without a look-up.
package token

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"hash"
	"strings"
	"sync"

	"github.com/google/uuid"
)

// Person identifies the person that a token is about.
type Person struct {
	ID uuid.UUID // the random id; uuid.Nil for no person, as in test mails
	// Row is the row number in tokens of earlier versions, which had no random ids. Such a
	// token is valid only for people who subscribed at that time; see store.Person.
	Row int64
}

// PersonOf returns the Person with a random id.
func PersonOf(id uuid.UUID) Person { return Person{ID: id} }

// String returns the id, for logs.
func (p Person) String() string {
	if p.Row != 0 {
		return fmt.Sprintf("row %d", p.Row)
	}
	return p.ID.String()
}

// derive returns the key for one use of a secret. Each use has its own key, so that one that
// leaks does not compromise the others.
func derive(secret []byte, use string) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("tidings " + use))
	return mac.Sum(nil)
}

// code computes message authentication codes with one key. It is safe for concurrent use. The
// keyed hashes are pooled, since setting the key of an HMAC costs as much as computing two.
type code struct{ keyed *sync.Pool }

func newCode(key []byte) code {
	return code{&sync.Pool{New: func() any { return hmac.New(sha256.New, key) }}}
}

// sum appends the code of data to dst, truncated to size octets.
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

// hasLineBreak reports whether a text has a line break. The decoders of base32 and base64 skip these, so
// that one token could be written in many ways.
func hasLineBreak(s string) bool { return strings.ContainsAny(s, "\r\n") }

// parseUUID parses a UUID in canonical form only, so that String returns the same text.
func parseUUID(s string) (uuid.UUID, bool) {
	id, err := uuid.Parse(s)
	return id, err == nil && id.String() == s
}
