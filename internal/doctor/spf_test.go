package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os/exec"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/tidings-press/tidings/internal/testkit"
)

// TestSPFTermsAreCheckedLikeReceiversDo has terms by the grammar of RFC 7208, sections 4.6.1, 5, 6 and 7.1.
// A record with one invalid term counts as none, wherever the term is.
func TestSPFTermsAreCheckedLikeReceiversDo(t *testing.T) {
	t.Parallel()
	for term, problem := range map[string]string{
		"a": "", "A": "", "mx": "", "ptr": "", "a/24": "", "a//64": "", "a/24//64": "", "mx:mail.test.example/0": "", "-a:x.example//128": "",
		"ip4:192.0.2.0/32": "", "?ip6:2001:db8::/0": "", "exists:%{i}.spf.example": "", "include:%{d}.example": "", "ptr:example.org.": "",
		"redirect=_spf.example.org": "", "exp=why.example.org": "", "other=anything/at:all": "", "x-1.y_z=": "", "a:x.xn--p1ai": "", "mx:example.co-op": "",

		"all:example.org": "more than the word all", "all/24": "more than the word all",
		"ip4": "no valid network", "ip4:": "no valid network", "ip4:192.0.2": "no valid network", "ip4:192.0.2.0/33": "no valid network",
		"ip4:192.0.2.0/024": "no valid network", "ip4:192.0.2.0/": "no valid network", "ip4:192.0.2.1/24/24": "no valid network",
		"ip4:2001:db8::1": "no valid network", "ip6:192.0.2.1": "no valid network", "ip6:fe80::1%eth0": "no valid network", "ip6:2001:db8::/129": "no valid network",
		"a/33": "no valid network", "mx//129": "no valid network", "a/24x": "does not name a domain", "a:/24": "does not name a domain", "a:x.example/24/64": "does not name a domain",
		"a:": "does not name a domain", "a:192.0.2.1": "does not name a domain", "a:localhost": "does not name a domain", "mx:example.123": "does not name a domain",
		"include": "does not name a domain", "include:": "does not name a domain", "include:192.0.2.1": "does not name a domain", "include:x.example/24": "does not name a domain",
		"exists": "does not name a domain", "exists/24": "does not name a domain", "ptr/24": "does not name a domain", "ptr:": "does not name a domain", "mx:-.-x": "does not name a domain",
		"redirect=": "does not name a domain", "exp=": "does not name a domain",
		"ipv4:192.0.2.1": "unknown term", "192.0.2.1": "unknown term", "-": "unknown term", "=x": "unknown term", "+-all": "unknown term", "1a=b": "unknown term", "−all": "unknown term",
	} {
		for _, record := range []string{"v=spf1 " + term, "v=spf1 -all " + term} {
			_, err := parseSPF(record)
			if problem == "" && err != nil || problem != "" && (err == nil || !strings.Contains(err.Error(), problem) || !strings.Contains(err.Error(), fmt.Sprintf("%q", term))) {
				t.Errorf("%s: %v, want %q", record, err, problem)
			}
		}
	}
	for record, problem := range map[string]string{
		"v=spf1 redirect=a.example redirect=b.example": "redirect= more than once", "v=spf1 exp=a.example Exp=b.example": "exp= more than once", "v=spf1 x=1 x=2": "",
	} {
		if _, err := parseSPF(record); problem == "" && err != nil || problem != "" && (err == nil || !strings.Contains(err.Error(), problem)) {
			t.Errorf("%s: %v, want %q", record, err, problem)
		}
	}
}

// TestSPFTermsAfterAllAreNotTested (RFC 7208, section 5.1): they cost no look-ups and change no result, and
// "all" outweighs redirect (section 6.1), wherever it is.
func TestSPFTermsAfterAllAreNotTested(t *testing.T) {
	t.Parallel()
	o, server := withZone(t, `example.test. TXT "v=spf1 redirect=other.test ip4:192.0.2.0/24 ~all a:a.test include:b.test +all"`)
	result, err := evaluateSPF(t.Context(), o.DNS, "example.test", []netip.Addr{netip.MustParseAddr("198.51.100.1")})
	if err != nil || result.lookups != 0 || result.all != "~all" || result.matches[netip.MustParseAddr("198.51.100.1")] != "softfail" {
		t.Errorf("%+v, %v", result, err)
	}
	for _, name := range []string{"other.test", "a.test", "b.test"} {
		if n := server.Asked(name); n != 0 {
			t.Errorf("%s was asked for %d times", name, n)
		}
	}
}

