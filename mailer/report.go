package mailer

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/emersion/go-message"
	"github.com/emersion/go-message/textproto"
)

// ReportKind says what came back.
type ReportKind string

// The kinds of reports.
const (
	DeliveryReport  ReportKind = "delivery"  // DSN, RFC 3464
	ComplaintReport ReportKind = "complaint" // ARF, RFC 5965
)

// ErrNoReport is returned for mails that are neither.
var ErrNoReport = errors.New("neither a delivery report nor a complaint")

// Report is a bounce or a complaint.
type Report struct {
	Kind       ReportKind
	Feedback   string      // of a complaint: "abuse", "fraud", "not-spam"…
	Recipients []Recipient // of a delivery report, or whom a complaint names; may be empty
	To         []string    // addresses the report itself was sent to: our VERP address among them
	MessageIDs []string    // of the mail that it is about, without brackets
}

// Recipient is one recipient's fate in a delivery report.
type Recipient struct {
	Address string // as the report has it; may be empty or another than we wrote to
	Action  string // failed, delayed, delivered, relayed or expanded (RFC 3464, section 2.3.3)
	Reply   Reply  // status and diagnostic code
}

// Class says what a recipient's fate means for the address: Accepted when the
// mail arrived, Later while it is still tried, and the classes of refusals for
// failures.
func (r Recipient) Class() Class {
	switch {
	case r.Action == "delivered" || r.Action == "relayed" || r.Action == "expanded":
		return Accepted
	case r.Action == "delayed":
		return Later
	case r.Reply.Temporary() || strings.HasPrefix(r.Reply.Enhanced, "4."):
		return Soft // they have given up
	}
	return refusal(r.Reply)
}

// What is read of a report. Anything past it is not needed for a decision.
const (
	reportMax     = 1 << 20
	partMax       = 128 << 10
	partsMax      = 40
	depthMax      = 6
	recipientsMax = 100
)

// ParseReport reads a mail that came to one of our return paths. It reads a
// bounded amount, and makes the best of reports that are cut short or not as the
// RFCs have them.
func ParseReport(r io.Reader) (Report, error) {
	data, err := io.ReadAll(io.LimitReader(r, reportMax))
	if err != nil {
		return Report{}, err
	}
	entity, err := message.Read(bytes.NewReader(data))
	if entity == nil {
		return Report{}, errors.Join(ErrNoReport, err)
	}
	reading := reading{top: &entity.Header}
	reading.addressed()
	reading.walk(entity, 0)
	return reading.report()
}

// reading collects what the parts of a report say.
type reading struct {
	Report
	top   *message.Header
	parts int
	text  []byte // of the parts for people, for reports without one for machines
	about bool   // a part has the mail that it is about
}

// walk looks at each part. Errors end the part: what has been read counts.
func (r *reading) walk(e *message.Entity, depth int) {
	if r.parts++; r.parts > partsMax || depth > depthMax {
		return
	}
	kind, _, _ := e.Header.ContentType()
	if parts := e.MultipartReader(); parts != nil {
		for {
			part, err := parts.NextPart()
			if part == nil || err != nil && !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err) {
				return
			}
			r.walk(part, depth+1)
		}
	}
	body, _ := io.ReadAll(io.LimitReader(e.Body, partMax))
	r.part(strings.ToLower(kind), body)
}

func (r *reading) part(kind string, body []byte) {
	switch kind {
	case "message/delivery-status", "message/global-delivery-status":
		r.deliveryStatus(body)
	case "message/feedback-report":
		r.feedback(body)
	case "message/rfc822", "message/global", "text/rfc822-headers", "message/rfc822-headers", "message/global-headers":
		r.original(body)
	case "text/plain", "text/html", "":
		r.text = append(r.text, body[:min(len(body), partMax-min(len(r.text), partMax))]...)
	}
}

// addressed notes whom the report came to. Servers add the envelope's recipient
// under one of these names; To has it as well in honest bounces.
func (r *reading) addressed() {
	for _, name := range []string{"Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "X-Delivered-To", "To"} {
		for f := r.top.FieldsByKey(name); f.Next(); {
			for address := range strings.FieldsFuncSeq(f.Value(), func(r rune) bool { return strings.ContainsRune(" ,;<>\"\t\r\n", r) }) {
				if strings.Contains(address, "@") && len(r.To) < recipientsMax {
					r.To = append(r.To, address)
				}
			}
		}
	}
}

// original takes the Message-ID from the mail that came back, or its headers.
func (r *reading) original(body []byte) {
	r.about = true
	for _, group := range fieldGroups(body, 1) {
		r.messageID(group.Get("Message-ID"))
		if r.Kind == "" && group.Get("X-HmXmrOriginalRecipient") != "" { // Outlook.com's complaints, which are no ARF
			r.Kind, r.Feedback = ComplaintReport, "abuse"
		}
	}
}

// messageID notes the ids in a header value.
func (r *reading) messageID(value string) {
	for id := range strings.FieldsFuncSeq(value, func(r rune) bool { return strings.ContainsRune("<> \t\r\n,", r) }) {
		if strings.Contains(id, "@") && len(r.MessageIDs) < recipientsMax {
			r.MessageIDs = append(r.MessageIDs, id)
		}
	}
}

// report is what it all amounts to.
func (r *reading) report() (Report, error) {
	if r.Kind == "" {
		r.guess()
	}
	if r.Kind == "" {
		return Report{}, ErrNoReport
	}
	r.messageID(r.top.Get("In-Reply-To"))
	r.messageID(r.top.Get("References"))
	return r.Report, nil
}

// fieldGroups reads up to n groups of header fields with empty lines between
// them. A broken line ends its group, not the reading.
func fieldGroups(body []byte, n int) []textproto.Header {
	body = bytes.ReplaceAll(body, []byte("\r\n"), []byte("\n"))
	var groups []textproto.Header
	for len(groups) < n && len(body) > 0 {
		group, rest, _ := bytes.Cut(bytes.TrimLeft(body, "\n"), []byte("\n\n"))
		body = rest
		if header := readFields(group); header.Len() > 0 {
			groups = append(groups, header)
		}
	}
	return groups
}

// readFields drops lines that are no fields and reads the others.
func readFields(group []byte) textproto.Header {
	var kept []byte
	for line := range bytes.Lines(group) {
		name, _, found := bytes.Cut(line, []byte(":"))
		folded := line[0] == ' ' || line[0] == '\t'
		if folded && len(kept) > 0 || found && !folded && len(name) > 0 && !bytes.ContainsAny(name, " \t\x00") {
			kept = append(append(kept, bytes.TrimRight(line, "\n")...), "\r\n"...)
		}
	}
	header, _ := textproto.ReadHeader(bufio.NewReader(bytes.NewReader(append(kept, "\r\n"...))))
	return header
}
