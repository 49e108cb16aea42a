package admin

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
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
	// Stored hashes must stay readable, and the production cost is documented.
	if got := formatHash(productionCost, []byte("salt"), []byte("key")); got != "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$a2V5" {
		t.Errorf("the hash of production is %s", got)
	}
}

// TestSaltsOfPasswordsAreRandom looks at the salts of some hashes of one password.
func TestSaltsOfPasswordsAreRandom(t *testing.T) {
	t.Parallel()
	h := &Handler{hashing: make(chan struct{}, 2)}
	seen := map[string]bool{}
	for range 8 {
		hash, err := h.hash(t.Context(), "four random words here")
		if err != nil {
			t.Fatal(err)
		}
		_, salt, _, err := parseHash(hash)
		if err != nil || len(salt) < 16 {
			t.Errorf("a salt of %d bytes, %v", len(salt), err)
		}
		seen[string(salt)] = true
	}
	if len(seen) != 8 {
		t.Errorf("eight hashes have %d salts", len(seen))
	}
}

// TestPasswordFieldsAreOpenToManagers checks that password managers find each field of a password, and that
// nothing hinders them or the clipboard.
func TestPasswordFieldsAreOpenToManagers(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob("pages/*.html")
	if err != nil {
		t.Fatal(err)
	}
	fields := 0
	for _, page := range pages {
		data, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, field := range regexp.MustCompile(`<input type="password"[^>]*>`).FindAllString(string(data), -1) {
			if fields++; !regexp.MustCompile(` autocomplete="(current|new)-password"`).MatchString(field) || strings.Contains(field, "maxlength") {
				t.Errorf("%s: %s", page, field)
			}
		}
		if strings.Contains(string(data), "onpaste") {
			t.Errorf("%s hinders the clipboard", page)
		}
	}
	if fields < 6 {
		t.Errorf("%d fields were found", fields)
	}
	script, err := os.ReadFile("../assets/password.js")
	if err != nil || regexp.MustCompile(`paste|keydown|preventDefault`).Match(script) {
		t.Errorf("the script of passwords handles keys or the clipboard, %v", err)
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
			t.Skip("may take seconds")
		}
		if ok, _ := h.matches(t.Context(), hash, "any password"); ok {
			t.Errorf("%q matches", hash)
		}
	})
}

func TestGuessablePasswordsAreRefused(t *testing.T) {
	t.Parallel()
	about := []string{"The Harbour Gazette", "https://news.harbour-gazette.example", "ada.brook@gazette.example", "Ada Brook"}
	for want, passwords := range map[error][]string{
		errPasswordLength:  {"", "short", "elevenchars", "tide    rope", "   tide rope   ", strings.Repeat("kX9#mQ2$vL5p", 11)[:129]},
		errPasswordRepeats: {"aaaaaaaaaaaa", "abababababab", "abcabcabcabcabc", "ääääääääääää", "123456789012", "987654321098", "abcdefghijkl", "aabbccddeeffgg", "1111 2222 3333", "!!!!!!!!!!!!!!", "a1b2a1b2a1b2a1b2", "letmeinletmein", "----________----"},
		errPasswordKnown:   {"ada.brook@gazette.example", "AdaBrookAdaBrook", "TheHarbourGazette", "harbour gazette 1", "H4rb0ur-G4z3tt3!", "ettezag ruobrah", "gazette-harbour-24", "news.harbour-gazette", "adabrook2026!"},
		errPasswordCommon:  {"password1234", "Password1234!", "P@ssw0rd2024!", "passwordpassword", "iloveyouiloveyou", "qwertyuiop[]", "q w e r t y u i o p", "1q2w3e4r5t6y", "administrator", "sunshine1234", "welcome12345", "zaq12wsxcde34rfv", "changeme1234", "football1234", "manchesterunited1", "harrypotter1997", "monkeydragonmaster"},
		nil:                {"four random words here", "correct horse battery staple", "kX9#mQ2$vL5p", "das ist mein passwort", "ветер камень лодка", "海の朝は静かで青い空がひろがる", "the tide at harbour lights up green", strings.Repeat("kX9#mQ2$vL5p", 11)[:128]},
	} {
		for _, password := range passwords {
			if _, got := judgePassword(password, about...); !errors.Is(got, want) {
				t.Errorf("%q: %v, want %v", password, got, want)
			}
		}
	}
}

func FuzzPasswordRule(f *testing.F) {
	f.Add("four random words here", "Ada")
	f.Add(strings.Repeat("4@83$1!0", 25), "")
	f.Add("\xff\xfe", "\xff")
	f.Fuzz(func(t *testing.T, password, name string) {
		if _, err := judgePassword(password, name); err == nil && len([]rune(password)) < minPassword {
			t.Errorf("%q is too short, but accepted", password)
		}
	})
}
