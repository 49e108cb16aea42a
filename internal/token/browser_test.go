package token_test

import (
	"errors"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/token"
)

func TestBrowserTokenIsValidForOneEditorAndPassword(t *testing.T) {
	t.Parallel()
	secret, since := []byte("secret"), time.Unix(1_790_000_000, 0)
	keys := token.NewBrowserKeys(secret, 7, "$argon2id$a")
	signed := keys.Sign(token.Browser{ID: "B1", Since: since})
	if want := "B1.1790000000.-sidgbdm3xvm5YQwGKTih4gzKvSK7wweMS1kuI8gXUg"; signed != want {
		t.Errorf("the token is %s, want %s: cookies of earlier versions must stay valid", signed, want)
	}
	if got, err := keys.Verify(signed, since.Add(token.BrowserFor)); err != nil || got.ID != "B1" || !got.Since.Equal(since) {
		t.Errorf("verified as %v, %v", got, err)
	}
	if _, err := keys.Verify(signed, since.Add(token.BrowserFor+time.Second)); !errors.Is(err, token.ErrExpired) {
		t.Errorf("an old token: %v", err)
	}
	for name, other := range map[string]token.BrowserKeys{
		"editor": token.NewBrowserKeys(secret, 8, "$argon2id$a"), "password": token.NewBrowserKeys(secret, 7, "$argon2id$b"),
		"secret": token.NewBrowserKeys([]byte("other"), 7, "$argon2id$a"),
	} {
		if _, err := other.Verify(signed, since); !errors.Is(err, token.ErrInvalid) {
			t.Errorf("with another %s: %v", name, err)
		}
	}
	for _, wrong := range []string{"", ".", "..", "B2" + signed[2:], "B1.1790000001" + signed[13:], signed + ".x", signed[:len(signed)-1]} {
		if _, err := keys.Verify(wrong, since); !errors.Is(err, token.ErrInvalid) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}
