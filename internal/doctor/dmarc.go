package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// maxWalk is how many DNS queries a tree walk makes at most (RFC 9989, section 4.10): names of more than
// eight labels are shortened to seven after the first query.
const maxWalk = 8

// dmarcRecord is a DMARC record at a domain.
type dmarcRecord struct {
	domain string
	tags   map[string]string
}

// walk is the result of a DMARC tree walk from a domain.
type walk struct {
	start    string
	records  []dmarcRecord // in the order of the queries: from the domain itself upwards
	repeated []string      // domains with more than one record, which receivers ignore
}

// walkTree looks for the DMARC records of a domain and of the domains above it (RFC 9989, section 4.10).
func walkTree(ctx context.Context, dns Resolver, domain string) (walk, error) {
	out := walk{start: domain}
	labels := strings.Split(strings.ToLower(strings.TrimSuffix(domain, ".")), ".")
	for query := 0; len(labels) > 0 && query < maxWalk; query++ {
		name := strings.Join(labels, ".")
		all, err := dns.TXT(ctx, "_dmarc."+name)
		if err != nil {
			return out, err
		}
		found := slices.DeleteFunc(all, func(text string) bool { return !isDMARC(text) })
		if len(found) > 1 {
			out.repeated = append(out.repeated, name)
		}
		if len(found) == 1 {
			record := dmarcRecord{name, parseTags(found[0])}
			out.records = append(out.records, record)
			if psd := record.tags["psd"]; psd == "n" || psd == "y" && query > 0 {
				break
			}
		}
		labels = labels[max(1, len(labels)-7):]
	}
	return out, nil
}

// isDMARC reports whether a TXT record is a DMARC record: it begins with the tag v (RFC 9989, section 4.7).
func isDMARC(text string) bool {
	first, _, _ := strings.Cut(text, ";")
	name, value, found := strings.Cut(first, "=")
	return found && strings.TrimSpace(name) == "v" && strings.TrimSpace(value) == "DMARC1"
}

// parseTags parses a list of tags such as "v=DMARC1; p=none". Names and values are in lower case, except
// for those of keys and addresses.
func parseTags(text string) map[string]string {
	tags := map[string]string{}
	for _, part := range strings.Split(text, ";") {
		name, value, found := strings.Cut(part, "=")
		name, value = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)
		if _, repeated := tags[name]; !found || repeated {
			continue
		}
		if len(value) <= 12 {
			value = strings.ToLower(value)
		}
		tags[name] = value
	}
	return tags
}

// organization returns the organizational domain (RFC 9989, section 4.10.2).
func (w walk) organization() string {
	for i, r := range w.records {
		switch {
		case r.tags["psd"] == "n":
			return r.domain
		case r.tags["psd"] == "y" && (i > 0 || r.domain != w.start):
			return labelBelow(w.start, r.domain)
		}
	}
	if len(w.records) == 0 {
		return w.start
	}
	return w.records[len(w.records)-1].domain
}

// labelBelow returns the part of a domain that is one label longer than a domain above it.
func labelBelow(domain, above string) string {
	rest := strings.TrimSuffix(domain, "."+above)
	return rest[strings.LastIndex(rest, ".")+1:] + "." + above
}

// policy returns the record that applies to the domain: its own, its organizational domain's, or
// the one of the public suffix above; nil if there is none.
func (w walk) policy() *dmarcRecord {
	for _, domain := range []string{w.start, w.organization()} {
		for i := range w.records {
			if w.records[i].domain == domain {
				return &w.records[i]
			}
		}
	}
	for i := range w.records {
		if w.records[i].tags["psd"] == "y" {
			return &w.records[i]
		}
	}
	return nil
}

// requested returns the policy that a record requests for a domain.
func (r *dmarcRecord) requested(domain string) string {
	if policy, found := r.tags["sp"]; found && r.domain != domain {
		return policy
	}
	return r.tags["p"]
}

// dmarcWhy is why a DMARC record matters.
const dmarcWhy = "Gmail and Yahoo ask senders of many mails for a DMARC record; Outlook.com refuses their mail without one by 550 5.7.515."

