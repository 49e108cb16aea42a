package admin

import (
	"strings"
	"testing"
	"time"
)

func TestPasswordsMatchTheirHashAlone(t *testing.T) {
	t.Parallel()
	room := &Room{hashing: make(chan struct{}, 2)}
	one, err := room.hash(t.Context(), "four random words here")
	if err != nil {
		t.Fatal(err)
	}
	two, err := room.hash(t.Context(), "four random words here")
	if err != nil || one == two {
		t.Fatalf("two hashes of one password: %s, %s, %v", one, two, err)
	}
	for password, want := range map[string]bool{"four random words here": true, "four random words her": false, "": false} {
		if ok, err := room.matches(t.Context(), one, password); ok != want || err != nil {
			t.Errorf("%q matches: %v, %v", password, ok, err)
		}
	}
	if ok, err := room.matches(t.Context(), nobody, "nobody has this password, ever!!"); ok || err != nil {
		t.Errorf("the hash of nobody matches: %v, %v", ok, err)
	}
}

func FuzzHashesThatAreDamagedMatchNothing(f *testing.F) {
	f.Add("")
	f.Add("$argon2id$v=19$m=19456,t=2,p=1$$")
	f.Add("$argon2id$v=19$m=4294967295,t=4294967295,p=255$YWFh$YWFh")
	f.Add("$argon2id$v=19$m=0,t=1,p=1$YWFh$YWFh")
	f.Add("$2a$10$abcdefghijklmnopqrstuv")
	room := &Room{hashing: make(chan struct{}, 2)}
	f.Fuzz(func(t *testing.T, hash string) {
		if strings.Count(hash, "$") == 5 && len(hash) > 80 {
			t.Skip("may be work for seconds")
		}
		if ok, _ := room.matches(t.Context(), hash, "any password"); ok {
			t.Errorf("%q matches", hash)
		}
	})
}

func FuzzTheWayBackStaysInTheRoom(f *testing.F) {
	for _, seed := range []string{"/room/", "//evil.example", "/room/../", `/room/\evil`, "/room/%2e%2e/", "/room/articles\r\nX: y"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		if got := local(path); !strings.HasPrefix(got, "/room/") || strings.Contains(got, "//") || strings.ContainsAny(got, "\\\r\n") {
			t.Errorf("%q leads to %q", path, got)
		}
	})
}

func TestTimesAreSaidAsPeopleDo(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "1 second", time.Second: "1 second", 90 * time.Second: "90 seconds", 5 * time.Minute: "5 minutes", 3 * time.Hour: "3 hours",
		50 * time.Hour: "2 days", 2000 * 24 * time.Hour: "2,000 days",
	} {
		if got := long(d); got != want {
			t.Errorf("%s is said as %q, want %q", d, got, want)
		}
	}
	if until(-time.Second) != "now" || until(time.Hour) != "in 60 minutes" || ago(time.Second) != "just now" || ago(time.Hour) != "60 minutes ago" {
		t.Error("before and after are mixed up")
	}
	if many(1, "reader", "readers") != "1 reader" || many(int64(1204), "reader", "readers") != "1,204 readers" || share(1, 0) != "0 %" || share(1, 3) != "33 %" {
		t.Error("numbers are said wrongly")
	}
}
