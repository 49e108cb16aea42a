package mailer

import (
	"regexp"
	"slices"
	"strings"
)

// messageIDLine finds the id of the mail that came back where it is quoted in the
// text of a report.
var messageIDLine = regexp.MustCompile(`(?im)^[> \t]*Message-ID:\s*(<[^<>\s]+@[^<>\s]+>)`)

// guess reads reports without a part for machines, as qmail, old Exims and many
// gateways write them. Answers of people and of their holidays come to return
// paths too, so the sender must be a mail system.
func (r *reading) guess() {
	text := string(r.text)
	for _, m := range messageIDLine.FindAllStringSubmatch(text, recipientsMax) {
		r.messageID(m[1])
	}
	failed := r.top.Get("X-Failed-Recipients")
	if failed == "" && !r.fromSystem() {
		return
	}
	reply := quotedReply(text)
	if failed == "" && reply.Code == 0 && reply.Enhanced == "" {
		return // a notice of some kind, not a failure
	}
	r.Kind = DeliveryReport
	for address := range strings.FieldsFuncSeq(failed, func(c rune) bool { return c == ',' || c == ' ' || c == '\t' || c == '\n' || c == '\r' }) {
		if len(r.Recipients) < recipientsMax {
			r.Recipients = append(r.Recipients, Recipient{Address: typed(address), Action: "failed", Reply: reply})
		}
	}
	if len(r.Recipients) == 0 {
		r.Recipients = []Recipient{{Action: r.action(reply), Reply: reply}}
	}
}

// action is what became of a mail by the reply that a report quotes.
func (r *reading) action(reply Reply) string {
	subject := strings.ToLower(r.top.Get("Subject"))
	if reply.Temporary() || strings.HasPrefix(reply.Enhanced, "4.") || strings.Contains(subject, "delay") || strings.Contains(subject, "warning") {
		return "delayed"
	}
	return "failed"
}

var systems = []string{"mailer-daemon", "postmaster", "mail-daemon", "maildaemon", "mdaemon"}

// fromSystem says whether a mail comes from a mail system: with the null return
// path, or from one of the names that these have.
func (r *reading) fromSystem() bool {
	from := strings.ToLower(r.top.Get("From"))
	named := slices.ContainsFunc(systems, func(name string) bool { return strings.Contains(from, name) })
	report, params, _ := r.top.ContentType()
	return named || report == "multipart/report" && strings.EqualFold(params["report-type"], "delivery-status")
}

// quotedReply finds the reply that a report quotes: the first line with a code.
// One without any, such as Exim's "Unrouteable address", is about the recipient all
// the same.
func quotedReply(text string) Reply {
	best := Reply{Stage: StageRcpt}
	for line := range strings.Lines(text) {
		reply := diagnostic(strings.ReplaceAll(line, ";", ","))
		if reply.Enhanced != "" {
			return reply
		}
		if best.Code == 0 && reply.Code != 0 {
			best = reply
		}
	}
	return best
}
