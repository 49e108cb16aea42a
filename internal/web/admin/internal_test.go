package admin

import (
	"strings"
	"testing"
	"time"
)

func TestPasswordHash(t *testing.T) {
	t.Parallel()
	h := &Handler{hashing: make(chan struct{}, 2)}
	one, err := h.hash(t.Context(), "four random words here")
	if err != nil {
		t.Fatal(err)
	}
	two, err := h.hash(t.Context(), "four random words here")
	if err != nil || one == two {
		t.Fatalf("two hashes of one password: %s, %s, %v", one, two, err)
	}
	for password, want := range map[string]bool{"four random words here": true, "four random words her": false, "": false} {
		if ok, err := h.matches(t.Context(), one, password); ok != want || err != nil {
			t.Errorf("%q matches: %v, %v", password, ok, err)
		}
	}
	if cost, _, key, err := parseHash(decoyHash()); err != nil || cost != newHashCost || len(key) != hashBytes {
		t.Errorf("the decoy hash has the cost %+v and %d bytes, %v", cost, len(key), err)
	}
	// What a store keeps stays readable, and production's cost stays what the docs say.
	if got := formatHash(productionCost, []byte("salt"), []byte("key")); got != "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$a2V5" {
		t.Errorf("the hash of production is %s", got)
	}
}

func FuzzDamagedHashMatchesNothing(f *testing.F) {
	f.Add("")
	f.Add("$argon2id$v=19$m=19456,t=2,p=1$$")
	f.Add("$argon2id$v=19$m=4294967295,t=4294967295,p=255$YWFh$YWFh")
	f.Add("$argon2id$v=19$m=0,t=1,p=1$YWFh$YWFh")
	f.Add("$2a$10$abcdefghijklmnopqrstuv")
	h := &Handler{hashing: make(chan struct{}, 2)}
	f.Fuzz(func(t *testing.T, hash string) {
		if strings.Count(hash, "$") == 5 && len(hash) > 80 {
			t.Skip("may be work for seconds")
		}
		if ok, _ := h.matches(t.Context(), hash, "any password"); ok {
			t.Errorf("%q matches", hash)
		}
	})
}

func FuzzRedirectAfterSignInStaysInAdmin(f *testing.F) {
	for _, seed := range []string{"/admin/", "//evil.example", "/admin/../", `/admin/\evil`, "/admin/%2e%2e/", "/admin/articles\r\nX: y"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		if got := adminPath(path); !strings.HasPrefix(got, "/admin/") || strings.Contains(got, "//") || strings.ContainsAny(got, "\\\r\n") {
			t.Errorf("%q leads to %q", path, got)
		}
	})
}

func TestDurationsAndNumbersInWords(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "1 second", time.Second: "1 second", 90 * time.Second: "90 seconds", 5 * time.Minute: "5 minutes", 3 * time.Hour: "3 hours",
		50 * time.Hour: "2 days", 2000 * 24 * time.Hour: "2,000 days",
	} {
		if got := duration(d); got != want {
			t.Errorf("%s is written %q, want %q", d, got, want)
		}
	}
	if until(-time.Second) != "now" || until(time.Hour) != "in 60 minutes" || ago(time.Second) != "just now" || ago(time.Hour) != "60 minutes ago" {
		t.Error("wrong words for a time before or after")
	}
	if plural(1, "reader", "readers") != "1 reader" || plural(int64(1204), "reader", "readers") != "1,204 readers" || percent(1, 0) != "0 %" || percent(1, 3) != "33 %" {
		t.Error("wrong words for a number")
	}
}
