package admin

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ccojocar/zxcvbn-go"
	"golang.org/x/text/unicode/norm"
)

// Bounds of passwords, in characters. Length is what makes them strong (NIST SP
// 800-63B, section 3.1.1.2); the upper one bounds work.
const (
	minPassword = 12
	maxPassword = 200
)

// What a password must be besides long.
const (
	minDistinct = 5  // different characters
	minOwn      = 8  // characters that are not of names that a guesser knows
	minBits     = 30 // by the estimate of zxcvbn, which knows common passwords and words
	estimated   = 48 // characters that the estimate looks at, whose work grows with their square
)

// Why a new password is refused. They are said to whoever chooses one.
var (
	errPasswordLength  = fmt.Errorf("the password must have %d to %d characters; four random words are good", minPassword, maxPassword)
	errPasswordRepeats = errors.New("the password repeats few characters, or runs along the alphabet or the digits; choose four random words")
	errPasswordKnown   = errors.New("the password is mostly the name of the site, or your name or address, which is tried first; choose four random words")
	errPasswordCommon  = errors.New("the password is too easy to guess: it is among the common ones, or made of them; choose four random words")
)

// checkPassword refuses what a guesser tries early (NIST SP 800-63B, section 3.1.1.2):
// passwords in common use, repetitions and sequences, and what they know of the site
// and the person, which about says.
func checkPassword(password string, about ...string) error {
	if n := utf8.RuneCountInString(password); n < minPassword || n > maxPassword {
		return errPasswordLength
	}
	plain := letters(password)
	if len(plain) < minOwn && asciiOnly(password) { // nothing but punctuation
		return errPasswordRepeats
	}
	if repeats(fold(password)) || repeats(plain) {
		return errPasswordRepeats
	}
	names := namesOf(about)
	for _, form := range [][]rune{plain, letters(unleet(fold(password)))} {
		if left := without(form, names); left < len(form) && left < minOwn {
			return errPasswordKnown
		}
	}
	for _, form := range []string{string(fold(password)), string(plain)} {
		if zxcvbn.PasswordStrength(firstRunes(form, estimated), names).Entropy < minBits {
			return errPasswordCommon
		}
	}
	return nil
}

// fold takes away what a guesser does not tell apart: case, and forms of one letter.
func fold(s string) []rune { return []rune(strings.ToLower(norm.NFKC.String(s))) }

// letters is a folded text without spaces and punctuation.
func letters[T string | []rune](s T) []rune {
	return slices.DeleteFunc(fold(string(s)), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

func asciiOnly(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII })
}

func firstRunes(s string, n int) string {
	runes := []rune(s)
	return string(runes[:min(n, len(runes))])
}

// unleet writes letters for the signs that stand for them.
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

// repeats reports whether a text has few different characters, is a short piece again
// and again, or mostly runs along the alphabet or the digits.
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
	return len(different) < minDistinct || 5*steps > 3*(len(s)-1) || period(s) < minOwn
}

// adjacent reports whether two characters are the same or next to each other, as 9 and
// 0 are.
func adjacent(a, b rune) bool {
	return b-a >= -1 && b-a <= 1 || a == '9' && b == '0' || a == '0' && b == '9'
}

// period is the length of the shortest piece that a text repeats at least twice; the
// text's own length when there is none.
func period(s []rune) int {
	for p := 1; p <= len(s)/2; p++ {
		if slices.Equal(s[p:], s[:len(s)-p]) {
			return p
		}
	}
	return max(len(s), minOwn)
}

// namesOf are the words of what a guesser knows, and each as a whole, with the longest
// first, backwards too.
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

// without counts the characters of a text that are left without some names.
func without(s []rune, names []string) int {
	text := string(s)
	for _, name := range names {
		text = strings.ReplaceAll(text, name, "")
	}
	return utf8.RuneCountInString(text)
}
