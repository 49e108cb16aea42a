package subscriber

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// parseLocal parses the local part of an address. It returns its canonical form, or what is
// wrong and what is expected.
func parseLocal(s string) (local, what, expected string) {
	if s == "" {
		return "", "there is nothing before the @", "something like ada@example.org"
	}
	if s[0] == '"' {
		return parseQuoted(s)
	}
	if !isASCII(s) {
		s = norm.NFC.String(s)
	}
	if what, expected := checkAtom(s); what != "" {
		return "", what, expected
	}
	return limitLocal(s)
}

// checkAtom returns what is wrong with a dot-atom (Dot-string of RFC 5321, section 4.1.2, with
// UTF-8 as RFC 6531 allows it), or empty strings.
func checkAtom(s string) (what, expected string) {
	if s[0] == '.' || s[len(s)-1] == '.' || strings.Contains(s, "..") {
		return "a dot is first, last or doubled before the @", "single dots between letters"
	}
	for _, r := range s {
		if r != '.' && !atomRune(r) {
			return describeRune(r), "letters, digits and single dots before the @, with nothing around the address"
		}
	}
	return "", ""
}

// atext are the ASCII characters of an atom (RFC 5322 section 3.2.3).
var atext = func() (table [128]bool) {
	for _, c := range "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-/=?^_`{|}~" {
		table[c] = true
	}
	return table
}()

func atomRune(r rune) bool {
	if r < utf8.RuneSelf {
		return atext[r]
	}
	return graphic(r)
}

// parseQuoted parses a quoted local part. Quotes that are not needed are removed, so that
// "ada"@example.org and ada@example.org are equal.
func parseQuoted(s string) (local, what, expected string) {
	const example = `"two words"@example.org, or an address without quotes`
	if len(s) < 2 || s[len(s)-1] != '"' {
		return "", "a quote before the @ is not closed", example
	}
	var content strings.Builder
	for i := 1; i < len(s)-1; {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == '"':
			return "", "there is a quote inside the quotes before the @", example
		case r == '\\':
			i++
			r, size = utf8.DecodeRuneInString(s[i:])
			if i >= len(s)-1 || r < ' ' || r > '~' {
				return "", "a backslash before the @ escapes nothing that it may", example
			}
		case r < ' ' || r == 0x7F || r >= utf8.RuneSelf && !graphic(r):
			return "", describeRune(r), example
		}
		content.WriteRune(r)
		i += size
	}
	bare := norm.NFC.String(content.String())
	if bare == "" {
		return "", "the quotes before the @ are empty", example
	}
	if what, _ := checkAtom(bare); what == "" {
		return limitLocal(bare)
	}
	return limitLocal(`"` + quoteEscaper.Replace(bare) + `"`)
}

var quoteEscaper = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

func limitLocal(s string) (local, what, expected string) {
	if len(s) > MaxLocal {
		return "", fmt.Sprintf("%d octets are before the @", len(s)), fmt.Sprintf("at most %d", MaxLocal)
	}
	return s, "", ""
}

// describeRune describes a character that is not allowed, for messages.
func describeRune(r rune) string {
	switch {
	case r == '\r' || r == '\n':
		return "it has a line break"
	case r == ' ':
		return "it has a space"
	case r == '<' || r == '>':
		return "it has angle brackets"
	case r == '@':
		return "it has two @"
	case r < ' ' || r == 0x7F || r >= utf8.RuneSelf && !graphic(r):
		return fmt.Sprintf("it has the invisible character %U", r)
	}
	return fmt.Sprintf("it has the character %q", r)
}
