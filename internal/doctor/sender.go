package doctor

import (
	"cmp"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/mailer"
)

// senderDomains returns the domains of the digests' senders, each once.
func (o *Options) senderDomains() []string {
	var out []string
	for i := range o.Config.Digests {
		_, address, err := subscriber.ParseMailbox(o.Config.Digests[i].Sender)
		if err != nil {
			continue
		}
		_, domain, _ := strings.Cut(address.ASCII(), "@")
		if !slices.Contains(out, domain) {
			out = append(out, domain)
		}
	}
	return out
}

// returnPathDomain returns the domain of the return paths of mails from a sender's domain.
func (o *Options) returnPathDomain(sender string) string {
	if o.Config.ReadsReturnPaths() {
		return cmp.Or(asciiName(o.Config.Mail.ReturnPathDomain), sender)
	}
	return sender
}

// eachSender returns a check that runs another one for the domain of each sender.
func eachSender(run func(ctx context.Context, o *Options, domain string) []Finding) func(context.Context, *Options) []Finding {
	return eachDomain((*Options).senderDomains, run)
}

// eachReturnPath returns a check that runs another one for the domain of each return path.
func eachReturnPath(run func(ctx context.Context, o *Options, domain string) []Finding) func(context.Context, *Options) []Finding {
	domains := func(o *Options) (out []string) {
		for _, sender := range o.senderDomains() {
			if path := o.returnPathDomain(sender); !slices.Contains(out, path) {
				out = append(out, path)
			}
		}
		return out
	}
	return eachDomain(domains, run)
}

func eachDomain(domains func(o *Options) []string, run func(ctx context.Context, o *Options, domain string) []Finding) func(context.Context, *Options) []Finding {
	return func(ctx context.Context, o *Options) (out []Finding) {
		if o.Config == nil {
			return one(withoutConfig)
		}
		for _, domain := range domains(o) {
			out = append(out, run(ctx, o, domain)...)
		}
		if len(out) == 0 {
			out = one(Finding{Severity: Notice, What: "no digest is configured, so there is no sender to check"})
		}
		return out
	}
}

func checkMX(ctx context.Context, o *Options, domain string) []Finding {
	const why = "Replies, complaints and bounces have nowhere to go, and many receivers refuse mail from a domain that takes none."
	names, err := o.DNS.MX(ctx, domain)
	if err != nil {
		return one(lookupFailed(err))
	}
	fix := fmt.Sprintf("Add an MX record for %s that names a mail server, or use a sender at a domain that receives mail.", domain)
	if len(names) == 0 {
		addresses, err := o.DNS.Addresses(ctx, domain)
		switch {
		case err != nil:
			return one(lookupFailed(err))
		case len(addresses) == 0:
			return one(Finding{Severity: Error, What: domain + " has neither an MX record nor an address", Why: why, Fix: fix})
		}
		return one(Finding{Severity: Warning, What: domain + " has no MX record; mail to it goes to its own address", Why: "It works only if a mail server listens there; some receivers count a missing MX record against a sender.", Fix: fix})
	}
	if names[0] == "." {
		return one(Finding{Severity: Error, What: domain + " declares that it takes no mail (null MX, RFC 7505)", Why: why, Fix: fix})
	}
	for _, name := range names {
		addresses, err := o.DNS.Addresses(ctx, name)
		if err != nil {
			return one(lookupFailed(err))
		}
		if len(addresses) > 0 {
			return one(ok("mail to %s goes to %s", domain, strings.TrimSuffix(names[0], ".")))
		}
	}
	return one(Finding{Severity: Error, What: fmt.Sprintf("no mail server of %s has an address", domain), Why: why, Fix: "Correct the MX record, or add the addresses of the hosts that it names."})
}

// dkimWhy is why DKIM matters.
const dkimWhy = "Gmail defers bulk mail whose signature does not pass by 421 4.7.30, and unauthenticated mail by 421 4.7.26 or 550 5.7.26; Outlook.com refuses it by 550 5.7.515, Yahoo by 554 5.7.9."

func checkDKIM(ctx context.Context, o *Options) []Finding {
	if o.Config == nil {
		return one(withoutConfig)
	}
	if len(o.DKIM) == 0 {
		return one(Finding{Severity: Warning, What: "no DKIM key is configured, so mail is signed only if the relay signs it", Why: dkimWhy, Fix: "Create a key with tidings dkim keygen and add it under mail.dkim, or send a proof to yourself (tidings digest test) and check that the relay signs for your domain."})
	}
	var out []Finding
	for _, key := range o.DKIM {
		out = append(out, checkKey(ctx, o, key))
	}
	return out
}

