package store

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
)

// newToken makes an unguessable token, fit for a URL, and the hash that is kept of
// it. It has 256 random bits, so that a plain hash is enough.
func newToken() (token string, hash []byte) {
	var secret [32]byte
	rand.Read(secret[:])
	token = base64.RawURLEncoding.EncodeToString(secret[:])
	return token, hashToken(token)
}

func hashToken(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}
