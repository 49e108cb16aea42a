package doctor

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/mailer"
)

// withZone returns options for a sender at example.test, with a DNS server that has a zone.
func withZone(t *testing.T, zone string) (*Options, *testkit.DNS) {
	t.Helper()
	server := testkit.StartDNS(t, zone)
	resolver, err := NewResolver(server.Address)
	if err != nil {
		t.Fatal(err)
	}
	c := config.Default()
	c.Digests = []config.Digest{{Name: "weekly", Sender: "Press <news@example.test>"}}
	c.Site.URL = "https://www.example.test"
	return &Options{Config: c, DNS: resolver}, server
}

// only runs one check and returns its findings.
func only(t *testing.T, o *Options, name string) []Finding {
	t.Helper()
	return Run(context.Background(), *o, name).Findings
}

// want fails unless a check has a finding of a severity with a text.
func want(t *testing.T, o *Options, name string, severity Severity, text string) {
	t.Helper()
	findings := only(t, o, name)
	for _, f := range findings {
		if f.Severity == severity && strings.Contains(f.What, text) {
			if severity.rank() >= Warning.rank() && f.Why+f.Fix == "" {
				t.Errorf("%s: %q has neither a reason nor a remedy", name, f.What)
			}
			return
		}
	}
	t.Errorf("%s: no finding %q with %q; it found %+v", name, severity, text, findings)
}

func TestRecordsOfSenders(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		check, zone string
		severity    Severity
		text        string
	}{
		{"mx", "example.test. MX 10 mx.example.test.\nmx.example.test. A 192.0.2.1", OK, "goes to mx.example.test"},
		{"mx", "example.test. MX 10 mx.example.test.", Error, "no mail server of example.test has an address"},
		{"mx", "example.test. A 192.0.2.1", Warning, "no MX record"},
		{"mx", "example.test. TXT x", Error, "neither an MX record nor an address"},
		{"mx", "example.test. MX 0 .", Error, "null MX"},

		{"spf", `example.test. TXT "v=spf1 ip4:192.0.2.0/24 -all"`, OK, "0 of 10 look-ups"},
		{"spf", `example.test. TXT "other"`, Error, "no SPF record"},
		{"spf", "example.test. TXT \"v=spf1 -all\"\nexample.test. TXT \"v=spf1 a -all\"", Error, "2 SPF records"},
		{"spf", `example.test. TXT "v=spf1 +all"`, Error, "every machine"},
		{"spf", `example.test. TXT "v=spf1 ?all"`, Warning, "?all"},
		{"spf", `example.test. TXT "v=spf1 ip4:nonsense -all"`, Error, "no valid network"},
		{"spf", `example.test. TXT "v=spf1 include:none.test -all"`, Error, "none.test, which has no SPF record"},
		{"spf", `example.test. TXT "v=spf1 include:example.test -all"`, Error, "include each other"},
		{"spf", `example.test. TXT "v=spf1 a:x1.test a:x2.test mx:x3.test -all"`, Error, "3 look-ups of the SPF record"},

		{"dmarc", `_dmarc.example.test. TXT "v=DMARC1; p=quarantine; rua=mailto:d@example.test"`, OK, "policy quarantine"},
		{"dmarc", `_dmarc.test. TXT "v=DMARC1; p=reject; sp=none"`, OK, "at _dmarc.test with the policy none"},
		{"dmarc", `_dmarc.example.test. TXT "v=DMARC1; p=none"`, Notice, "asks for no reports"},
		{"dmarc", `_dmarc.example.test. TXT "v=DMARC1; p=none; rua=d@example.test"`, Notice, "asks for reports to \"d@example.test\", which is not a mailto address"},
		{"dmarc", `_dmarc.example.test. TXT "p=none; v=DMARC1"`, Error, "there is no DMARC record"},
		{"dmarc", `_dmarc.example.test. TXT "v=DMARC1; p=Quarantine; p=none"`, OK, "policy quarantine"},
		{"dmarc", `_dmarc.example.test. TXT "v = DMARC1 ;rua=mailto:d@example.test"`, Error, `the policy ""`},
		{"dmarc", `_dmarc.test. TXT "v=DMARC1; p=none; sp=strict"`, Error, `the policy "strict"`},
		{"dmarc", `_dmarc.example.test. TXT "v=spf1 -all"`, Error, "there is no DMARC record"},
		{"dmarc", `_dmarc.example.test. TXT "v=DMARC1; p=all"`, Error, `the policy "all"`},
		{"dmarc", "_dmarc.example.test. TXT \"v=DMARC1; p=none\"\n_dmarc.example.test. TXT \"v=DMARC1; p=reject\"", Error, "more than one"},

		{"tls-rpt", `_smtp._tls.example.test. TXT "v=TLSRPTv1; rua=mailto:t@example.test"`, OK, "gets reports"},
		{"tls-rpt", `_smtp._tls.example.test. TXT "v=TLSRPTv1"`, Warning, "invalid"},
		{"tls-rpt", `_smtp._tls.example.test. TXT "v=TLSRPTv1; rua=https://example.test/report,mailto:t@example.test"`, OK, "gets reports"},
		{"tls-rpt", `_smtp._tls.example.test. TXT "v=TLSRPTv1; rua=t@example.test"`, Warning, "invalid"},
		{"tls-rpt", `_smtp._tls.example.test. TXT "v=TLSRPTv1; rua=mailto:"`, Warning, "invalid"},
		{"tls-rpt", "_smtp._tls.example.test. TXT \"v=TLSRPTv1; rua=mailto:t@example.test\"\n_smtp._tls.example.test. TXT \"v=TLSRPTv1; rua=mailto:u@example.test\"", Warning, "invalid"},
		{"tls-rpt", "", Notice, "no reports"},

		{"bimi", "", Notice, "no BIMI record"},
		{"bimi", `default._bimi.example.test. TXT "v=BIMI1; l=https://example.test/logo.svg"`, Warning, "has no effect"},
		{"bimi", "default._bimi.example.test. TXT \"v=BIMI1; l=https://example.test/logo.svg\"\n_dmarc.example.test. TXT \"v=DMARC1; p=reject\"", OK, "has a BIMI record"},
		{"bimi", "default._bimi.example.test. TXT \"v=BIMI1; l=logo\"\n_dmarc.example.test. TXT \"v=DMARC1; p=reject\"", Warning, "names no logo"},

		{"mta-sts", "", Notice, "no MTA-STS policy"},
		{"mta-sts", "_mta-sts.example.test. TXT \"v=STSv1; id=1\"", Warning, "cannot be used"},
		{"mta-sts", `_mta-sts.example.test. TXT "v=STSv10; id=1"`, Notice, "no MTA-STS policy"},
		{"mta-sts", `_mta-sts.example.test. TXT "v=STSv1;"`, Warning, "_mta-sts.example.test is invalid"},
		{"mta-sts", `_mta-sts.example.test. TXT "v=STSv1; id=2026-01-01"`, Warning, "_mta-sts.example.test is invalid"},
		{"mta-sts", "_mta-sts.example.test. TXT \"v=STSv1; id=1\"\n_mta-sts.example.test. TXT \"v=STSv1; id=2\"", Warning, "_mta-sts.example.test is invalid"},
	} {
		o, _ := withZone(t, c.zone)
		want(t, o, c.check, c.severity, c.text)
	}
}

