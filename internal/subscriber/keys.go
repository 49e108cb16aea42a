package subscriber

import (
	"crypto/hmac"
	"crypto/sha256"

	"github.com/tidings-press/tidings/internal/token"
)

// Keys signs and verifies the links in mails, and hashes suppressed addresses. It is
// safe for concurrent use.
type Keys struct {
	token.Keys
	suppression []byte // from the oldest secret
}

// NewKeys makes keys from a secret of at least 16 random bytes. To rotate, put
// the new secret first and keep the older ones, newest to oldest: they still
// verify the links in mails that were sent, and suppression hashes come from the
// oldest for ever.
func NewKeys(secret []byte, older ...[]byte) Keys {
	oldest := secret
	if len(older) > 0 {
		oldest = older[len(older)-1]
	}
	mac := hmac.New(sha256.New, oldest)
	mac.Write([]byte("tidings suppression"))
	return Keys{Keys: token.NewKeys(secret, older...), suppression: mac.Sum(nil)}
}

// SuppressionHash is what is kept of a suppressed address: 32 bytes that only the
// holder of the oldest secret can make, equal for all spellings of a mailbox. It
// survives erasure without keeping the address itself.
func (k Keys) SuppressionHash(a Address) []byte {
	mac := hmac.New(sha256.New, k.suppression)
	mac.Write([]byte(a.Key()))
	return mac.Sum(nil)
}
