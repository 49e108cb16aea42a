package mailer

import (
	"errors"
	"math"
	"strings"
	"testing"
)

var testSecret = []byte("0123456789abcdef0123456789abcdef")

func testPaths(t testing.TB, domain string) *Paths {
	t.Helper()
	paths, err := NewPaths(testSecret, domain)
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

func TestPathsComeBack(t *testing.T) {
	t.Parallel()
	paths := testPaths(t, "bücher.example")
	for _, id := range []ID{
		{"0b29a4c6-95b2-4a3e-8d0f-0a6f6f1d2c3b", 1}, {"0b29a4c6-95b2-4a3e-8d0f-0a6f6f1d2c3b", math.MaxInt64},
		{"", 77}, {"short", 300}, {"0B29A4C6-95B2-4A3E-8D0F", 5},
	} {
		for purpose, address := range map[Purpose]string{
			Bounce: paths.ReturnPath(id), Unsubscribe: paths.Unsubscribe(id), MessageID: paths.MessageID(id),
		} {
			if local, _, _ := strings.Cut(address, "@"); len(local) > 64 || !strings.HasSuffix(address, "@xn--bcher-kva.example") {
				t.Errorf("address %s of %d octets", address, len(local))
			}
			for _, form := range []string{address, "<" + address + ">", strings.ToUpper(address)} {
				gotPurpose, got, err := paths.Parse(form)
				if err != nil || got != id || gotPurpose != purpose {
					t.Errorf("%s gives %c %+v (%v), want %c %+v", form, gotPurpose, got, err, purpose, id)
				}
			}
		}
	}
}

func TestForgedPathsAreNotOurs(t *testing.T) {
	t.Parallel()
	paths := testPaths(t, "example.org")
	good := paths.ReturnPath(ID{"0b29a4c6-95b2-4a3e-8d0f-0a6f6f1d2c3b", 12})
	other, err := NewPaths([]byte("another secret of enough octets!"), "example.org")
	if err != nil {
		t.Fatal(err)
	}
	forged := []string{
		"", "@", "b-@example.org", "b-aaaa@example.org", "u" + good[1:], "m" + good[1:], "bounce@example.org",
		other.ReturnPath(ID{"", 12}), "b-" + strings.Repeat("a", 500) + "@example.org", "b-" + good,
	}
	for i := 2; i < strings.IndexByte(good, '@')-1; i++ { // the last letter has spare bits
		c := byte('a')
		if good[i] == 'a' {
			c = 'b'
		}
		forged = append(forged, good[:i]+string(c)+good[i+1:])
	}
	for _, s := range forged {
		if _, _, err := paths.Parse(s); !errors.Is(err, ErrNotOurs) {
			t.Errorf("%q: %v, want %v", s, err, ErrNotOurs)
		}
	}
}

func TestPathsRefuseWhatIsNoDomainOrSecret(t *testing.T) {
	t.Parallel()
	for _, domain := range []string{"", "a b", "ex ample.org", "-"} {
		if _, err := NewPaths(testSecret, domain); err == nil {
			t.Errorf("domain %q was taken", domain)
		}
	}
	if _, err := NewPaths([]byte("short"), "example.org"); err == nil {
		t.Error("a short secret was taken")
	}
}

func FuzzParsePath(f *testing.F) {
	paths := testPaths(f, "example.org")
	f.Add(paths.ReturnPath(ID{"0b29a4c6-95b2-4a3e-8d0f-0a6f6f1d2c3b", 12}))
	f.Add("b-@x")
	f.Fuzz(func(t *testing.T, s string) {
		if purpose, id, err := paths.Parse(s); err == nil {
			if again, got, err := paths.Parse(paths.address(purpose, id)); err != nil || got != id || again != purpose {
				t.Errorf("%q gives %c %+v, which comes back as %c %+v (%v)", s, purpose, id, again, got, err)
			}
		}
		_, _ = decodeID(append([]byte{2}, s...))
	})
}

func BenchmarkReturnPath(b *testing.B) {
	paths := testPaths(b, "example.org")
	for b.Loop() {
		paths.ReturnPath(ID{"0b29a4c6-95b2-4a3e-8d0f-0a6f6f1d2c3b", 12345})
	}
}