// TestSPFLimits has records at each limit of RFC 7208, section 4.6.4, and one beyond it.
func TestSPFLimits(t *testing.T) {
	t.Parallel()
	chain := func(n int) string { // n records, each of which includes the next
		var zone strings.Builder
		fmt.Fprintln(&zone, `example.test. TXT "v=spf1 include:r1.test -all"`)
		for i := 1; i < n; i++ {
			fmt.Fprintf(&zone, "r%d.test. TXT \"v=spf1 include:r%d.test -all\"\n", i, i+1)
		}
		fmt.Fprintf(&zone, "r%d.test. TXT \"v=spf1 ip4:192.0.2.1 -all\"\n", n)
		return zone.String()
	}
	servers := func(n int) string { // one mx term with n hosts
		zone := `example.test. TXT "v=spf1 mx:m.test -all"`
		for i := range n {
			zone += fmt.Sprintf("\nm.test. MX 10 h%d.test.\nh%d.test. A 192.0.2.%d", i, i, i+1)
		}
		return zone
	}
	for name, c := range map[string]struct {
		zone     string
		severity Severity
		text     string
	}{
		"9 nested records":          {chain(9), OK, "9 of 10 look-ups"},
		"10 nested records":         {chain(10), Warning, "10 look-ups, the most that are allowed"},
		"11 nested records":         {chain(11), Error, "needs 11 look-ups, and may need 10"},
		"20 nested records":         {chain(20), Error, "needs 20 look-ups"},
		"21 nested records":         {chain(21), Error, "include each other, or more than 20 are nested"},
		"two records in a loop":     {"example.test. TXT \"v=spf1 include:b.test -all\"\nb.test. TXT \"v=spf1 include:example.test -all\"", Error, "include each other"},
		"a redirect to itself":      {`example.test. TXT "v=spf1 redirect=example.test"`, Error, "include each other"},
		"10 hosts of one term":      {servers(10), OK, "1 of 10 look-ups"},
		"11 hosts of one term":      {servers(11), Error, "mx:m.test has 11 hosts, and may have 10"},
		"2 hosts without addresses": {"example.test. TXT \"v=spf1 mx:m.test -all\"\nm.test. MX 1 x.test.\nm.test. MX 2 y.test.", OK, "1 of 10 look-ups"},
		"3 hosts without addresses": {"example.test. TXT \"v=spf1 mx:m.test -all\"\nm.test. MX 1 x.test.\nm.test. MX 2 y.test.\nm.test. MX 3 z.test.", Error, "3 look-ups of the SPF record of example.test find nothing, and 2 may"},
		"invalid included record":   {"example.test. TXT \"v=spf1 include:b.test -all\"\nb.test. TXT \"v=spf1 a:192.0.2.1\"", Error, "the record of b.test, which it includes"},
		"redirect to no record":     {"example.test. TXT \"v=spf1 redirect=b.test\"\nb.test. TXT x", Error, "b.test, which has no SPF record"},
		"two included records":      {"example.test. TXT \"v=spf1 include:b.test -all\"\nb.test. TXT \"v=spf1 -all\"\nb.test. TXT \"V=SPF1 -all\"", Error, "b.test has 2 SPF records"},
		"another version":           {`example.test. TXT "v=spf10 -all"`, Error, "no SPF record"},
		"strings joined as one":     {`example.test. TXT "v=spf1 ip4:192." "0.2.1 -a" "ll"`, OK, "0 of 10 look-ups"},
		"strings without a space":   {`example.test. TXT "v=spf1 ip4:192.0.2.1" "-all"`, Error, "no valid network"},
	} {
		o, _ := withZone(t, c.zone)
		if !t.Run(name, func(t *testing.T) { want(t, o, "spf", c.severity, c.text) }) {
			t.Log(c.zone)
		}
	}
}

