package token

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"time"

	"github.com/google/uuid"
)

// Purpose is what a link may be used for. A link is valid for one purpose only.
type Purpose byte

// The purposes of links. The values must not change, since mails that were sent hold them.
const (
	Confirm     Purpose = 1 // double opt-in; expires
	Unsubscribe Purpose = 2
	Preferences Purpose = 3
	WebEdition  Purpose = 4 // only in mails of earlier versions
	Erase       Purpose = 6 // deletes everything about a person; expires
	Export      Purpose = 7 // shows everything about a person; expires

	Proof Purpose = 20 // lets an editor decide on a draft; expires
)

// Lifetimes of links that expire.
const (
	ConfirmFor = 30 * 24 * time.Hour
	// OwnDataFor is the lifetime of links to erasure and export. It is short since people use
	// them at once, and a mailbox may get another owner.
	OwnDataFor = 2 * time.Hour
)

// Errors of links, for errors.Is.
var (
	ErrInvalid = errors.New("this link is not one of ours, or was cut short; copy the whole link from the mail")
	ErrExpired = errors.New("this link has expired; ask for a new one")
)

// Claim is the content of a link's token.
type Claim struct {
	Purpose Purpose
	Person  Person
	Digest  string
	Edition string
	Expires time.Time // seconds; zero for never
}

// Check returns ErrInvalid if the claim is for another purpose, and ErrExpired if it has
// expired.
func (c Claim) Check(purpose Purpose, now time.Time) error {
	if c.Purpose != purpose {
		return ErrInvalid
	}
	if !c.Expires.IsZero() && now.After(c.Expires) {
		return ErrExpired
	}
	return nil
}

// Keys signs and verifies links. It is safe for concurrent use.
type Keys struct{ signing []key } // the first signs; all verify

// key signs links. Tokens begin with its id, so that Verify need not try every key.
type key struct {
	id   byte
	code code
}

// linkCodeSize is the length of the code in a link: 128 bits, as RFC 2104, section 5 allows.
const linkCodeSize = 16

// NewKeys returns keys made from a secret of at least 16 random bytes. To rotate, pass the new
// secret first and the older ones after it, newest to oldest: these still verify the links in
// mails that were sent.
func NewKeys(secret []byte, older ...[]byte) Keys {
	var keys Keys
	for _, s := range append([][]byte{secret}, older...) {
		keys.signing = append(keys.signing, key{id: derive(s, "key id")[0], code: newCode(derive(s, "token"))})
	}
	return keys
}

// Sign returns a token that never expires.
func (k Keys) Sign(purpose Purpose, person uuid.UUID, digest, edition string) string {
	return k.Token(Claim{Purpose: purpose, Person: PersonOf(person), Digest: digest, Edition: edition})
}

// SignUntil returns a token that expires.
func (k Keys) SignUntil(purpose Purpose, person uuid.UUID, digest string, expires time.Time) string {
	return k.Token(Claim{Purpose: purpose, Person: PersonOf(person), Digest: digest, Expires: expires})
}

// SignConfirm returns the token of a confirmation link, which expires after ConfirmFor.
func (k Keys) SignConfirm(person uuid.UUID, digest string, now time.Time) string {
	return k.SignUntil(Confirm, person, digest, now.Add(ConfirmFor))
}

// SignProof returns the token with which one editor decides on one draft until it expires. bound
// is what the link depends on besides, such as the editor's address: if that changes, the claim no
// longer matches.
func (k Keys) SignProof(editor int64, bound, edition string, expires time.Time) string {
	return k.Token(Claim{Purpose: Proof, Person: Person{Row: editor}, Digest: boundHash(bound), Edition: edition, Expires: expires})
}

// CheckProof returns ErrInvalid if a claim of SignProof was bound to something else or is for another
// purpose, and ErrExpired if it has expired.
func (c Claim) CheckProof(bound string, now time.Time) error {
	if err := c.Check(Proof, now); err != nil {
		return err
	}
	if !hmac.Equal([]byte(c.Digest), []byte(boundHash(bound))) {
		return ErrInvalid
	}
	return nil
}

// boundHash returns a short hash. 72 bits are enough, since the token is signed.
func boundHash(bound string) string {
	sum := sha256.Sum256([]byte("tidings proof\x00" + bound))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

// Token returns the token of a claim, in base64url without padding, so that it can be used in a
// path. The same claim gives the same token.
func (k Keys) Token(c Claim) string {
	signing := k.signing[0]
	var buf [160]byte
	body := encodeClaim(append(buf[:0], signing.id), c)
	return base64.RawURLEncoding.EncodeToString(signing.code.sum(body, linkCodeSize, body))
}

// Verify returns the claim of a token, or ErrInvalid. The caller must call Claim.Check for the
// purpose and expiry.
func (k Keys) Verify(token string) (Claim, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) < 1+linkCodeSize || hasLineBreak(token) {
		return Claim{}, ErrInvalid
	}
	body, mac := raw[:len(raw)-linkCodeSize], raw[len(raw)-linkCodeSize:]
	for _, key := range k.signing {
		if key.id == body[0] && hmac.Equal(mac, key.code.sum(nil, linkCodeSize, body)) {
			return decodeClaim(body[1:])
		}
	}
	return Claim{}, ErrInvalid
}