func checkDMARC(ctx context.Context, o *Options, domain string) []Finding {
	found, err := walkTree(ctx, o.DNS, domain)
	if err != nil {
		return one(lookupFailed(err))
	}
	if len(found.repeated) > 0 {
		return one(Finding{Severity: Error, What: fmt.Sprintf("_dmarc.%s has more than one DMARC record, so receivers use none of them", found.repeated[0]), Why: dmarcWhy, Fix: "Remove all but one of them."})
	}
	record := found.policy()
	if record == nil {
		return one(Finding{
			Severity: Error, What: fmt.Sprintf("there is no DMARC record for %s", domain), Why: dmarcWhy,
			Fix: fmt.Sprintf("Add a TXT record at _dmarc.%s, such as \"v=DMARC1; p=none; rua=mailto:dmarc@%s\".", domain, domain),
		})
	}
	policy := record.requested(domain)
	if !slices.Contains([]string{"none", "quarantine", "reject"}, policy) {
		return one(Finding{Severity: Error, What: fmt.Sprintf("the DMARC record at _dmarc.%s requests the policy %q, which does not exist", record.domain, policy), Why: dmarcWhy, Fix: "Write p=none, p=quarantine or p=reject."})
	}
	out := one(ok("%s has a DMARC record at _dmarc.%s with the policy %s", domain, record.domain, policy))
	if policy == "none" {
		out = append(out, Finding{Severity: Notice, What: "the policy none lets others send mail in the name of " + domain, Fix: "Move to p=quarantine when the reports show that all of your own mail passes."})
	}
	if rua, found := record.tags["rua"]; !found {
		out = append(out, Finding{Severity: Notice, What: "the DMARC record asks for no reports", Fix: "Add rua=mailto:ADDRESS, and you learn which mail in your name fails."})
	} else if !areReportURIs(rua, "mailto:") {
		out = append(out, Finding{Severity: Notice, What: fmt.Sprintf("the DMARC record asks for reports to %q, which is not a mailto address, so there may be none", rua), Fix: "Write rua=mailto:ADDRESS."})
	}
	return out
}

// aligned reports whether a domain aligns with the author's (RFC 9989, section 3.2.10): it is the same,
// or, in relaxed mode, belongs to the same organization.
func aligned(ctx context.Context, dns Resolver, domain string, author walk, mode string) (bool, error) {
	if strings.EqualFold(domain, author.start) {
		return true, nil
	}
	if mode == "s" {
		return false, nil
	}
	found, err := walkTree(ctx, dns, domain)
	return err == nil && strings.EqualFold(found.organization(), author.organization()), err
}

func checkAlignment(ctx context.Context, o *Options, domain string) []Finding {
	author, err := walkTree(ctx, o.DNS, domain)
	if err != nil {
		return one(lookupFailed(err))
	}
	tags := map[string]string{}
	if record := author.policy(); record != nil {
		tags = record.tags
	}
	signed := false
	for _, key := range o.DKIM {
		fits, err := aligned(ctx, o.DNS, key.Domain, author, tags["adkim"])
		if err != nil {
			return one(lookupFailed(err))
		}
		signed = signed || fits
	}
	path := o.returnPathDomain(domain)
	returns, err := aligned(ctx, o.DNS, path, author, tags["aspf"])
	if err != nil {
		return one(lookupFailed(err))
	}
	const why = "DMARC passes only if the domain of the DKIM signature or of the return path belongs to the sender. Gmail defers other bulk mail by 421 4.7.32, Outlook.com refuses it by 550 5.7.515."
	switch {
	case signed && returns:
		return one(ok("the signature and the return path (%s) align with %s", path, domain))
	case signed:
		return one(Finding{Severity: Warning, What: fmt.Sprintf("the return path (%s) does not align with the sender's domain %s; only the signature does", path, domain), Why: "A forwarder that changes a mail breaks the signature; an aligned return path gives receivers a second proof.", Fix: "Set mail.return_path_domain to a domain below " + author.organization() + "."})
	case returns && len(o.DKIM) > 0:
		return one(Finding{Severity: Warning, What: fmt.Sprintf("no configured DKIM key aligns with %s; only the return path does", domain), Why: why + " SPF fails at every forwarder.", Fix: "Add a key of " + author.organization() + " under mail.dkim (tidings dkim keygen)."})
	case returns:
		return one(Finding{Severity: Notice, What: fmt.Sprintf("the return path (%s) aligns with %s; whether a signature does depends on the relay", path, domain), Fix: "Send a test mail (tidings doctor --send-to ADDRESS); its headers show it."})
	}
	return one(Finding{Severity: Error, What: fmt.Sprintf("neither a DKIM key nor the return path (%s) aligns with the sender's domain %s", path, domain), Why: why, Fix: fmt.Sprintf("Add a key of %s under mail.dkim (tidings dkim keygen), and set mail.return_path_domain to a domain below it.", author.organization())})
}
