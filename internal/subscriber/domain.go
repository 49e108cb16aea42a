package subscriber

import (
	"fmt"
	"strings"

	"golang.org/x/net/idna"
)

// idnaProfile is the lookup profile, strict about what a host name may hold.
var idnaProfile = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.StrictDomainName(true), idna.Transitional(false))

// parseDomain checks the part after the @ and gives it in lower case and
// punycode, or what is wrong with it and what would be right.
func parseDomain(s string) (domain, what, right string) {
	const example = "something like example.org after the @"
	switch {
	case s == "":
		return "", "nothing stands after the @", example
	case s[0] == '[':
		return "", "an address literal stands after the @", "a domain, " + example
	}
	domain = strings.ToLower(s)
	if !isASCII(s) || strings.Contains(domain, "xn--") {
		ascii, err := idnaProfile.ToASCII(s)
		if err != nil {
			return "", "the domain is no valid international domain", example
		}
		domain = ascii
	}
	if what := checkDomain(domain); what != "" {
		return "", what, example
	}
	return domain, "", ""
}

// checkDomain checks a domain in ASCII: labels of letters, digits and inner hyphens
// (RFC 5321 section 4.1.2), at least two, the last not a number.
func checkDomain(s string) (what string) {
	if len(s) > MaxDomain {
		return fmt.Sprintf("the domain has %d octets, more than %d", len(s), MaxDomain)
	}
	labels := 0
	for rest, more := s, true; more; labels++ {
		var label string
		label, rest, more = strings.Cut(rest, ".")
		if what := checkLabel(label); what != "" {
			return what
		}
		if !more && strings.Trim(label, "0123456789") == "" {
			return "the domain ends in a number"
		}
	}
	if labels < 2 {
		return "the domain has no dot"
	}
	return ""
}

func checkLabel(label string) (what string) {
	switch {
	case label == "":
		return "a dot stands first, last or twice in the domain"
	case len(label) > 63:
		return "a part of the domain has more than 63 octets"
	case label[0] == '-' || label[len(label)-1] == '-':
		return "a part of the domain begins or ends with a hyphen"
	}
	for i := range len(label) {
		c := label[i]
		if c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') {
			return describeRune(rune(c)) + " in the domain"
		}
	}
	return ""
}

// UnicodeDomain is the part after the @ as people read it.
func (a Address) UnicodeDomain() string {
	if !strings.Contains(a.domain, "xn--") {
		return a.domain
	}
	unicode, err := idnaProfile.ToUnicode(a.domain)
	if err != nil {
		return a.domain
	}
	return unicode
}