func TestFailedLookupsAreErrors(t *testing.T) {
	t.Parallel()
	o, server := withZone(t, "")
	for _, name := range []string{"example.test", "_dmarc.example.test", "_smtp._tls.example.test"} {
		server.Break(name)
	}
	for _, name := range []string{"mx", "spf", "dmarc", "tls-rpt"} {
		want(t, o, name, Error, "failed")
	}
}

// TestSPFLookupsAreCounted counts the terms that cause look-ups, also in included records.
func TestSPFLookupsAreCounted(t *testing.T) {
	t.Parallel()
	zone := func(n int) string {
		out := "mail.test. A 192.0.2.1\nexample.test. TXT \"v=spf1 include:a.test include:b.test -all\"\nb.test. TXT \"v=spf1 redirect=c.test\"\nc.test. TXT \"v=spf1 ip4:192.0.2.0/24 ~all\"\n"
		return out + `a.test. TXT "v=spf1` + strings.Repeat(" a:mail.test", n) + ` -all"`
	}
	for n, severity := range map[int]Severity{6: OK, 7: Warning, 8: Error} {
		o, _ := withZone(t, zone(n))
		want(t, o, "spf", severity, fmt.Sprintf("%d", n+3))
	}
	o, _ := withZone(t, zone(60))
	want(t, o, "spf", Error, "more than 40 look-ups")
}

