package mailer

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

const (
	headerLine = 78  // RFC 5322, section 2.1.1
	wordMax    = 75  // of an encoded word, RFC 2047, section 2
	tokenMax   = 600 // of a value that cannot be folded; with
	staticMax  = 380 // of the text beside it no line passes 998 octets
)

// appendText appends the value of an unstructured header, folded, as encoded words
// (RFC 2047) where it is more than plain words. It starts at the column given.
func appendText(dst []byte, column int, text string) []byte {
	text = singleLine(text)
	if !isPlainText(text) {
		return appendEncodedWords(dst, column, text)
	}
	return appendFolded(dst, column, text)
}

// appendPhrase appends a display name: as it is when it is made of atoms, else
// as a quoted string, or as encoded words when it is not ASCII (RFC 5322, section
// 3.2.5).
func appendPhrase(dst []byte, column int, text string) []byte {
	text = singleLine(text)
	switch {
	case text == "":
		return dst
	case !isPlainText(text):
		return appendEncodedWords(dst, column, text)
	case !strings.ContainsFunc(text, func(r rune) bool { return !atomText(r) && r != ' ' }):
		return appendFolded(dst, column, text)
	}
	return appendFolded(dst, column, `"`+quoteEscapes.Replace(text)+`"`)
}

var quoteEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

func atomText(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' ||
		strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", r)
}

// singleLine makes text fit for a header: valid UTF-8, without line breaks and
// other control characters, and without space around it.
func singleLine(text string) string {
	if isSingleLine(text) {
		return text
	}
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
	return strings.Trim(text, " ")
}

// isSingleLine is the common case of oneLine.
func isSingleLine(text string) bool {
	for i := 0; i < len(text); i++ {
		if text[i] < ' ' || text[i] >= 0x7f {
			return false
		}
	}
	return text == "" || text[0] != ' ' && text[len(text)-1] != ' '
}

// isPlainText says whether text can stand in a header as it is: printable ASCII
// words of bearable length, parted by single spaces, that nobody takes for
// encoded words.
func isPlainText(text string) bool {
	run := 0
	for i := 0; i < len(text); i++ {
		switch b := text[i]; {
		case b < ' ' || b >= 0x7f:
			return false
		case b == ' ' && i > 0 && text[i-1] == ' ':
			return false
		case b == ' ':
			run = 0
		default:
			run++
		}
		if run > wordMax-5 {
			return false
		}
	}
	return !strings.Contains(text, "=?")
}

// appendFolded breaks lines before the space that leads to a word past the
// limit.
func appendFolded(dst []byte, column int, text string) []byte {
	for first := true; text != "" || first; first = false {
		word, rest, _ := strings.Cut(text, " ")
		if !first {
			if column+1+len(word) > headerLine {
				dst = append(dst, "\r\n"...)
				column = 0
			}
			dst = append(dst, ' ')
			column++
		}
		dst = append(dst, word...)
		column += len(word)
		text = rest
	}
	return dst
}

// appendEncodedWords appends text as encoded words, each whole runes, one a line.
func appendEncodedWords(dst []byte, column int, text string) []byte {
	base := isShorterInBase64(text)
	for text != "" {
		room := min(wordMax, max(headerLine-column, 25))
		n := encodedWordFits(text, base, room-len("=?utf-8?q??="))
		dst = appendEncodedWord(dst, text[:n], base)
		if text = text[n:]; text != "" {
			dst = append(dst, "\r\n "...)
			column = 1
		}
	}
	return dst
}

// isShorterInBase64 says which of the two encodings is the shorter.
func isShorterInBase64(text string) bool {
	n := 0
	for i := 0; i < len(text); i++ {
		if !isEncodedWordSafe(text[i]) {
			n++
		}
	}
	return n*6 > len(text)
}

// encodedWordFits is the length of the longest start of text that fits the room.
func encodedWordFits(text string, base bool, room int) int {
	n, width := 0, 0
	for n < len(text) {
		_, size := utf8.DecodeRuneInString(text[n:])
		if base {
			width = base64.StdEncoding.EncodedLen(n + size)
		} else {
			width += encodedWordWidth(text[n : n+size])
		}
		if width > room && n > 0 {
			break
		}
		n += size
	}
	return n
}

func encodedWordWidth(s string) int {
	width := 0
	for i := 0; i < len(s); i++ {
		if isEncodedWordSafe(s[i]) {
			width++
		} else {
			width += 3
		}
	}
	return width
}

func appendEncodedWord(dst []byte, text string, base bool) []byte {
	if base {
		dst = append(dst, "=?utf-8?b?"...)
		dst = base64.StdEncoding.AppendEncode(dst, []byte(text))
		return append(dst, "?="...)
	}
	dst = append(dst, "=?utf-8?q?"...)
	for i := 0; i < len(text); i++ {
		switch b := text[i]; {
		case b == ' ':
			dst = append(dst, '_')
		case isEncodedWordSafe(b):
			dst = append(dst, b)
		default:
			dst = append(dst, '=', hexDigits[b>>4], hexDigits[b&15])
		}
	}
	return append(dst, "?="...)
}

// isEncodedWordSafe has what may stand in an encoded word anywhere, in a phrase too (RFC
// 2047, section 5, rule 3).
func isEncodedWordSafe(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' ||
		b == ' ' || b == '!' || b == '*' || b == '+' || b == '-' || b == '/'
}
