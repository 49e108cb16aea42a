package doctor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"mime"
	"net/mail"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/emersion/go-msgauth/dkim"

	"github.com/tidings-press/tidings/mailer"
)

// crlf returns a mail with CRLF line ends, which signatures are about; mailboxes in files have LF.
func crlf(data []byte) []byte {
	return bytes.ReplaceAll(bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
}

// domainOf returns the part of an address after the @, in lower case.
func domainOf(address string) string {
	return strings.ToLower(address[strings.LastIndex(address, "@")+1:])
}

// header returns the header of a mail; an empty one if it cannot be parsed.
func header(data []byte) mail.Header {
	if m, err := mail.ReadMessage(bytes.NewReader(data)); err == nil {
		return m.Header
	}
	return mail.Header{}
}

// bare removes white space and angle brackets around an address or a Message-ID.
func bare(text string) string { return strings.Trim(text, "<> \t") }

// isIn reports whether a mail is this one. Some mail services give mails a Message-ID of their own.
// Bounces, which quote the subject, have another author.
func (s *SentMail) isIn(data []byte) bool {
	h := header(data)
	if bare(h.Get("Message-Id")) == s.MessageID {
		return true
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(h.Get("Subject"))
	return err == nil && strings.Contains(subject, s.Code) && strings.EqualFold(author(h), s.From)
}

// author returns the address of From, empty if there is not exactly one.
func author(h mail.Header) string {
	from, err := h.AddressList("From")
	if err != nil || len(from) != 1 {
		return ""
	}
	return from[0].Address
}

// received holds what the headers of a test mail contain.
type received struct {
	sent       SentMail
	data       []byte
	header     mail.Header
	returnPath string   // of the header, or else as sent
	signed     []string // domains whose signature is valid
	spf        string   // result, empty if it is not known
}

// checkArrived checks the headers of a test mail: return path, signatures, SPF and their alignment with
// From (DMARC).
func checkArrived(ctx context.Context, o *Options, mail *arrived) []Finding {
	r := &received{sent: mail.sent, data: mail.data, header: header(mail.data), returnPath: mail.sent.ReturnPath}
	out := one(ok("the test mail over relay %s arrived in %s", r.sent.Relay, o.TestMail.Mailbox))
	out = append(out, r.checkReturnPath(o)...)
	out = append(out, r.checkSignatures(ctx, o)...)
	out = append(out, r.checkSPF(ctx, o)...)
	out = append(out, r.checkAlignment(ctx, o)...)
	return append(out, r.checkVerdicts()...)
}

func (r *received) checkReturnPath(o *Options) (out []Finding) {
	if id := bare(r.header.Get("Message-Id")); id != r.sent.MessageID {
		out = append(out, Finding{Severity: Notice, What: fmt.Sprintf("relay %s replaced the Message-ID", r.sent.Relay), Why: "Bounces that name only the Message-ID are not recognized, and a mail that is sent again counts as another one.", Fix: "If the relay reports bounces by webhook, see docs/bounces.md for extra_headers."})
	}
	got, written := r.header["Return-Path"]
	switch {
	case !written:
		return append(out, Finding{Severity: Notice, What: "the mailbox shows no Return-Path", Why: "Whether the relay keeps the return path is not known.", Fix: "Read the mail in another mailbox, or look into the log of the receiving server."})
	case strings.EqualFold(bare(got[0]), r.sent.ReturnPath) && !o.Config.ReadsReturnPaths():
		return append(out, ok("the return path is the sender %s, because nothing reads bounces", r.sent.ReturnPath))
	case strings.EqualFold(bare(got[0]), r.sent.ReturnPath):
		return append(out, ok("the return path is the signed address of the mail"))
	}
	r.returnPath = bare(got[0])
	f := Finding{
		Severity: Warning, What: fmt.Sprintf("relay %s replaced the return path by <%s>", r.sent.Relay, r.returnPath),
		Why: "Bounces go there and not to this service, so addresses that do not exist are mailed again, which harms the reputation of the sender.",
		Fix: "Let the relay keep MAIL FROM, or let the mail service report bounces by webhook (docs/bounces.md).",
	}
	if len(o.Config.Bounces.Webhooks) > 0 {
		f.Severity, f.Why, f.Fix = Notice, "Bounces go there; a webhook is configured that can report them.", ""
	}
	return append(out, f)
}

// checkSignatures verifies the signatures of the mail as it arrived, with the keys in DNS.
func (r *received) checkSignatures(ctx context.Context, o *Options) (out []Finding) {
	found, err := dkim.VerifyWithOptions(bytes.NewReader(r.data), &dkim.VerifyOptions{
		LookupTXT:        func(name string) ([]string, error) { return o.DNS.TXT(ctx, name) },
		MaxVerifications: 10,
	})
	if err != nil && !errors.Is(err, dkim.ErrTooManySignatures) {
		return one(Finding{Severity: Error, What: fmt.Sprintf("the signatures of the test mail cannot be verified: %v", err), Why: dkimWhy, Fix: "Check what the servers on the way do to the mail."})
	}
	for _, v := range found {
		if v.Err == nil {
			r.signed = append(r.signed, strings.ToLower(v.Domain))
			out = append(out, ok("the DKIM signature of %s is valid", v.Domain))
			continue
		}
		out = append(out, r.brokenSignature(o, v))
	}
	for _, key := range o.DKIM {
		if !slices.ContainsFunc(found, func(v *dkim.Verification) bool { return strings.EqualFold(v.Domain, key.Domain) }) {
			out = append(out, Finding{Severity: Error, What: fmt.Sprintf("the test mail over relay %s arrived without the signature of %s", r.sent.Relay, key.Domain), Why: dkimWhy, Fix: "Let the relay keep the header DKIM-Signature."})
		}
	}
	if len(found) == 0 && len(o.DKIM) == 0 {
		out = append(out, Finding{Severity: Warning, What: "the test mail has no DKIM signature", Why: dkimWhy, Fix: "Create a key with tidings dkim keygen and add it under mail.dkim, or let the relay sign."})
	}
	return out
}

// brokenSignature is the finding for a signature that does not verify. That of another domain is the relay's.
func (r *received) brokenSignature(o *Options, v *dkim.Verification) Finding {
	reason := strings.TrimPrefix(v.Err.Error(), "dkim: ")
	f := Finding{Severity: Warning, What: fmt.Sprintf("the DKIM signature of %s on the test mail over relay %s is not valid: %s", v.Domain, r.sent.Relay, reason), Why: dkimWhy}
	if slices.ContainsFunc(o.DKIM, func(key mailer.DKIMKey) bool { return strings.EqualFold(v.Domain, key.Domain) }) {
		f.Severity = Error
	}
	switch {
	case strings.Contains(reason, "body hash"):
		f.Fix = "A server on the way changes the body: a footer, tracking of links or opens, a virus scanner, or another line length. Turn that off in the relay."
	case strings.Contains(reason, "key"):
		f.Fix = "Publish the record of the key; the check dkim shows it."
	default:
		f.Fix = "Check the record in DNS (the check dkim compares it), and whether the relay changes headers such as From, Subject or Date."
	}
	return f
}

// comments are the comments of a header field.
var comments = regexp.MustCompile(`\([^()]*\)`)

// aroundEquals matches an equals sign with the white space around it.
var aroundEquals = regexp.MustCompile(`\s*=\s*`)

// verdicts returns the results of a method such as spf in the headers that servers on the way wrote, the
// last server's first (RFC 8601, section 2.2).
func (r *received) verdicts(method string) (out []string) {
	for _, field := range r.header["Authentication-Results"] {
		for comments.MatchString(field) {
			field = comments.ReplaceAllString(field, " ")
		}
		for _, part := range strings.Split(field, ";")[1:] {
			words := strings.Fields(aroundEquals.ReplaceAllString(part, "="))
			if len(words) == 0 {
				continue
			}
			name, result, found := strings.Cut(strings.ToLower(words[0]), "=")
			name, _, _ = strings.Cut(name, "/") // its version
			if found && name == method {
				out = append(out, result)
			}
		}
	}
	return out
}

// checkSPF takes the result that the receiving server wrote, or else evaluates the record for the address
// that connected.
func (r *received) checkSPF(ctx context.Context, o *Options) []Finding {
	domain := domainOf(r.returnPath)
	if found := r.verdicts("spf"); len(found) > 0 {
		r.spf = found[0]
	} else if words := strings.Fields(r.header.Get("Received-Spf")); len(words) > 0 { // RFC 7208, section 9.1
		r.spf = strings.ToLower(words[0])
	}
	if r.spf != "" {
		if r.spf == "pass" {
			return one(ok("the receiving server found that SPF passes for %s", domain))
		}
		return one(Finding{Severity: Error, What: fmt.Sprintf("the receiving server found the SPF result %s for %s", r.spf, domain), Why: spfWhy, Fix: "Add the address that the relay sends from to the SPF record of " + domain + "; the check spf has more."})
	}
	address, found := r.connected()
	if !found {
		return one(Finding{Severity: Notice, What: "the headers do not show which address connected to the receiving server, so SPF was not checked", Fix: "Read the test mail in a mailbox at a large provider, whose servers write Authentication-Results."})
	}
	result, err := evaluateSPF(ctx, o.DNS, domain, []netip.Addr{address})
	var wrong *spfError
	if err != nil && !errors.As(err, &wrong) {
		return one(lookupFailed(err))
	}
	switch r.spf = result.matches[address]; {
	case wrong != nil:
		r.spf = "permerror"
	case result.record == "":
		r.spf = "none"
	case r.spf == "":
		r.spf = "neutral" // no term matches (RFC 7208, section 4.7)
	}
	switch {
	case r.spf == "pass":
		return one(ok("%s, which connected to the receiving server, may send for %s", address, domain))
	case !address.IsGlobalUnicast() || address.IsPrivate():
		r.spf = ""
		return one(Finding{Severity: Notice, What: fmt.Sprintf("the mail came to the receiving server from %s, an address of this network, which SPF says nothing about", address), Fix: "Send the test mail to a mailbox outside of this network."})
	case result.macros:
		r.spf = ""
		return one(Finding{Severity: Notice, What: fmt.Sprintf("whether %s may send for %s depends on macros in the SPF record, which are not evaluated", address, domain)})
	}
	return one(Finding{Severity: Error, What: fmt.Sprintf("%s, which connected to the receiving server, gets the SPF result %s for %s", address, r.spf, domain), Why: spfWhy, Fix: fmt.Sprintf("Add the address to the SPF record of %s, or the include of the relay.", domain)})
}

// addressLiteral is an IP address in brackets, as servers write a client's in Received.
var addressLiteral = regexp.MustCompile(`\[(?:IPv6:)?([0-9A-Fa-f:.]+)\]`)

// The name that a client gave in EHLO may be an address literal of its choice. It comes before the comment
// with the client's address (RFC 5321, section 4.4), or after the word helo, as Exim writes it.
var (
	heloWord   = regexp.MustCompile(`(?i)\bhelo[ =][^\s()]+`)
	heloBefore = regexp.MustCompile(`(?i)^\s*from\s+\S+\s+(\([^()]*\[[^\]\s]+\])`)
)

// connected returns the address that handed the mail to the receiving server: that of the first Received
// that has one, the servers behind it left out, which have addresses of their network.
func (r *received) connected() (first netip.Addr, found bool) {
	for _, field := range r.header["Received"] {
		from, _, _ := strings.Cut(" "+field, " by ")
		from = heloBefore.ReplaceAllString(heloWord.ReplaceAllString(from, ""), "$1")
		for _, match := range addressLiteral.FindAllStringSubmatch(from, -1) {
			address, err := netip.ParseAddr(match[1])
			if err != nil {
				continue
			}
			if address = address.Unmap(); address.IsGlobalUnicast() && !address.IsPrivate() {
				return address, true
			}
			if !found {
				first, found = address, true
			}
		}
	}
	return first, found
}

// checkAlignment checks what DMARC requires: a valid signature or a passing return path of the domain in
// From.
func (r *received) checkAlignment(ctx context.Context, o *Options) []Finding {
	from := author(r.header)
	if !strings.EqualFold(from, r.sent.From) {
		return one(Finding{Severity: Error, What: fmt.Sprintf("From is %q and not the sender %s", r.header.Get("From"), r.sent.From), Why: "A changed sender breaks the signature, and DMARC judges the new domain.", Fix: "Let the relay keep From."})
	}
	domain := domainOf(from)
	walked, err := walkTree(ctx, o.DNS, domain)
	if err != nil {
		return one(lookupFailed(err))
	}
	tags := map[string]string{}
	if record := walked.policy(); record != nil {
		tags = record.tags
	}
	signed := ""
	for _, signer := range r.signed {
		fits, err := aligned(ctx, o.DNS, signer, walked, tags["adkim"])
		if err != nil {
			return one(lookupFailed(err))
		}
		if fits {
			signed = signer
			break
		}
	}
	path := domainOf(r.returnPath)
	returns, err := aligned(ctx, o.DNS, path, walked, tags["aspf"])
	if err != nil {
		return one(lookupFailed(err))
	}
	const why = "DMARC passes only if a valid signature or a return path for which SPF passes belongs to the domain in From. Gmail defers other bulk mail by 421 4.7.32, Outlook.com refuses it by 550 5.7.515."
	failed := r.spf != "" && r.spf != "pass"
	switch {
	case signed != "" && returns && !failed:
		return one(ok("the signature of %s and the return path (%s) align with From (%s)", signed, path, domain))
	case signed != "" && !returns:
		return one(Finding{Severity: Warning, What: fmt.Sprintf("the return path of the test mail (%s) does not align with From (%s); only the signature of %s does", path, domain, signed), Why: "A forwarder that changes a mail breaks the signature; an aligned return path gives receivers a second proof.", Fix: "Set mail.return_path_domain to a domain below " + walked.organization() + ", and let the relay keep it."})
	case signed != "":
		return one(ok("the signature of %s aligns with From (%s)", signed, domain)) // checkSPF has the rest
	case returns && !failed:
		return one(Finding{Severity: Warning, What: fmt.Sprintf("no valid signature aligns with From (%s); only the return path (%s) does", domain, path), Why: why + " SPF fails at every forwarder.", Fix: "Sign with a key of " + walked.organization() + " (mail.dkim)."})
	}
	return one(Finding{Severity: Error, What: fmt.Sprintf("neither a valid signature nor the return path (%s) aligns with From (%s), so DMARC fails", path, domain), Why: why, Fix: fmt.Sprintf("Sign with a key of %s (mail.dkim), and use a return path below it that the SPF record permits.", walked.organization())})
}

// checkVerdicts repeats what the receiving server found about DKIM and DMARC if it was not good.
func (r *received) checkVerdicts() (out []Finding) {
	for _, method := range []string{"dkim", "dmarc"} {
		found := r.verdicts(method)
		if len(found) == 0 {
			continue
		}
		// A mail has a result for each signature; one that passes is enough.
		if slices.Contains(found, "pass") {
			out = append(out, ok("the receiving server found %s=pass", method))
			continue
		}
		out = append(out, Finding{Severity: Error, What: fmt.Sprintf("the receiving server found %s=%s", method, found[0]), Why: dkimWhy, Fix: "Correct the other findings of this mail; if there are none, the server may have had old DNS records: try again in an hour."})
	}
	return out
}