func TestSPFResults(t *testing.T) {
	t.Parallel()
	const hosts = "relay.test. A 192.0.2.9\nrelay.test. AAAA 2001:db8::9\nmx.test. MX 10 relay.test.\nin.test. TXT \"v=spf1 ip4:192.0.2.1 ~ip4:192.0.2.2 -all\"\n"
	for record, results := range map[string]map[string]string{
		"v=spf1 ip4:192.0.2.0/30 -all":                {"192.0.2.1": "pass", "192.0.2.9": "fail"},
		"v=spf1 ip6:2001:db8::/32 ~all":               {"2001:db8::9": "pass", "192.0.2.9": "softfail"},
		"v=spf1 include:in.test ?all":                 {"192.0.2.1": "pass", "192.0.2.2": "neutral", "192.0.2.3": "neutral"},
		"v=spf1 a:relay.test/30 a:relay.test//32 ":    {"192.0.2.9": "pass", "192.0.2.11": "pass", "192.0.2.12": "", "2001:db8::1": "pass"},
		"v=spf1 mx:mx.test -all":                      {"192.0.2.9": "pass", "2001:db8::9": "pass", "192.0.2.1": "fail"},
		"v=spf1 redirect=in.test":                     {"192.0.2.1": "pass", "192.0.2.2": "softfail", "192.0.2.3": "fail"},
		"v=spf1 ip4:192.0.2.7 redirect=in.test -all":  {"192.0.2.1": "fail", "192.0.2.7": "pass"},
		"v=spf1 -ip4:192.0.2.1 ip4:192.0.2.0/24 -all": {"192.0.2.1": "fail", "192.0.2.2": "pass"},
	} {
		server := testkit.StartDNS(t, hosts+`example.test. TXT "`+record+`"`)
		resolver, _ := NewResolver(server.Address)
		for address, result := range results {
			got, err := evaluateSPF(context.Background(), resolver, "example.test", []netip.Addr{netip.MustParseAddr(address)})
			if err != nil || got.matches[netip.MustParseAddr(address)] != result {
				t.Errorf("%s for %s: got %q, %v; want %q", record, address, got.matches[netip.MustParseAddr(address)], err, result)
			}
		}
	}
}

func TestOutgoingAddressIsCheckedAgainstSPFAndPTR(t *testing.T) {
	t.Parallel()
	o, server := withZone(t, "example.test. TXT \"v=spf1 ip4:192.0.2.1 -all\"\n1.2.0.192.in-addr.arpa. PTR mail.example.test.\nmail.example.test. A 192.0.2.1\n2.2.0.192.in-addr.arpa. PTR other.example.test.\nother.example.test. A 192.0.2.99")
	o.Outgoing = []string{"192.0.2.1"}
	want(t, o, "spf", OK, "192.0.2.1 may send")
	want(t, o, "ptr", OK, "leads back")
	o.Outgoing = []string{"192.0.2.2"}
	want(t, o, "spf", Error, "the result is fail")
	want(t, o, "ptr", Error, "does not lead back")
	o.Outgoing = []string{"192.0.2.3"}
	want(t, o, "ptr", Error, "no name")
	server.Break("3.2.0.192.in-addr.arpa")
	want(t, o, "ptr", Error, "failed")
	o.Outgoing = nil
	want(t, o, "ptr", Notice, "not known")
}

func TestKeyInDNSIsCompared(t *testing.T) {
	t.Parallel()
	private, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	key := mailer.DKIMKey{Domain: "example.test", Selector: "a", Signer: private}
	record, err := mailer.DKIMRecord(private)
	if err != nil {
		t.Fatal(err)
	}
	other, err := mailer.GenerateKey("ed25519")
	if err != nil {
		t.Fatal(err)
	}
	half := len(record) / 2
	for zone, c := range map[string]struct {
		severity Severity
		text     string
	}{
		"": {Error, "no DKIM record"},
		`a._domainkey.example.test. TXT "` + record[:half] + `" "` + record[half:] + `"`: {Notice, "1024 bits"},
		`a._domainkey.example.test. TXT "` + other.Record + `"`:                          {Error, "not that of the configured key"},
		`a._domainkey.example.test. TXT "v=DKIM1; p="`:                                   {Error, "revoked"},
		`a._domainkey.example.test. TXT "` + record + `; t=y"`:                           {Warning, "test"},
		"a._domainkey.example.test. TXT x\na._domainkey.example.test. TXT y":             {Error, "2 TXT records"},
	} {
		o, _ := withZone(t, zone)
		o.DKIM = []mailer.DKIMKey{key}
		want(t, o, "dkim", c.severity, c.text)
	}
	signer, err := mailer.ParsePrivateKey(other.PEM)
	if err != nil {
		t.Fatal(err)
	}
	o, _ := withZone(t, `a._domainkey.example.test. TXT "`+other.Record+`"`)
	o.DKIM = []mailer.DKIMKey{{Domain: "example.test", Selector: "a", Signer: signer}}
	want(t, o, "dkim", OK, "is that of the configured key")
	o.DKIM = nil
	want(t, o, "dkim", Warning, "no DKIM key is configured")
}

