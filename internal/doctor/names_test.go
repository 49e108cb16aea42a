package doctor

import (
	"slices"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/mailer"
)

// TestNamesInUnicodeAreLookedUpInASCII: the configuration may have domains in Unicode (RFC 5891), and DNS
// has them in ASCII.
func TestNamesInUnicodeAreLookedUpInASCII(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"bücher.example": "xn--bcher-kva.example", "_dmarc.BÜCHER.example": "_dmarc.xn--bcher-kva.example", "sel_1._domainkey.straße.example": "sel_1._domainkey.xn--strae-oqa.example",
		"例え.テスト": "xn--r8jz45g.xn--zckzah", "Example.ORG": "example.org", "_smtp._tls.example.org": "_smtp._tls.example.org", "": "",
	} {
		if got := asciiName(name); got != want {
			t.Errorf("%s gives %s, want %s", name, got, want)
		}
	}
}

func TestSenderWithADomainInUnicodeIsChecked(t *testing.T) {
	t.Parallel()
	generated, err := mailer.GenerateKey("ed25519")
	if err != nil {
		t.Fatal(err)
	}
	private, err := mailer.ParsePrivateKey(generated.PEM)
	if err != nil {
		t.Fatal(err)
	}
	o, _ := withZone(t, `r26._domainkey.xn--bcher-kva.example. TXT "`+generated.Record+`"
_dmarc.xn--bcher-kva.example. TXT "v=DMARC1; p=reject; adkim=s; rua=mailto:d@bücher.example"
post.xn--bcher-kva.example. TXT "v=spf1 ip4:192.0.2.1 -all"
www.xn--bcher-kva.example. A 127.0.0.1`)
	o.Config.Digests[0].Sender, o.Config.Site.URL = "Bücher <news@bücher.example>", "https://www.bücher.example:1"
	o.Config.Mail.ReturnPathDomain, o.Config.Bounces.ReadElsewhere = "post.bücher.example", true
	o.DKIM = []mailer.DKIMKey{{Domain: "Bücher.example", Selector: "r26", Signer: private}}
	want(t, o, "dkim", OK, "r26._domainkey.xn--bcher-kva.example is that of the configured key")
	want(t, o, "spf", OK, "post.xn--bcher-kva.example")
	want(t, o, "dmarc", OK, "_dmarc.xn--bcher-kva.example with the policy reject")
	want(t, o, "alignment", OK, "the signature and the return path (post.xn--bcher-kva.example) align")
	want(t, o, "site", Warning, "www.xn--bcher-kva.example has the address 127.0.0.1")
	if o.DKIM[0].Domain != "Bücher.example" {
		t.Errorf("the options of the caller were changed to %q", o.DKIM[0].Domain)
	}
}

// TestCertificateOfASiteInUnicode is for the name in ASCII, as certificates have it (RFC 5280, section 7.2).
func TestCertificateOfASiteInUnicode(t *testing.T) {
	t.Parallel()
	var o *Options
	o = withSite(t, testkit.NewCertificateUntil(t, nextYear(), "xn--bcher-kva.example"), healthy(&o))
	o.DNS = resolverOf(t, "xn--bcher-kva.example. A 127.0.0.1")
	o.Config.Site.URL = "https://bücher.example"
	want(t, o, "site", OK, "answers")
	want(t, o, "one-click", OK, "works")
	want(t, o, "certificate", OK, "the certificate of xn--bcher-kva.example is valid until")
}

func resolverOf(t *testing.T, zone string) Resolver {
	t.Helper()
	resolver, err := NewResolver(testkit.StartDNS(t, zone).Address)
	if err != nil {
		t.Fatal(err)
	}
	return resolver
}

func TestAddressesOfResolvers(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"": "", "9.9.9.9": "9.9.9.9:53", "2620:fe::fe": "[2620:fe::fe]:53", "9.9.9.9:5353": "9.9.9.9:5353", "dns.example:53": "dns.example:53"} {
		if got, err := NewResolver(text); err != nil || got.server != want {
			t.Errorf("%s gives %q, %v, want %q", text, got.server, err, want)
		}
	}
	for _, text := range []string{"dns.example", ":53", "9.9.9.9:", "https://dns.example/dns-query", "[::1"} {
		if _, err := NewResolver(text); err == nil || !strings.Contains(err.Error(), "write HOST:PORT") {
			t.Errorf("%s: %v, want the form of an address", text, err)
		}
	}
}

// TestAnswersOfEachKind has what a look-up returns for records, for a name without records of the kind, for
// a name that does not exist, and for a failure.
func TestAnswersOfEachKind(t *testing.T) {
	t.Parallel()
	server := testkit.StartDNS(t, "a.test. A 192.0.2.1\na.test. AAAA 2001:db8::1\nm.test. MX 20 two.test.\nm.test. MX 10 one.test.\nt.test. TXT \"one \" \"string\"\n1.2.0.192.in-addr.arpa. PTR a.test.\nnull.test. MX 0 .\nb.test. A 192.0.2.2\n9.2.0.192.in-addr.arpa. TXT x")
	for _, name := range []string{"bad.test", "2.2.0.192.in-addr.arpa"} {
		server.Break(name)
	}
	resolver, err := NewResolver(server.Address)
	if err != nil {
		t.Fatal(err)
	}
	ask := map[string]func(string) ([]string, error){
		"TXT": func(name string) ([]string, error) { return resolver.TXT(t.Context(), name) },
		"MX":  func(name string) ([]string, error) { return resolver.MX(t.Context(), name) },
		"PTR": func(name string) ([]string, error) { return resolver.PTR(t.Context(), name) },
		"A": func(name string) (out []string, err error) {
			ips, err := resolver.Addresses(t.Context(), name)
			for _, ip := range ips {
				out = append(out, ip.String())
			}
			slices.Sort(out)
			return out, err
		},
	}
	for _, c := range []struct {
		kind, name, want string
		fails            bool
	}{
		{"TXT", "t.test", "one string", false}, {"TXT", "t.test.", "one string", false}, {"TXT", "a.test", "", false}, {"TXT", "none.test", "", false}, {"TXT", "bad.test", "", true},
		{"MX", "m.test", "one.test. two.test.", false}, {"MX", "null.test", ".", false}, {"MX", "a.test", "", false}, {"MX", "none.test", "", false}, {"MX", "bad.test", "", true},
		{"A", "a.test", "192.0.2.1 2001:db8::1", false}, {"A", "b.test", "192.0.2.2", false}, {"A", "192.0.2.7", "192.0.2.7", false}, {"A", "m.test", "", false}, {"A", "none.test", "", false}, {"A", "bad.test", "", true},
		{"PTR", "192.0.2.1", "a.test.", false}, {"PTR", "192.0.2.9", "", false}, {"PTR", "192.0.2.3", "", false}, {"PTR", "192.0.2.2", "", true},
	} {
		got, err := ask[c.kind](c.name)
		if strings.Join(got, " ") != c.want || (err != nil) != c.fails {
			t.Errorf("%s of %s: %q, %v; want %q", c.kind, c.name, got, err, c.want)
		}
		if c.fails && (!strings.HasPrefix(err.Error(), "looking up the "+c.kind) || !strings.Contains(err.Error(), c.name)) {
			t.Errorf("%s of %s: %v does not name the look-up", c.kind, c.name, err)
		}
	}
}
