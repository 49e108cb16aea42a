package subscriber

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// Masked returns the address in a form that its owner recognises but others cannot use:
// ada@mail.example.org becomes a…@m….org. It is for pages that a forwarded link may open.
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

// firstLetter returns the first letter of a local part or domain, without a quote or bracket.
func firstLetter(s string) string {
	s = strings.TrimLeft(s, `"[`)
	_, size := utf8.DecodeRuneInString(s)
	return s[:size]
}

// Scrubbed is the text that replaces a mail address.
const Scrubbed = "[address]"

// addressLike matches everything that looks like a mail address, including quoted local parts
// and the ways in which URLs and web pages write @. It matches more than RFC 5321 allows: it is
// better to lose a word than to keep an address.
var addressLike = regexp.MustCompile(`(?i)(?:"(?:[^"\\]|\\.)*"|[^\s<>()\[\],;:"@]+)(?:@|%40|=40|&#64;|&#x40;|\(at\)|\[at\])(?:\[[^\]\s]*\]|[\pL\pN\pM._-]+)`)

// ScrubAddresses replaces everything that looks like a mail address by Scrubbed. Replies of
// mail servers name the recipient and others, and stored replies must not name a person who
// was erased.
func ScrubAddresses(text string) string {
	if !mayHoldAddress(text) {
		return text
	}
	return addressLike.ReplaceAllStringFunc(text, func(found string) string {
		// A link to a help page is kept, without the address in it.
		if at := strings.Index(found, "//"); at >= 0 {
			return found[:strings.LastIndexAny(found, "/?&=")+1] + Scrubbed
		}
		return Scrubbed
	})
}

// mayHoldAddress is a cheap check before the regular expression, since nearly all replies hold
// no address.
func mayHoldAddress(text string) bool {
	for _, part := range []string{"@", "40", "64;", "t)", "t]", "T)", "T]"} { // of (at) and [at] in any case
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
}
