package subscriber

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// Masked returns the address for pages that a forwarded link opens. Its owner recognises it;
// others cannot use it. ada@mail.example.org becomes a…@m….org.
func (a Address) Masked() string {
	if a.IsZero() {
		return ""
	}
	local, domain, _ := cutLast(a.String(), "@")
	name, top, dotted := cutLast(domain, ".")
	if !dotted {
		return firstLetter(local) + "…@" + firstLetter(domain) + "…"
	}
	return firstLetter(local) + "…@" + firstLetter(name) + "…." + top
}

func cutLast(s, sep string) (before, after string, found bool) {
	at := strings.LastIndex(s, sep)
	if at < 0 {
		return s, "", false
	}
	return s[:at], s[at+len(sep):], true
}

// firstLetter is the first letter of a text, or nothing of a quoted or numeric one.
func firstLetter(s string) string {
	s = strings.TrimLeft(s, `"[`)
	_, size := utf8.DecodeRuneInString(s)
	return s[:size]
}

// Scrubbed replaces a mail address in stored text.
const Scrubbed = "[address]"

// addressLike matches everything that looks like a mail address, a quoted local part and the
// spellings of @ in URLs and web pages included. It is wider than what RFC 5321
// allows: a word too many is lost rather than an address kept.
var addressLike = regexp.MustCompile(`(?i)(?:"(?:[^"\\]|\\.)*"|[^\s<>()\[\],;:"@]+)(?:@|%40|=40|&#64;|&#x40;|\(at\)|\[at\])(?:\[[^\]\s]*\]|[\pL\pN\pM._-]+)`)

// ScrubAddresses returns a text with Scrubbed in place of everything that looks like a
// mail address. The replies of mail servers name the recipient, and others too; what is
// kept of a reply must not name a person who was erased.
func ScrubAddresses(text string) string {
	if !mayHoldAddress(text) {
		return text
	}
	return addressLike.ReplaceAllStringFunc(text, func(found string) string {
		// Of a link to a help page everything but the address is of use.
		if at := strings.Index(found, "//"); at >= 0 {
			return found[:strings.LastIndexAny(found, "/?&=")+1] + Scrubbed
		}
		return Scrubbed
	})
}

// mayHoldAddress rules out texts without an address cheaply: nearly all replies hold none.
func mayHoldAddress(text string) bool {
	return strings.ContainsRune(text, '@') || strings.Contains(text, "40") || strings.Contains(text, "64;") ||
		strings.Contains(text, "at)") || strings.Contains(text, "at]") || strings.Contains(text, "AT)") || strings.Contains(text, "AT]")
}
