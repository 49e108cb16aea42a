package doctor

import (
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// spfTerms are the terms of an SPF record (RFC 7208, section 4.6.1).
type spfTerms struct {
	mechanisms []spfTerm // up to "all"; those after it are never tested (section 5.1)
	all        string    // the term "all" with its qualifier, such as "-all"
	redirect   string    // empty if the record has an "all" (section 6.1)
}

// spfTerm is a mechanism.
type spfTerm struct {
	result    string // of an address that it matches, by its qualifier
	kind      string // name in lower case
	domain    string // empty for the domain of the record
	network   netip.Prefix
	four, six int // lengths of the networks around the hosts of an a or mx term
}

// spfResults are the results of the qualifiers.
var spfResults = map[byte]string{'+': "pass", '-': "fail", '~': "softfail", '?': "neutral"}

// spfModifier matches a modifier.
var spfModifier = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9._-]*)=(.*)$`)

// parseSPF reads the terms of a record. A term that is not valid makes the whole record invalid, also one
// that is never tested (RFC 7208, section 4.6).
func parseSPF(record string) (out spfTerms, err error) {
	seen := map[string]bool{}
	for _, text := range strings.Fields(record)[1:] {
		if m := spfModifier.FindStringSubmatch(text); m != nil {
			name := strings.ToLower(m[1])
			known := name == "redirect" || name == "exp"
			if known && seen[name] {
				return out, &spfError{"it has " + name + "= more than once"}
			}
			if known && !isDomainSpec(m[2]) {
				return out, &spfError{fmt.Sprintf("%q does not name a domain", text)}
			}
			if seen[name] = true; name == "redirect" {
				out.redirect = m[2]
			}
			continue
		}
		term, err := parseTerm(text)
		if err != nil {
			return out, err
		}
		if out.all == "" {
			out.mechanisms = append(out.mechanisms, term)
		}
		if term.kind == "all" && out.all == "" {
			out.all = strings.ToLower(text)
		}
	}
	if out.all != "" {
		out.redirect = ""
	}
	return out, nil
}

// parseTerm reads a mechanism with its qualifier.
func parseTerm(text string) (spfTerm, error) {
	term, rest := spfTerm{result: "pass", four: 32, six: 128}, text
	if result, found := spfResults[text[0]]; found {
		term.result, rest = result, text[1:]
	}
	end := strings.IndexAny(rest, ":/")
	if end < 0 {
		end = len(rest)
	}
	term.kind, rest = strings.ToLower(rest[:end]), rest[end:]
	value, given := strings.CutPrefix(rest, ":")
	valid := true
	switch term.kind {
	case "all":
		if rest != "" {
			return term, &spfError{fmt.Sprintf("%q has more than the word all", text)}
		}
	case "ip4", "ip6":
		return term, term.setNetwork(text, value)
	case "include", "exists":
		term.domain, valid = value, given && isDomainSpec(value)
	case "ptr":
		term.domain, valid = value, rest == "" || given && isDomainSpec(value)
	case "a", "mx":
		return term, term.setHosts(text, value, given)
	default:
		return term, &spfError{fmt.Sprintf("unknown term %q", text)}
	}
	if !valid {
		return term, &spfError{fmt.Sprintf("%q does not name a domain", text)}
	}
	return term, nil
}

// setNetwork sets the network of an ip4 or ip6 term. An ip4 term has only IPv4 addresses, and an ip6
// term only IPv6 addresses.
func (t *spfTerm) setNetwork(text, value string) error {
	network, err := netip.ParsePrefix(value)
	if ip, wrong := netip.ParseAddr(value); wrong == nil {
		network, err = netip.PrefixFrom(ip, ip.BitLen()), nil
	}
	if err != nil || network.Addr().Is4() != (t.kind == "ip4") || strings.Contains(value, "%") {
		return &spfError{fmt.Sprintf("%q has no valid network", text)}
	}
	t.network = network
	return nil
}

// spfLengths matches the lengths of networks at the end of an a or mx term, such as "/24//64".
var spfLengths = regexp.MustCompile(`^(.*?)(?:/(0|[1-9][0-9]?))?(?://(0|[1-9][0-9]{0,2}))?$`)

// setHosts sets the domain and the lengths of an a or mx term.
func (t *spfTerm) setHosts(text, value string, given bool) error {
	if !given { // it has lengths only, or nothing
		_, value, _ = strings.Cut(strings.TrimLeft(text, "+-~?"), "/")
		if strings.Contains(text, "/") {
			value = "/" + value
		}
	}
	m := spfLengths.FindStringSubmatch(value)
	t.domain = m[1]
	if m[2] != "" {
		t.four, _ = strconv.Atoi(m[2])
	}
	if m[3] != "" {
		t.six, _ = strconv.Atoi(m[3])
	}
	switch {
	case given != (t.domain != "") || given && !isDomainSpec(t.domain):
		return &spfError{fmt.Sprintf("%q does not name a domain", text)}
	case t.four > 32 || t.six > 128:
		return &spfError{fmt.Sprintf("%q has no valid network", text)}
	}
	return nil
}

// topLabel matches the last label of a domain, which is not a number.
var topLabel = regexp.MustCompile(`^(?:[0-9A-Za-z]*[A-Za-z][0-9A-Za-z]*|[0-9A-Za-z]+-[0-9A-Za-z-]*[0-9A-Za-z])$`)

// isDomainSpec reports whether a text can be the domain of a term (RFC 7208, section 7.1): a name of at
// least two labels. So an address such as a:192.0.2.1 is an error. Macros are not checked.
func isDomainSpec(text string) bool {
	if strings.Contains(text, "%") {
		return true
	}
	name := strings.TrimSuffix(text, ".")
	dot := strings.LastIndexByte(name, '.')
	return dot > 0 && topLabel.MatchString(name[dot+1:])
}
