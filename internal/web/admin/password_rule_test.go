package admin

import (
	"errors"
	"strings"
	"testing"
)

func TestGuessablePasswordsAreRefused(t *testing.T) {
	t.Parallel()
	about := []string{"The Harbour Gazette", "https://news.harbour-gazette.example", "ada.brook@gazette.example", "Ada Brook"}
	for want, passwords := range map[error][]string{
		errPasswordLength:  {"", "short", "elevenchars", strings.Repeat("x", 201)},
		errPasswordRepeats: {"aaaaaaaaaaaa", "abababababab", "abcabcabcabcabc", "ääääääääääää", "123456789012", "987654321098", "abcdefghijkl", "aabbccddeeffgg", "1111 2222 3333", "!!!!!!!!!!!!!!", "a1b2a1b2a1b2a1b2", "letmeinletmein", "----________----"},
		errPasswordKnown:   {"ada.brook@gazette.example", "AdaBrookAdaBrook", "TheHarbourGazette", "harbour gazette 1", "H4rb0ur-G4z3tt3!", "ettezag ruobrah", "gazette-harbour-24", "news.harbour-gazette", "adabrook2026!"},
		errPasswordCommon:  {"password1234", "Password1234!", "P@ssw0rd2024!", "passwordpassword", "iloveyouiloveyou", "qwertyuiop[]", "q w e r t y u i o p", "1q2w3e4r5t6y", "administrator", "sunshine1234", "welcome12345", "zaq12wsxcde34rfv", "changeme1234", "football1234", "manchesterunited1", "harrypotter1997", "monkeydragonmaster"},
		nil:                {"four random words here", "correct horse battery staple", "kX9#mQ2$vL5p", "das ist mein passwort", "ветер камень лодка", "海の朝は静かで青い空がひろがる", "the tide at harbour lights up green", strings.Repeat("one more word ", 14)},
	} {
		for _, password := range passwords {
			if got := checkPassword(password, about...); !errors.Is(got, want) {
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
		if checkPassword(password, name) == nil && len([]rune(password)) < minPassword {
			t.Errorf("%q is short and taken", password)
		}
	})
}
