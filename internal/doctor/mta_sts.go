package doctor

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// checkMTASTS checks whether mail to a domain is protected by MTA-STS (RFC 8461), and whether the
// policy covers the mail servers of the domain.
func checkMTASTS(ctx context.Context, o *Options, domain string) []Finding {
	all, err := o.DNS.TXT(ctx, "_mta-sts."+domain)
	if err != nil {
		return one(lookupFailed(err))
	}
	all = slices.DeleteFunc(all, func(text string) bool { return !strings.HasPrefix(text, "v=STSv1;") })
	if len(all) == 0 {
		return one(Finding{Severity: Notice, What: domain + " has no MTA-STS policy", Why: "It makes servers deliver replies and bounces over TLS only. It has no effect on mail that you send.", Fix: "Optional: publish _mta-sts." + domain + " and the policy (RFC 8461)."})
	}
	if len(all) > 1 || !stsID.MatchString(parseTags(all[0])["id"]) {
		return one(Finding{Severity: Warning, What: "the MTA-STS record at _mta-sts." + domain + " is invalid", Why: "Senders ignore the policy (RFC 8461, section 3.1).", Fix: "Publish one record such as \"v=STSv1; id=20260101\"; the id has up to 32 letters and digits."})
	}
	var policy stsPolicy
	text, err := o.Client.get(ctx, o.DNS, "https://mta-sts."+domain+"/.well-known/mta-sts.txt")
	if err == nil {
		policy, err = parseSTSPolicy(text)
	}
	if err != nil {
		return one(Finding{Severity: Warning, What: fmt.Sprintf("%s has an MTA-STS record, but its policy cannot be used: %v", domain, err), Why: "Senders ignore the policy, or keep to an old one and do not deliver replies.", Fix: "Serve a valid policy at https://mta-sts." + domain + "/.well-known/mta-sts.txt (RFC 8461, section 3.2)."})
	}
	if policy.mode == "none" {
		return one(ok("%s has an MTA-STS policy, which is turned off", domain))
	}
	servers, err := o.DNS.MX(ctx, domain)
	if err != nil {
		return one(lookupFailed(err))
	}
	for _, server := range servers {
		if !policy.covers(server) {
			found := Finding{
				Severity: Warning, What: fmt.Sprintf("the MTA-STS policy of %s does not name its mail server %s", domain, strings.TrimSuffix(server, ".")),
				Why: "Once the policy is enforced, servers deliver no replies and bounces to it (RFC 8461, section 5).", Fix: "Add an mx line for it to the policy, and change the id of the record at _mta-sts." + domain + ".",
			}
			if policy.mode == "enforce" {
				found.Severity, found.Why = Error, "Servers deliver no replies and bounces to it (RFC 8461, section 5)."
			}
			return one(found)
		}
	}
	return one(ok("%s has an MTA-STS policy (%s) that covers its mail servers", domain, policy.mode))
}

// stsPolicy is a policy of MTA-STS.
type stsPolicy struct {
	mode string   // enforce, testing or none
	mx   []string // names of mail servers in lower case; the first label may be "*"
}

// stsID matches the id of a record.
var stsID = regexp.MustCompile(`^[A-Za-z0-9]{1,32}$`)

// maxSTSAge is the largest max_age of a policy, in seconds.
const maxSTSAge = 31557600

// parseSTSPolicy reads a policy as RFC 8461, section 3.2, defines it: one field on each line, in any order;
// all but mx must occur once, and unknown ones are ignored.
func parseSTSPolicy(text string) (p stsPolicy, err error) {
	fields := map[string]string{}
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(line, ":")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		if key == "mx" {
			p.mx = append(p.mx, strings.ToLower(value))
		} else if fields[key] == "" { // of several the first counts
			fields[key] = value
		}
	}
	p.mode = fields["mode"]
	age, invalid := strconv.ParseUint(fields["max_age"], 10, 32)
	switch {
	case fields["version"] != "STSv1":
		return p, errors.New("it has no line \"version: STSv1\"")
	case p.mode != "enforce" && p.mode != "testing" && p.mode != "none":
		return p, errors.New("its mode is not enforce, testing or none")
	case invalid != nil || age > maxSTSAge:
		return p, fmt.Errorf("its max_age is not a number of seconds up to %d", maxSTSAge)
	case len(p.mx) == 0 && p.mode != "none":
		return p, errors.New("it names no mail server (mx)")
	}
	return p, nil
}

// covers reports whether the policy names a mail server (RFC 8461, section 4.1). A "*" stands for one
// label.
func (p stsPolicy) covers(server string) bool {
	server = strings.ToLower(strings.TrimSuffix(server, "."))
	_, parent, _ := strings.Cut(server, ".")
	return slices.Contains(p.mx, server) || parent != "" && slices.Contains(p.mx, "*."+parent)
}