// TestSPFLookupFailuresAreNotAVerdict: a server that fails says nothing about the record (temperror, RFC
// 7208, section 2.6.6), except for ptr, which does not match then (section 5.5).
func TestSPFLookupFailuresAreNotAVerdict(t *testing.T) {
	t.Parallel()
	for term, broken := range map[string]string{"a:x.test": "x.test", "mx:x.test": "x.test", "include:x.test": "x.test", "exists:x.test": "x.test", "redirect=x.test": "x.test", "mx:m.test": "h.test"} {
		o, server := withZone(t, "m.test. MX 1 h.test.\nexample.test. TXT \"v=spf1 "+term+"\"")
		server.Break(broken)
		_, err := evaluateSPF(t.Context(), o.DNS, "example.test", nil)
		var wrong *spfError
		if err == nil || errors.As(err, &wrong) {
			t.Errorf("%s: %v, want the error of the look-up", term, err)
		}
	}
	o, server := withZone(t, `example.test. TXT "v=spf1 ptr ~all"`)
	server.Break("1.2.0.192.in-addr.arpa")
	address := netip.MustParseAddr("192.0.2.1")
	if got, err := evaluateSPF(t.Context(), o.DNS, "example.test", []netip.Addr{address}); err != nil || got.matches[address] != "softfail" {
		t.Errorf("ptr: %+v, %v, want softfail", got, err)
	}
}

// pyspfScript evaluates SPF with Debian's python3-spf, which reads the DNS from its input.
const pyspfScript = `
import json, sys, spf
given = json.load(sys.stdin)
zone = given["zone"]
def lookup(name, qtype, *rest):
    found = zone.get(str(name).lower().rstrip(".") + " " + qtype, [])
    if qtype == "MX":
        found = [tuple(v) for v in found]
    if qtype == "TXT":
        found = [[v.encode()] for v in found]
    return [((name, qtype), v) for v in found]
spf.DNSLookup = lookup
json.dump([[spf.query(i=ip, s="x@" + domain, h="helo.example.test").check()[0] for ip in given["addresses"]] for domain in given["domains"]], sys.stdout)
`

// spfZone is the DNS of TestSPFAgreesWithPyspf. Each address has a name that leads back to it, except for
// the second, which has the one of another host.
const spfZone = `h1.example.test. A 192.0.2.10
h1.example.test. AAAA 2001:db8::10
h2.example.test. A 192.0.2.20
h2.example.test. A 203.0.113.20
h2.example.test. AAAA 2001:db8:2::20
six.example.test. AAAA 2001:db8:6::1
stranger.other.test. A 198.51.100.9
mx.example.test. MX 10 h1.example.test.
mx.example.test. MX 20 h2.example.test.
in1.example.test. TXT "v=spf1 ip4:192.0.2.20/31 -all"
in2.example.test. TXT "v=spf1 -ip4:192.0.2.10 a:h1.example.test/24 ?all"
in3.example.test. TXT "v=spf1 ~ip6:2001:db8::/48 ip6:2001:db8:6::/48"
in4.example.test. TXT "v=spf1 redirect=in1.example.test"
bad.example.test. TXT "v=spf1 a/33 -all"
two.example.test. TXT "v=spf1 -all"
two.example.test. TXT "v=spf1 +all"`

var spfAddresses = []string{"192.0.2.10", "192.0.2.21", "203.0.113.20", "2001:db8::10", "2001:db8:6::1", "198.51.100.9"}

// spfRecords returns records of terms at random, below the limits of look-ups.
func spfRecords(rng *rand.Rand, n int) (records []string) {
	qualifiers := []string{"", "", "", "+", "-", "~", "?"}
	terms := []string{
		"a:h1.example.test", "a:h2.example.test/24", "a:h1.example.test//64", "a:h1.example.test/28//32", "mx:mx.example.test", "mx:mx.example.test/25//120",
		"ip4:192.0.2.0/28", "ip4:203.0.113.20", "ip4:0.0.0.0/0", "ip6:2001:db8::/32", "ip6:2001:db8:6::1", "ip6:::/0", "A:H2.EXAMPLE.TEST",
		"include:in1.example.test", "include:in2.example.test", "include:in3.example.test", "include:in4.example.test",
		"ptr:example.test", "ptr:h1.example.test", "ptr:other.test", "exists:h1.example.test", "all",
	}
	rare := []string{
		"include:none.example.test", "include:bad.example.test", "include:two.example.test", "exists:none.example.test", "a:none.example.test", "a:six.example.test", "a:192.0.2.10", "ip4:2001:db8::1", "ip6:192.0.2.1",
		"a:h1.example.test/33", "ip4:192.0.2.0/33", "mx:localhost", "foo", "foo:h1.example.test", "include:", "a:h1.example.test/x",
	}
	modifiers := []string{"redirect=in1.example.test", "redirect=in3.example.test", "redirect=none.example.test", "exp=why.example.test", "unknown=x"}
	for range n {
		record := []string{"v=spf1"}
		for range rng.IntN(4) + 1 {
			record = append(record, qualifiers[rng.IntN(len(qualifiers))]+terms[rng.IntN(len(terms))])
		}
		if rng.IntN(5) == 0 {
			at := rng.IntN(len(record)) + 1
			record = append(record[:at:at], append([]string{rare[rng.IntN(len(rare))]}, record[at:]...)...)
		}
		if rng.IntN(3) == 0 {
			record = append(record, modifiers[rng.IntN(len(modifiers))])
		}
		records = append(records, strings.Join(record, " "))
	}
	return records
}

