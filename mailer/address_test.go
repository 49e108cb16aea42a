package mailer

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/tidings-press/tidings/internal/token"
)

var testSecret = []byte("0123456789abcdef0123456789abcdef")

func testPaths(t testing.TB, domain string) *SignedAddresses {
	t.Helper()
	paths, err := NewSignedAddresses(testSecret, domain)
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

func TestSignedAddressesRoundTrip(t *testing.T) {
	t.Parallel()
	paths := testPaths(t, "bücher.example")
	id := DeliveryID{Edition: "0b29a4c6-95b2-4a3e-8d0f-0a6f6f1d2c3b", Person: token.PersonOf(uuid.New())}
	for purpose, address := range map[Purpose]string{
		PurposeReturnPath: paths.ReturnPath(id), PurposeUnsubscribe: paths.Unsubscribe(id), PurposeMessageID: paths.MessageID(id),
	} {
		if !strings.HasSuffix(address, "@xn--bcher-kva.example") {
			t.Errorf("address %s", address)
		}
		for _, form := range []string{address, "<" + address + ">", strings.ToUpper(address), " <" + address + ">\t"} {
			gotPurpose, got, err := paths.Parse(form)
			if err != nil || got != id || gotPurpose != purpose {
				t.Errorf("%s gives %c %+v (%v), want %c %+v", form, gotPurpose, got, err, purpose, id)
			}
		}
	}
}

func TestForgedAddressesAreRefused(t *testing.T) {
	t.Parallel()
	paths := testPaths(t, "example.org")
	id := DeliveryID{Edition: "0b29a4c6-95b2-4a3e-8d0f-0a6f6f1d2c3b", Person: token.PersonOf(uuid.New())}
	good := paths.ReturnPath(id)
	other, err := NewSignedAddresses([]byte("another secret of enough octets!"), "example.org")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{
		"", "@", "b-@example.org", "b-aaaa@example.org", "u" + good[1:], "m" + good[1:], "bounce@example.org",
		other.ReturnPath(id), "b-" + strings.Repeat("a", 500) + "@example.org", "b-" + good,
	} {
		if _, _, err := paths.Parse(s); !errors.Is(err, token.ErrNotOurs) {
			t.Errorf("%q: %v, want %v", s, err, token.ErrNotOurs)
		}
	}
}

func TestSignedAddressesRefuseBadDomainOrShortSecret(t *testing.T) {
	t.Parallel()
	for _, domain := range []string{"", "a b", "ex ample.org", "-"} {
		if _, err := NewSignedAddresses(testSecret, domain); err == nil {
			t.Errorf("domain %q was accepted", domain)
		}
	}
	if _, err := NewSignedAddresses([]byte("short"), "example.org"); err == nil {
		t.Error("a short secret was accepted")
	}
}

func BenchmarkReturnPath(b *testing.B) {
	paths := testPaths(b, "example.org")
	id := DeliveryID{Edition: "0b29a4c6-95b2-4a3e-8d0f-0a6f6f1d2c3b", Person: token.PersonOf(uuid.New())}
	for b.Loop() {
		paths.ReturnPath(id)
	}
}
