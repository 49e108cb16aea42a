package admin

import (
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ccojocar/zxcvbn-go"
	"golang.org/x/text/unicode/norm"

	"github.com/tidings-press/tidings/internal/words"
)

// Bounds of passwords, in characters. Length makes them strong (NIST SP 800-63B, section
// 3.1.1.2); the upper bound limits the work of hashing (OWASP ASVS 4.0.3, section 2.1.2).
const (
	minPassword = 12
	maxPassword = 128
)

// maxTypedPassword bounds what is compared with a stored password, in bytes. Earlier versions accepted
// passwords of 200 characters, of up to four bytes.
const maxTypedPassword = 800

// Requirements of passwords besides length.
const (
	minDistinct  = 5  // different characters
	minUnrelated = 8  // characters besides names that a guesser knows
	minEntropy   = 30 // bits by the estimate of zxcvbn, which knows common passwords and words
	maxEstimated = 48 // maximum length for the estimate, whose time is quadratic
)

// The errors for a refused password, as shown to the editor.
var (
	errPasswordLength  = words.Errorf("the password must have {0} to {1} characters; use four random words", minPassword, maxPassword)
	errPasswordRepeats = words.Errorf("the password repeats a few characters or is a sequence; use four random words")
	errPasswordKnown   = words.Errorf("the password is mostly the name of the site, your name or your address; use four random words")
	errPasswordCommon  = words.Errorf("the password is common or made of common words; use four random words")
)

// judgePassword returns how strong a new password is, in bits, or an error if it is too weak.
func (h *Handler) judgePassword(password, name, email string) (bits float64, err error) {
	return judgePassword(password, h.config.Site.Title.String(), h.config.Site.URL, name, email)
}

// checkPassword returns an error if a new password is too weak.
func (h *Handler) checkPassword(password, name, email string) error {
	_, err := h.judgePassword(password, name, email)
	return err
}

// judgePassword refuses passwords that are easy to guess (NIST SP 800-63B, section 3.1.1.2):
// common ones, repetitions, sequences, and those made of the names in about, which a guesser
// knows. It returns the bits of the others by the estimate of zxcvbn. Several spaces count as one
// character for the least length (OWASP ASVS 4.0.3, section 2.1.1), and are all part of the password.
func judgePassword(password string, about ...string) (bits float64, err error) {
	if utf8.RuneCountInString(strings.Join(strings.Fields(password), " ")) < minPassword || utf8.RuneCountInString(password) > maxPassword {
		return 0, errPasswordLength
	}
	plain := letters(password)
	if len(plain) < minUnrelated && isASCII(password) { // hardly more than punctuation
		return 0, errPasswordRepeats
	}
	if repeats(fold(password)) || repeats(plain) {
		return 0, errPasswordRepeats
	}
	names := namesOf(about)
	for _, form := range [][]rune{plain, letters(unleet(fold(password)))} {
		if left := countWithout(form, names); left < len(form) && left < minUnrelated {
			return 0, errPasswordKnown
		}
	}
	bits = math.Inf(1)
	for _, form := range []string{string(fold(password)), string(plain)} {
		bits = min(bits, zxcvbn.PasswordStrength(firstRunes(form, maxEstimated), names).Entropy)
	}
	if bits < minEntropy {
		return 0, errPasswordCommon
	}
	return bits, nil
}

// fold returns a text in lower case, with compatibility characters normalized: guessers try
// these differences anyway.
func fold(s string) []rune { return []rune(strings.ToLower(norm.NFKC.String(s))) }

// letters returns the folded letters and digits of a text.
func letters[T string | []rune](s T) []rune {
	return slices.DeleteFunc(fold(string(s)), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII })
}

func firstRunes(s string, n int) string {
	runes := []rune(s)
	return string(runes[:min(n, len(runes))])
}

// unleet replaces digits and symbols with the letters that they stand for (leetspeak).
func unleet(s []rune) []rune {
	signs := map[rune]rune{'@': 'a', '4': 'a', '3': 'e', '1': 'i', '!': 'i', '0': 'o', '$': 's', '5': 's', '7': 't'}
	out := slices.Clone(s)
	for i, r := range out {
		if letter, is := signs[r]; is {
			out[i] = letter
		}
	}
	return out
}

// repeats reports whether a text has few different characters, repeats a short part, or
// is mostly a sequence of the alphabet or the digits.
func repeats(s []rune) bool {
	if len(s) == 0 {
		return false
	}
	different := map[rune]bool{}
	steps := 0
	for i, r := range s {
		different[r] = true
		if i > 0 && adjacent(s[i-1], r) {
			steps++
		}
	}
	return len(different) < minDistinct || 5*steps > 3*(len(s)-1) || period(s) < minUnrelated
}

// adjacent reports whether two characters are the same or neighbours in a sequence, such as 9
// and 0.
func adjacent(a, b rune) bool {
	return b-a >= -1 && b-a <= 1 || a == '9' && b == '0' || a == '0' && b == '9'
}

// period returns the length of the shortest part whose repetition is the text. If there is
// none, it returns the text's length, but at least minUnrelated.
func period(s []rune) int {
	for p := 1; p <= len(s)/2; p++ {
		if slices.Equal(s[p:], s[:len(s)-p]) {
			return p
		}
	}
	return max(len(s), minUnrelated)
}

// namesOf returns each text and its words, forwards and backwards, the longest first.
func namesOf(about []string) (names []string) {
	add := func(word []rune) {
		if len(word) < 3 {
			return
		}
		backwards := slices.Clone(word)
		slices.Reverse(backwards)
		names = append(names, string(word), string(backwards))
	}
	for _, text := range about {
		add(letters(text))
		for _, word := range strings.FieldsFunc(string(fold(text)), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
			add([]rune(word))
		}
	}
	slices.SortStableFunc(names, func(a, b string) int { return len(b) - len(a) })
	return slices.Compact(names)
}

// countWithout returns the number of characters of a text without the names in it.
func countWithout(s []rune, names []string) int {
	text := string(s)
	for _, name := range names {
		text = strings.ReplaceAll(text, name, "")
	}
	return utf8.RuneCountInString(text)
}
