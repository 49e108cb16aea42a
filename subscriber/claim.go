package subscriber

import (
	"encoding/binary"
	"encoding/hex"
	"time"
)

// claimVersion begins each encoded claim. A new layout gets a new number; old ones are read
// for ever, since mails are kept for ever.
const claimVersion = 1

// How an edition is written in a claim: not at all, as the 16 bytes of a UUID, or as text.
const (
	editionNone = iota
	editionUUID
	editionText
)

// encodeClaim appends version, purpose, subscriber, expiry, digest and edition.
func encodeClaim(dst []byte, c Claim) []byte {
	dst = append(dst, claimVersion, byte(c.Purpose))
	dst = binary.AppendUvarint(dst, uint64(c.Subscriber))
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
		return append(append(dst, editionUUID), id...)
	}
	return appendText(append(dst, editionText), c.Edition)
}

func appendText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// decodeClaim reads what encodeClaim wrote. Its input is signed by us, but maybe
// by a newer version of us.
func decodeClaim(b []byte) (Claim, error) {
	if len(b) < 2 || b[0] != claimVersion {
		return Claim{}, ErrToken
	}
	r := reader{rest: b[2:]}
	c := Claim{Purpose: Purpose(b[1]), Subscriber: int64(r.number())}
	if expires := r.number(); expires != 0 {
		c.Expires = time.Unix(int64(expires), 0).UTC()
	}
	c.Digest = string(r.take(r.number()))
	switch kind := r.take(1); {
	case len(kind) == 0:
	case kind[0] == editionUUID:
		c.Edition = formatUUID(r.take(16))
	case kind[0] == editionText:
		c.Edition = string(r.take(r.number()))
	}
	if r.short || len(r.rest) > 0 {
		return Claim{}, ErrToken
	}
	return c, nil
}

// reader takes from the front of rest; short says that it once came to its end too early.
type reader struct {
	rest  []byte
	short bool
}

func (r *reader) number() uint64 {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 {
		r.short = true
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

func (r *reader) take(n uint64) []byte {
	if n > uint64(len(r.rest)) {
		r.short = true
		return nil
	}
	taken := r.rest[:n]
	r.rest = r.rest[n:]
	return taken
}

// parseUUID reads the canonical form only, so that formatUUID gives the same back.
func parseUUID(s string) ([]byte, bool) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return nil, false
	}
	id, err := hex.DecodeString(s[:8] + s[9:13] + s[14:18] + s[19:23] + s[24:])
	return id, err == nil && formatUUID(id) == s
}

func formatUUID(id []byte) string {
	if len(id) != 16 {
		return ""
	}
	h := hex.EncodeToString(id)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