// checkKey compares the record of a key in DNS with the key (RFC 6376, section 3.6.1).
func checkKey(ctx context.Context, o *Options, key mailer.DKIMKey) Finding {
	name := key.Selector + "._domainkey." + key.Domain
	want, err := mailer.DKIMRecord(key.Signer)
	if err != nil {
		return Finding{Severity: Error, What: err.Error(), Fix: "Create a key with tidings dkim keygen."}
	}
	fix := fmt.Sprintf("Set the TXT record at %s to: %s", name, want)
	all, err := o.DNS.TXT(ctx, name)
	switch {
	case err != nil:
		return lookupFailed(err)
	case len(all) == 0:
		return Finding{Severity: Error, What: "there is no DKIM record at " + name, Why: dkimWhy, Fix: fix}
	case len(all) > 1:
		return Finding{Severity: Error, What: fmt.Sprintf("there are %d TXT records at %s; receivers take any of them", len(all), name), Why: dkimWhy, Fix: fix}
	}
	have, wanted := parseTags(all[0]), parseTags(want)
	switch published := strings.Join(strings.Fields(have["p"]), ""); {
	case published == "":
		return Finding{Severity: Error, What: "the DKIM record at " + name + " has no key, so the key counts as revoked", Why: dkimWhy, Fix: fix}
	case published != wanted["p"] || cmp.Or(have["k"], "rsa") != wanted["k"]:
		return Finding{Severity: Error, What: "the DKIM record at " + name + " is not that of the configured key", Why: dkimWhy, Fix: fix}
	case strings.Contains(have["t"], "y"):
		return Finding{Severity: Warning, What: "the DKIM record at " + name + " is marked as a test (t=y)", Why: "Receivers may treat the mail as unsigned.", Fix: fix}
	case wanted["k"] == "rsa" && rsaBits(wanted["p"]) < 1024:
		return Finding{Severity: Error, What: fmt.Sprintf("the DKIM key %s has %d bits", name, rsaBits(wanted["p"])), Why: "Receivers ignore RSA keys of less than 1024 bits (RFC 8301). " + dkimWhy, Fix: "Create a key of 2048 bits with tidings dkim keygen."}
	case wanted["k"] == "rsa" && rsaBits(wanted["p"]) < 2048:
		return Finding{Severity: Notice, What: fmt.Sprintf("the DKIM key %s has %d bits; 2048 are usual", name, rsaBits(wanted["p"])), Fix: "Create a key of 2048 bits with tidings dkim keygen, under a new selector."}
	}
	return ok("the DKIM record at %s is that of the configured key", name)
}

// rsaBits returns the size of a public key in base64, 0 if it is not an RSA key.
func rsaBits(text string) int {
	der, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return 0
	}
	public, err := x509.ParsePKIXPublicKey(der)
	if key, isRSA := public.(*rsa.PublicKey); err == nil && isRSA {
		return key.N.BitLen()
	}
	return 0
}

// checkTLSRPT checks whether a domain asks for reports about TLS (RFC 8460).
func checkTLSRPT(ctx context.Context, o *Options, domain string) []Finding {
	all, err := o.DNS.TXT(ctx, "_smtp._tls."+domain)
	if err != nil {
		return one(lookupFailed(err))
	}
	all = slices.DeleteFunc(all, func(text string) bool { return !strings.HasPrefix(text, "v=TLSRPTv1") })
	switch {
	case len(all) == 0:
		return one(Finding{Severity: Notice, What: domain + " asks for no reports about TLS (TLS-RPT)", Fix: fmt.Sprintf("Optional: add a TXT record at _smtp._tls.%s, such as \"v=TLSRPTv1; rua=mailto:tls@%s\".", domain, domain)})
	case len(all) > 1 || !areReportURIs(parseTags(all[0])["rua"], "mailto:", "https:"):
		return one(Finding{Severity: Warning, What: "the TLS-RPT record at _smtp._tls." + domain + " is invalid", Why: "No reports are sent (RFC 8460, section 3).", Fix: "Publish one record with rua=mailto:ADDRESS."})
	}
	return one(ok("%s gets reports about TLS", domain))
}

// areReportURIs reports whether a list of addresses that reports go to has one, and only such with these
// schemes. An address without "mailto:" gets no reports.
func areReportURIs(list string, schemes ...string) bool {
	for uri := range strings.SplitSeq(list, ",") {
		uri = strings.ToLower(strings.TrimSpace(uri))
		if !slices.ContainsFunc(schemes, func(scheme string) bool { return strings.HasPrefix(uri, scheme) && uri != scheme }) {
			return false
		}
	}
	return true
}

// checkBIMI checks the logo that mail programs show beside mails.
func checkBIMI(ctx context.Context, o *Options, domain string) []Finding {
	all, err := o.DNS.TXT(ctx, "default._bimi."+domain)
	if err != nil {
		return one(lookupFailed(err))
	}
	all = slices.DeleteFunc(all, func(text string) bool { return !strings.HasPrefix(text, "v=BIMI1") })
	if len(all) == 0 {
		return one(Finding{Severity: Notice, What: domain + " has no BIMI record", Why: "With one, Gmail and Yahoo can show a logo beside mails.", Fix: "Optional; it needs a DMARC policy of quarantine or reject."})
	}
	found, err := walkTree(ctx, o.DNS, domain)
	if err != nil {
		return one(lookupFailed(err))
	}
	record := found.policy()
	switch {
	case record == nil || record.requested(domain) == "none":
		return one(Finding{Severity: Warning, What: "the BIMI record of " + domain + " has no effect, because its DMARC policy is not quarantine or reject", Fix: "Set p=quarantine or p=reject in the DMARC record, or remove the BIMI record."})
	case !strings.HasPrefix(parseTags(all[0])["l"], "https://"):
		return one(Finding{Severity: Warning, What: "the BIMI record of " + domain + " names no logo with an https address", Fix: "Write l=https://… with an SVG in the profile Tiny PS."})
	}
	return one(ok("%s has a BIMI record", domain))
}
