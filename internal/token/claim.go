package token

import (
	"encoding/binary"
	"time"

	"github.com/google/uuid"
)

// Versions of encoded claims. Old versions must stay readable, since people keep mails for
// years.
const (
	byRow    = 1 // the person is a row number
	byPerson = 2 // the person is a random id
)

// How an edition is written in a claim: not at all, as the 16 bytes of a UUID, or as text.
const (
	editionNone = iota
	editionUUID
	editionText
)

// encodeClaim appends version, purpose, person, expiry, digest and edition.
func encodeClaim(dst []byte, c Claim) []byte {
	if c.Person.Row != 0 {
		dst = append(dst, byRow, byte(c.Purpose))
		dst = binary.AppendUvarint(dst, uint64(c.Person.Row))
	} else {
		dst = append(dst, byPerson, byte(c.Purpose))
		dst = append(dst, c.Person.ID[:]...)
	}
	var expires uint64
	if !c.Expires.IsZero() {
		expires = uint64(c.Expires.Unix())
	}
	dst = binary.AppendUvarint(dst, expires)
	dst = appendText(dst, c.Digest)
	if c.Edition == "" {
		return append(dst, editionNone)
	}
	if id, ok := parseUUID(c.Edition); ok {
		return append(append(dst, editionUUID), id[:]...)
	}
	return appendText(append(dst, editionText), c.Edition)
}

func appendText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// decodeClaim decodes what encodeClaim wrote. The input is signed, but a newer version of this
// program may have written it.
func decodeClaim(b []byte) (Claim, error) {
	if len(b) < 2 {
		return Claim{}, ErrInvalid
	}
	r := reader{rest: b[2:]}
	c := Claim{Purpose: Purpose(b[1])}
	switch b[0] {
	case byRow:
		c.Person.Row = int64(r.number())
	case byPerson:
		c.Person.ID = r.uuid()
	default:
		return Claim{}, ErrInvalid
	}
	if expires := r.number(); expires != 0 {
		c.Expires = time.Unix(int64(expires), 0).UTC()
	}
	c.Digest = string(r.take(r.number()))
	switch kind := r.take(1); {
	case len(kind) == 0 || kind[0] == editionNone:
	case kind[0] == editionUUID:
		c.Edition = r.uuid().String()
	case kind[0] == editionText:
		c.Edition = string(r.take(r.number()))
	default:
		return Claim{}, ErrInvalid
	}
	if r.truncated || len(r.rest) > 0 {
		return Claim{}, ErrInvalid
	}
	return c, nil
}

// reader reads from the front of rest. It sets truncated when there are not enough octets.
type reader struct {
	rest      []byte
	truncated bool
}

func (r *reader) number() uint64 {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 {
		r.truncated = true
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

func (r *reader) take(n uint64) []byte {
	if n > uint64(len(r.rest)) {
		r.truncated = true
		return nil
	}
	taken := r.rest[:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *reader) uuid() (id uuid.UUID) {
	copy(id[:], r.take(uint64(len(id))))
	return id
}