func TestAlignment(t *testing.T) {
	t.Parallel()
	const relaxed, strict = "_dmarc.example.test. TXT \"v=DMARC1; p=none\"\n", "_dmarc.example.test. TXT \"v=DMARC1; p=none; adkim=s; aspf=s\"\n"
	for _, c := range []struct {
		zone, key, path string
		severity        Severity
		text            string
	}{
		{relaxed, "example.test", "", OK, "align with example.test"},
		{relaxed, "mail.example.test", "bounces.example.test", OK, "align with example.test"},
		{strict, "mail.example.test", "bounces.example.test", Error, "neither"},
		{relaxed, "example.test", "bounces.other.test", Warning, "the return path"},
		{relaxed, "other.test", "bounces.example.test", Warning, "no configured DKIM key aligns"},
		{relaxed, "", "bounces.example.test", Notice, "depends on the relay"},
		{relaxed, "other.test", "other.test", Error, "neither"},
	} {
		o, _ := withZone(t, c.zone)
		if c.key != "" {
			o.DKIM = []mailer.DKIMKey{{Domain: c.key}}
		}
		o.Config.Bounces.ReadElsewhere, o.Config.Mail.ReturnPathDomain = true, c.path
		want(t, o, "alignment", c.severity, c.text)
	}
}

// TestTreeWalk has the cases of RFC 9989, section 4.10: which domains are asked, and which is the
// organization.
func TestTreeWalk(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		domain, zone, organization, policyAt string
	}{
		{"a.mail.example.test", `_dmarc.example.test. TXT "v=DMARC1; p=none"`, "example.test", "example.test"},
		{"a.mail.example.test", "_dmarc.mail.example.test. TXT \"v=DMARC1; p=none\"\n_dmarc.example.test. TXT \"v=DMARC1; p=none\"", "example.test", "example.test"},
		{"a.mail.example.test", "_dmarc.mail.example.test. TXT \"v=DMARC1; p=none; psd=n\"\n_dmarc.example.test. TXT \"v=DMARC1; p=none\"", "mail.example.test", "mail.example.test"},
		{"giant.bank.test", "_dmarc.bank.test. TXT \"v=DMARC1; p=none; psd=y\"", "giant.bank.test", "bank.test"},
		{"mail.giant.bank.test", "_dmarc.giant.bank.test. TXT \"v=DMARC1; p=none\"\n_dmarc.bank.test. TXT \"v=DMARC1; p=reject; psd=y\"", "giant.bank.test", "giant.bank.test"},
		{"example.test", "", "example.test", ""},
		{"a.b.c.d.e.f.g.h.i.j.example.test", "_dmarc.example.test. TXT \"v=DMARC1; p=none\"", "example.test", "example.test"},
	} {
		server := testkit.StartDNS(t, c.zone)
		resolver, _ := NewResolver(server.Address)
		got, err := walkTree(context.Background(), resolver, c.domain)
		if err != nil {
			t.Fatal(err)
		}
		at := ""
		if policy := got.policy(); policy != nil {
			at = policy.domain
		}
		if got.organization() != c.organization || at != c.policyAt {
			t.Errorf("%s: got organization %s and the policy at %q; want %s and %q", c.domain, got.organization(), at, c.organization, c.policyAt)
		}
		if strings.HasPrefix(c.domain, "a.b.c.d.e") && (server.Asked("_dmarc.d.e.f.g.h.i.j.example.test") > 0 || server.Asked("_dmarc.g.h.i.j.example.test") > 0 && server.Asked("_dmarc.f.g.h.i.j.example.test") == 0) {
			t.Errorf("%s: the walk must go on with seven labels", c.domain)
		}
	}
}
