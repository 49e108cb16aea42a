package subscriber

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"time"
)

// Purpose is what a token is good for. A token for one purpose opens nothing else.
type Purpose byte

// The purposes of tokens. Their values stand in mails that were sent: they never change.
const (
	Confirm     Purpose = 1 // the double opt-in link; expires
	Unsubscribe Purpose = 2
	Preferences Purpose = 3
	WebEdition  Purpose = 4
	Feed        Purpose = 5 // the private feed of a subscriber
)

// ConfirmFor is how long a confirmation link is good.
const ConfirmFor = 30 * 24 * time.Hour

// Errors of tokens, for errors.Is.
var (
	ErrToken   = errors.New("this link is not one of ours, or was cut short; right would be the whole link from the mail")
	ErrExpired = errors.New("this link has expired; right would be to subscribe again")
)

// Claim is what a token says.
type Claim struct {
	Purpose    Purpose
	Subscriber int64
	Digest     string
	Edition    string
	Expires    time.Time // seconds; zero for never
}

// Check says whether the claim is good for a purpose now: ErrToken or ErrExpired.
func (c Claim) Check(purpose Purpose, now time.Time) error {
	if c.Purpose != purpose {
		return ErrToken
	}
	if !c.Expires.IsZero() && now.After(c.Expires) {
		return ErrExpired
	}
	return nil
}

// Keys makes and checks the tokens in links, and hashes suppressed addresses. It
// is safe for concurrent use.
type Keys struct {
	signing     []key  // the first signs; all verify
	suppression []byte // from the oldest secret
}

// key signs tokens. Its id stands in them, so that one key is tried and not all.
type key struct {
	id  byte
	mac []byte
}

// macSize is what a token carries of its HMAC-SHA256: 128 bits, as RFC 2104 section 5 allows.
const macSize = 16

// NewKeys makes keys from a secret of at least 16 random bytes. To rotate, put
// the new secret first and keep the older ones, newest to oldest: they still
// verify the links in mails that were sent, and suppression hashes come from the
// oldest for ever.
func NewKeys(secret []byte, older ...[]byte) Keys {
	keys := Keys{suppression: derive(secret, "suppression")}
	for _, s := range append([][]byte{secret}, older...) {
		keys.signing = append(keys.signing, key{id: derive(s, "key id")[0], mac: derive(s, "token")})
		keys.suppression = derive(s, "suppression")
	}
	return keys
}

// derive makes one key per job from a secret, so that what one job reveals is no use for another.
func derive(secret []byte, job string) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("tidings " + job))
	return mac.Sum(nil)
}

// Sign makes a token that never expires.
func (k Keys) Sign(purpose Purpose, subscriber int64, digest, edition string) string {
	return k.Token(Claim{Purpose: purpose, Subscriber: subscriber, Digest: digest, Edition: edition})
}

// SignConfirm makes the token of a confirmation link, good for ConfirmFor.
func (k Keys) SignConfirm(subscriber int64, digest string, now time.Time) string {
	return k.Token(Claim{Purpose: Confirm, Subscriber: subscriber, Digest: digest, Expires: now.Add(ConfirmFor)})
}

// Token makes the token of a claim: base64url without padding, safe in a path. The
// same claim gives the same token.
func (k Keys) Token(c Claim) string {
	signing := k.signing[0]
	var room [128]byte
	body := encodeClaim(append(room[:0], signing.id), c)
	return base64.RawURLEncoding.EncodeToString(append(body, signing.sum(body)...))
}

// Verify reads a token and gives its claim, or ErrToken. The caller asks Claim.Check
// whether it is good for what is wanted.
func (k Keys) Verify(token string) (Claim, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) < 1+macSize {
		return Claim{}, ErrToken
	}
	body, mac := raw[:len(raw)-macSize], raw[len(raw)-macSize:]
	for _, key := range k.signing {
		if key.id == body[0] && hmac.Equal(mac, key.sum(body)) {
			return decodeClaim(body[1:])
		}
	}
	return Claim{}, ErrToken
}

func (k key) sum(body []byte) []byte {
	mac := hmac.New(sha256.New, k.mac)
	mac.Write(body)
	return mac.Sum(nil)[:macSize]
}

// SuppressionHash is what is kept of a suppressed address: 32 bytes that only the
// holder of the oldest secret can make, equal for all spellings of a mailbox. It
// survives erasure without keeping the address itself.
func (k Keys) SuppressionHash(a Address) []byte {
	mac := hmac.New(sha256.New, k.suppression)
	mac.Write([]byte(a.Key()))
	return mac.Sum(nil)
}
