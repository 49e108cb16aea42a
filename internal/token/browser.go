package token

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// BrowserFor is the lifetime of a Browser's token: the maximum age of cookies in browsers
// (RFC 6265bis, section 5.5).
const BrowserFor = 400 * 24 * time.Hour

// maxBrowser bounds the length of a Browser's token in bytes.
const maxBrowser = 200

// Browser is a browser in which an editor has signed in, as a cookie records it.
type Browser struct {
	ID    string    // without a dot
	Since time.Time // of the sign-in, to the second
}

// BrowserKeys signs and verifies the cookies of the browsers of one editor.
type BrowserKeys struct {
	code     code
	editor   int64
	password string
}

// NewBrowserKeys returns the keys for an editor. They cover the hash of the editor's password, so a
// change of the password makes all cookies invalid.
func NewBrowserKeys(secret []byte, editor int64, passwordHash string) BrowserKeys {
	return BrowserKeys{newCode(secret), editor, passwordHash}
}

// Sign returns the token of a browser.
func (k BrowserKeys) Sign(b Browser) string {
	at := strconv.FormatInt(b.Since.Unix(), 10)
	return b.ID + "." + at + "." + k.signature(b.ID, at)
}

// Verify returns the browser that Sign was called with. The error is ErrInvalid or ErrExpired.
func (k BrowserKeys) Verify(token string, now time.Time) (Browser, error) {
	parts := strings.Split(token, ".")
	if len(token) > maxBrowser || len(parts) != 3 || !hmac.Equal([]byte(parts[2]), []byte(k.signature(parts[0], parts[1]))) {
		return Browser{}, ErrInvalid
	}
	since, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil {
		return Browser{}, ErrInvalid
	}
	b := Browser{ID: parts[0], Since: time.Unix(since, 0)}
	if now.Sub(b.Since) > BrowserFor {
		return Browser{}, ErrExpired
	}
	return b, nil
}

func (k BrowserKeys) signature(id, at string) string {
	text := fmt.Sprintf("%d\x00%s\x00%s\x00%s", k.editor, id, at, k.password)
	return base64.RawURLEncoding.EncodeToString(k.code.sum(nil, sha256.Size, []byte(text)))
}