// TestSPFAgreesWithPyspf compares the results of random records with the results of an independent program.
// evaluateSPF follows all terms, a receiver only those before the first match: of a record with an error
// only the results for addresses that no term before it matches are compared.
func TestSPFAgreesWithPyspf(t *testing.T) {
	t.Parallel()
	const python = "/usr/bin/python3" // Debian's interpreter, which has the module
	if err := exec.Command(python, "-c", "import spf").Run(); err != nil {
		t.Skipf("SKIPPED: Debian's python3-spf is needed: %v", err)
	}
	records := spfRecords(rand.New(rand.NewPCG(7, 208)), 80)
	for n := 9; n < 13; n++ { // the limit of look-ups
		records = append(records, "v=spf1"+strings.Repeat(" a:h1.example.test", n)+" -all")
	}
	zone, domains := spfZone, []string{}
	for i, name := range []string{"h1.example.test", "h1.example.test", "h2.example.test", "h1.example.test", "six.example.test", "stranger.other.test"} {
		reverse, err := dns.ReverseAddr(spfAddresses[i])
		if err != nil {
			t.Fatal(err)
		}
		zone += "\n" + reverse + " PTR " + name + "."
	}
	for i, record := range records {
		domains = append(domains, fmt.Sprintf("c%d.example.test", i))
		zone += fmt.Sprintf("\n%s. TXT %q", domains[i], record)
	}
	judged := askPyspf(t, python, zone, domains)
	server := testkit.StartDNS(t, zone)
	resolver, err := NewResolver(server.Address)
	if err != nil {
		t.Fatal(err)
	}
	var addresses []netip.Addr
	for _, text := range spfAddresses {
		addresses = append(addresses, netip.MustParseAddr(text))
	}
	for i, record := range records {
		result, err := evaluateSPF(t.Context(), resolver, domains[i], addresses)
		var wrong *spfError
		for try := 0; err != nil && !errors.As(err, &wrong) && try < 20; try++ { // on a busy machine a look-up may time out
			result, err = evaluateSPF(t.Context(), resolver, domains[i], addresses)
		}
		invalid := err != nil || result.lookups > maxSPFLookups || result.void > maxSPFVoid
		for j, address := range addresses {
			got, matched := result.matches[address]
			switch {
			case invalid && matched:
				continue
			case invalid:
				got = "permerror"
			case !matched:
				got = "neutral"
			}
			if got != judged[i][j] {
				t.Errorf("%s for %s: %s (%v), want %s", record, address, got, err, judged[i][j])
			}
		}
	}
}

// askPyspf returns the results of pyspf for each domain and each of spfAddresses.
func askPyspf(t *testing.T, python, zone string, domains []string) (out [][]string) {
	t.Helper()
	records := map[string][]any{}
	for line := range strings.Lines(zone) {
		rr, err := dns.NewRR(line)
		if err != nil {
			t.Fatal(err)
		}
		key := strings.TrimSuffix(rr.Header().Name, ".") + " " + dns.TypeToString[rr.Header().Rrtype]
		var value any
		switch rr := rr.(type) {
		case *dns.A:
			value = rr.A.String()
		case *dns.AAAA:
			value = rr.AAAA.String()
		case *dns.MX:
			value = []any{rr.Preference, rr.Mx}
		case *dns.PTR:
			value = strings.TrimSuffix(rr.Ptr, ".")
		case *dns.TXT:
			value = strings.Join(rr.Txt, "")
		}
		records[key] = append(records[key], value)
	}
	input, err := json.Marshal(map[string]any{"zone": records, "domains": domains, "addresses": spfAddresses})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), testkit.Timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, python, "-c", pyspfScript)
	cmd.Stdin = strings.NewReader(string(input))
	text, err := cmd.Output()
	if err != nil {
		var failed *exec.ExitError
		if errors.As(err, &failed) {
			t.Fatalf("%v: %s", err, failed.Stderr)
		}
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &out); err != nil || len(out) != len(domains) {
		t.Fatalf("%v: %d results for %d domains", err, len(out), len(domains))
	}
	return out
}
