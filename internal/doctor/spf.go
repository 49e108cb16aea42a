package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// Limits of SPF (RFC 7208, section 4.6.4).
const (
	maxSPFLookups = 10
	maxSPFVoid    = 2
	maxSPFHosts   = 10 // of one mx term
	maxSPFDepth   = 20 // of nested records, so that a loop ends
)

// spfResult is what the evaluation of a domain's SPF record found.
type spfResult struct {
	record  string // of the domain itself
	lookups int    // terms that cause look-ups
	void    int    // look-ups that found nothing
	all     string // the term "all" of the domain's record with its qualifier, such as "-all"
	matches map[netip.Addr]string
	macros  bool // a term has a macro and was not followed
}

// spfError is an error in a record, for which receivers answer permerror (RFC 7208, section 4.6).
type spfError struct{ text string }

func (e *spfError) Error() string { return e.text }

// spfWalk evaluates one domain's record with all that it includes.
type spfWalk struct {
	dns    Resolver
	result spfResult
}

// evaluateSPF reads the SPF record of a domain and of the domains that it includes. matches of the
// result has the result, such as "pass", for each of the addresses that a term matches.
func evaluateSPF(ctx context.Context, dns Resolver, domain string, addresses []netip.Addr) (spfResult, error) {
	w := spfWalk{dns: dns}
	w.result.matches = map[netip.Addr]string{}
	record, err := w.record(ctx, domain)
	if err != nil || record == "" {
		return w.result, err
	}
	w.result.record = record
	terms, err := parseSPF(record)
	if err != nil {
		return w.result, err
	}
	w.result.all = terms.all
	matched, err := w.evaluate(ctx, domain, terms, addresses, 0)
	w.result.matches = matched
	return w.result, err
}

// record returns the SPF record of a domain, "" if there is none.
func (w *spfWalk) record(ctx context.Context, domain string) (string, error) {
	all, err := w.dns.TXT(ctx, domain)
	if err != nil {
		return "", err
	}
	var found []string
	for _, text := range all {
		if version, _, _ := strings.Cut(text, " "); strings.EqualFold(version, "v=spf1") {
			found = append(found, text)
		}
	}
	switch len(found) {
	case 0:
		return "", nil
	case 1:
		return found[0], nil
	}
	return "", &spfError{fmt.Sprintf("%s has %d SPF records, and may have one", domain, len(found))}
}

// evaluate evaluates a record, and returns the result for each address that a term matches. All terms
// are counted, because the look-ups of a receiver depend on the address.
func (w *spfWalk) evaluate(ctx context.Context, domain string, terms spfTerms, addresses []netip.Addr, depth int) (map[netip.Addr]string, error) {
	matched := map[netip.Addr]string{}
	if depth > maxSPFDepth {
		return matched, &spfError{fmt.Sprintf("the SPF records of %s include each other, or more than %d are nested", domain, maxSPFDepth)}
	}
	for _, term := range terms.mechanisms {
		hits, err := w.mechanism(ctx, domain, term, addresses, depth)
		if err != nil {
			return matched, err
		}
		for _, address := range hits {
			if _, done := matched[address]; !done {
				matched[address] = term.result
			}
		}
	}
	if terms.redirect == "" {
		return matched, nil
	}
	var rest []netip.Addr
	for _, address := range addresses {
		if _, done := matched[address]; !done {
			rest = append(rest, address)
		}
	}
	inner, err := w.nested(ctx, terms.redirect, rest, depth)
	for address, result := range inner {
		matched[address] = result
	}
	return matched, err
}

// nested evaluates the record of another domain, which must have one.
func (w *spfWalk) nested(ctx context.Context, domain string, addresses []netip.Addr, depth int) (map[netip.Addr]string, error) {
	if err := w.count(); err != nil {
		return nil, err
	}
	if strings.Contains(domain, "%") {
		w.result.macros = true
		return nil, nil
	}
	record, err := w.record(ctx, domain)
	if err == nil && record == "" {
		w.result.void++
		err = &spfError{"it includes " + domain + ", which has no SPF record"}
	}
	if err != nil {
		return nil, err
	}
	terms, err := parseSPF(record)
	if err != nil {
		return nil, &spfError{fmt.Sprintf("the record of %s, which it includes: %v", domain, err)}
	}
	return w.evaluate(ctx, domain, terms, addresses, depth+1)
}

