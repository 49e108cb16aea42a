package subscriber

import (
	"regexp"
	"strings"
)

// Scrubbed stands where a mail address was.
const Scrubbed = "[address]"

// addressLike is whatever looks like a mail address, a quoted local part and the
// spellings of @ in URLs and web pages included. It is wider than what RFC 5321
// allows: a word too many is lost rather than an address kept.
var addressLike = regexp.MustCompile(`(?i)(?:"(?:[^"\\]|\\.)*"|[^\s<>()\[\],;:"@]+)(?:@|%40|=40|&#64;|&#x40;|\(at\)|\[at\])(?:\[[^\]\s]*\]|[\pL\pN\pM._-]+)`)

// ScrubAddresses returns a text with Scrubbed in place of everything that looks like a
// mail address. The replies of mail servers name the recipient, and others too; what is
// kept of a reply must not bring a person back who was erased.
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

// mayHoldAddress is a quick look: nearly all replies hold none.
func mayHoldAddress(text string) bool {
	return strings.ContainsRune(text, '@') || strings.Contains(text, "40") || strings.Contains(text, "64;") ||
		strings.Contains(text, "at)") || strings.Contains(text, "at]") || strings.Contains(text, "AT)") || strings.Contains(text, "AT]")
}