// count counts a term that causes look-ups. It stops far beyond the limit, so that the finding can say
// how many there are.
func (w *spfWalk) count() error {
	w.result.lookups++
	if w.result.lookups > 4*maxSPFLookups {
		return &spfError{fmt.Sprintf("it needs more than %d look-ups", 4*maxSPFLookups)}
	}
	return nil
}

// mechanism returns the addresses that a mechanism matches (RFC 7208, section 5).
func (w *spfWalk) mechanism(ctx context.Context, domain string, term spfTerm, addresses []netip.Addr, depth int) ([]netip.Addr, error) {
	target := cmp.Or(term.domain, domain)
	switch term.kind {
	case "all":
		return addresses, nil
	case "ip4", "ip6":
		return within(term.network, addresses), nil
	case "include":
		inner, err := w.nested(ctx, target, addresses, depth)
		var out []netip.Addr
		for address, result := range inner {
			if result == "pass" {
				out = append(out, address)
			}
		}
		return out, err
	}
	if err := w.count(); err != nil {
		return nil, err
	}
	if strings.Contains(target, "%") {
		w.result.macros = true
		return nil, nil
	}
	switch term.kind {
	case "exists":
		return w.exists(ctx, target, addresses)
	case "ptr":
		return w.named(ctx, target, addresses), nil
	}
	return w.hosts(ctx, target, term, addresses)
}

// within returns the addresses in a network.
func within(network netip.Prefix, addresses []netip.Addr) (out []netip.Addr) {
	for _, address := range addresses {
		if network.Contains(address) {
			out = append(out, address)
		}
	}
	return out
}

// exists returns all addresses if a name has an IPv4 address (RFC 7208, section 5.7).
func (w *spfWalk) exists(ctx context.Context, name string, addresses []netip.Addr) ([]netip.Addr, error) {
	found, err := w.dns.Addresses(ctx, name)
	if err != nil || slices.ContainsFunc(found, func(ip net.IP) bool { return ip.To4() != nil }) {
		return addresses, err
	}
	w.result.void++
	return nil, nil
}

// named returns the addresses that have a name in a domain which leads back to them. A failed look-up
// counts as no name (RFC 7208, section 5.5).
func (w *spfWalk) named(ctx context.Context, domain string, addresses []netip.Addr) (out []netip.Addr) {
	for _, address := range addresses {
		names, _ := w.dns.PTR(ctx, address.String())
		for _, name := range names[:min(len(names), maxSPFHosts)] {
			if name = "." + strings.ToLower(strings.TrimSuffix(name, ".")); !strings.HasSuffix(name, "."+strings.ToLower(strings.TrimSuffix(domain, "."))) {
				continue
			}
			ips, _ := w.dns.Addresses(ctx, name[1:])
			if slices.ContainsFunc(ips, func(ip net.IP) bool { return ip.Equal(address.AsSlice()) }) {
				out = append(out, address)
				break
			}
		}
	}
	return out
}

// hosts returns the addresses that an a or mx term matches.
func (w *spfWalk) hosts(ctx context.Context, name string, term spfTerm, addresses []netip.Addr) ([]netip.Addr, error) {
	names := []string{name}
	if term.kind == "mx" {
		var err error
		if names, err = w.dns.MX(ctx, name); err != nil {
			return nil, err
		}
		if len(names) > maxSPFHosts {
			return nil, &spfError{fmt.Sprintf("the term mx:%s has %d hosts, and may have %d", name, len(names), maxSPFHosts)}
		}
		if len(names) == 0 {
			w.result.void++
		}
	}
	var out []netip.Addr
	for _, host := range names {
		ips, err := w.dns.Addresses(ctx, host)
		if err != nil {
			return nil, err
		}
		if len(ips) == 0 {
			w.result.void++
		}
		for _, ip := range ips {
			out = append(out, term.matching(ip, addresses)...)
		}
	}
	return out, nil
}

// matching returns the addresses that are in the network of a host.
func (t spfTerm) matching(ip net.IP, addresses []netip.Addr) []netip.Addr {
	host, _ := netip.AddrFromSlice(ip)
	host = host.Unmap()
	bits := t.six
	if host.Is4() {
		bits = t.four
	}
	network, err := host.Prefix(bits)
	if err != nil {
		return nil
	}
	return within(network, addresses)
}

// spfWhy is why SPF matters.
const spfWhy = "Without a passing SPF record Gmail defers bulk mail with 421 4.7.27, and unauthenticated mail with 421 4.7.26 or 550 5.7.26; Outlook.com refuses it with 550 5.7.515, and Yahoo with 554 5.7.9."

func checkSPF(ctx context.Context, o *Options, domain string) []Finding {
	addresses := parseAddresses(o.Outgoing)
	result, err := evaluateSPF(ctx, o.DNS, domain, addresses)
	var wrong *spfError
	switch {
	case errors.As(err, &wrong):
		return one(Finding{Severity: Error, What: fmt.Sprintf("the SPF record of %s is invalid: %v", domain, wrong), Why: spfWhy + " An invalid record counts as none.", Fix: "Correct the TXT record of " + domain + " that begins with v=spf1."})
	case err != nil:
		return one(lookupFailed(err))
	case result.record == "":
		return one(Finding{Severity: Error, What: domain + " has no SPF record", Why: spfWhy, Fix: fmt.Sprintf("Add a TXT record at %s that names your relay, such as \"v=spf1 include:RELAY -all\"; the relay's documentation has the text.", domain)})
	}
	return append(spfLimits(domain, result), spfMatches(domain, result, addresses)...)
}

// spfLimits returns the findings about the limits of a record.
func spfLimits(domain string, result spfResult) (out []Finding) {
	fix := "Remove terms for services that send no mail for you any more, and replace a, mx and nested includes by ip4 and ip6 networks."
	switch {
	case result.lookups > maxSPFLookups:
		out = append(out, Finding{Severity: Error, What: fmt.Sprintf("the SPF record of %s needs %d look-ups, and may need %d (RFC 7208, section 4.6.4)", domain, result.lookups, maxSPFLookups), Why: "Receivers give up with permerror, which counts as no SPF record. " + spfWhy, Fix: fix})
	case result.void > maxSPFVoid:
		out = append(out, Finding{Severity: Error, What: fmt.Sprintf("%d look-ups of the SPF record of %s find nothing, and %d may", result.void, domain, maxSPFVoid), Why: "Receivers may give up with permerror, which counts as no SPF record.", Fix: fix})
	case result.lookups == maxSPFLookups:
		out = append(out, Finding{Severity: Warning, What: fmt.Sprintf("the SPF record of %s needs %d look-ups, the most that are allowed", domain, result.lookups), Why: "When a service that it includes adds one more, receivers give up with permerror.", Fix: fix})
	}
	switch result.all {
	case "+all", "all":
		out = append(out, Finding{Severity: Error, What: fmt.Sprintf("the SPF record of %s ends in %s: every machine may send for it", domain, result.all), Why: "Receivers trust no such record; Gmail limits mail of domains with suspicious SPF records by 451 4.7.24.", Fix: "End it in -all or ~all."})
	case "?all":
		out = append(out, Finding{Severity: Warning, What: fmt.Sprintf("the SPF record of %s ends in ?all, which says nothing about other machines", domain), Why: "Others can send mail in the name of the domain.", Fix: "End it in -all or ~all."})
	}
	return out
}

// spfMatches returns the findings about the addresses that mail leaves from.
func spfMatches(domain string, result spfResult, addresses []netip.Addr) (out []Finding) {
	for _, address := range addresses {
		switch got := result.matches[address]; {
		case got == "pass":
			out = append(out, ok("%s may send for %s", address, domain))
		case result.macros:
			out = append(out, Finding{Severity: Notice, What: fmt.Sprintf("whether %s may send for %s depends on macros in the SPF record, which are not evaluated", address, domain)})
		default:
			if got == "" {
				got = "neutral"
			}
			out = append(out, Finding{Severity: Error, What: fmt.Sprintf("the SPF record of %s does not let %s send: the result is %s", domain, address, got), Why: spfWhy, Fix: fmt.Sprintf("Add ip%d:%s to the record, or the include of the relay that has this address.", map[bool]int{true: 4, false: 6}[address.Is4()], address)})
		}
	}
	if len(out) == 0 {
		out = append(out, ok("%s has an SPF record with %d of %d look-ups", domain, result.lookups, maxSPFLookups))
	}
	return out
}

func parseAddresses(texts []string) (out []netip.Addr) {
	for _, text := range texts {
		if address, err := netip.ParseAddr(text); err == nil {
			out = append(out, address.Unmap())
		}
	}
	return out
}
