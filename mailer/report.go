package mailer

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"

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
// mail arrived or was passed on, Later while it is still tried, and the classes of
// refusals for failures.
func (r Recipient) Class() Class {
	switch {
	case r.Action == "delivered" || r.Action == "relayed" || r.Action == "expanded" || strings.HasPrefix(r.Reply.Enhanced, "2."):
		return Accepted
	case r.Action == "delayed":
		return Later
	case r.Reply.Temporary() || r.Reply.Code == 0 && strings.HasPrefix(r.Reply.Enhanced, "4."):
		return classifyExpired(r.Reply)
	}
	return classifyRefusal(r.Reply)
}

// classifyExpired reads the last temporary refusal of a mail that is tried no more. A
// refusal for what we are or send says nothing about the reader.
func classifyExpired(r Reply) Class {
	w := topicsOf(r.Text)
	if r.Stage == StageMail || r.Stage == StageGreeting || codeSubject(r.Enhanced) == "4.7" || w.has(topicSender|topicRelaying|topicBlock|topicSize) ||
		w.has(topicPolicy) && !w.has(topicFull|topicUnknownUser|topicInactive) {
		return OurFault
	}
	return Soft
}

// What is read of a report. Anything past it is not needed for a decision.
const (
	reportMax     = 1 << 20
	partMax       = 128 << 10
	textMax       = 48 << 10 // of all parts for people: the reason stands at their beginning
	partsMax      = 40
	depthMax      = 6
	recipientsMax = 100
)

// ParseReport reads a mail that came to one of our return paths. It reads a bounded amount, and
// makes the best of reports that are cut short or not as the RFCs have them. It returns
// ErrNoReport for any other mail.
func ParseReport(r io.Reader) (Report, error) {
	data, err := io.ReadAll(io.LimitReader(r, reportMax))
	if err != nil {
		return Report{}, err
	}
	reader := readMail(data)
	if reader.top.header.Len() == 0 {
		return Report{}, ErrNoReport
	}
	return reader.result()
}

// BodyText returns the text that a mail has for people, bounded and without markup.
func BodyText(mail []byte) string { return readMail(mail[:min(len(mail), reportMax)]).text.String() }

// readMail reads all parts of a mail.
func readMail(data []byte) *reportReader {
	reader := &reportReader{top: parseMIMEPart(unixLines(data))}
	reader.collectRecipients()
	reader.walkPart(reader.top, 0)
	return reader
}

// reportReader collects what the parts of a report say.
type reportReader struct {
	Report
	top   mimePart
	parts int
	text  strings.Builder // of the parts for people, for reports without one for machines
}

// walkPart looks at each part.
func (r *reportReader) walkPart(p mimePart, depth int) {
	if r.parts++; r.parts > partsMax || depth > depthMax {
		return
	}
	if strings.HasPrefix(p.kind, "multipart/") {
		parts := p.parts()
		for _, raw := range parts {
			r.walkPart(parseMIMEPart(raw), depth+1)
		}
		if len(parts) > 0 {
			return
		}
		p.kind = "" // it says that it has parts, and has none
	}
	r.addPart(p)
}

func (r *reportReader) addPart(p mimePart) {
	switch p.kind {
	case "message/delivery-status", "message/global-delivery-status":
		r.deliveryStatus(p.body())
	case "message/feedback-report":
		r.feedback(p.body())
	case "message/rfc822", "message/global", "text/rfc822-headers", "message/rfc822-headers", "message/global-headers", "text/rfc822":
		r.parseOriginal(p.body())
		r.parseEnclosedReport(p)
	case "text/plain", "text/html", "":
		text := p.text()
		r.text.WriteString(strings.ToValidUTF8(text[:min(len(text), max(0, textMax-r.text.Len()))], "") + "\n")
	}
}

// AddressedTo returns the addresses that the header of a mail says it was sent to, at most 100.
func AddressedTo(mail []byte) []string {
	reader := reportReader{top: parseMIMEPart(unixLines(mail))}
	reader.collectRecipients()
	return reader.To
}

// unixLines ends lines with LF, also those of old Macs and of some gateways.
func unixLines(data []byte) []byte {
	data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	return bytes.ReplaceAll(data, []byte("\r"), []byte("\n"))
}

// collectRecipients notes whom the report came to. Servers add the envelope's recipient
// under one of these names; To has it as well in honest bounces.
func (r *reportReader) collectRecipients() {
	for _, name := range []string{"Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "X-Delivered-To", "To"} {
		for f := r.top.header.FieldsByKey(name); f.Next(); {
			for address := range strings.FieldsFuncSeq(f.Value(), func(r rune) bool { return strings.ContainsRune(" ,;<>\"\t\r\n", r) }) {
				if strings.Contains(address, "@") && len(r.To) < recipientsMax {
					r.To = append(r.To, address)
				}
			}
		}
	}
}

// parseOriginal takes the Message-ID from the mail that came back, or its headers.
func (r *reportReader) parseOriginal(body []byte) {
	for _, group := range fieldGroups(body, 1) {
		r.messageID(group.Get("Message-ID"))
		if r.Kind == "" && group.Get("X-HmXmrOriginalRecipient") != "" { // Outlook.com's complaints, which are no ARF
			r.Kind, r.Feedback = ComplaintReport, "abuse"
		}
	}
}

// parseEnclosedReport looks for a report inside the mail that came back: some gateways put
// another system's report into one of their own.
func (r *reportReader) parseEnclosedReport(p mimePart) {
	if inner := parseMIMEPart(p.body()); r.Kind == "" && strings.EqualFold(inner.params["report-type"], "delivery-status") && r.fromSystem() {
		for _, raw := range inner.parts() {
			r.walkPart(parseMIMEPart(raw), depthMax) // no deeper than its own parts
		}
	}
}

// messageID notes the ids in a header value.
func (r *reportReader) messageID(value string) {
	for id := range strings.FieldsFuncSeq(value, func(r rune) bool { return strings.ContainsRune("<> \t\r\n,", r) }) {
		if strings.Contains(id, "@") && len(r.MessageIDs) < recipientsMax {
			r.MessageIDs = append(r.MessageIDs, id)
		}
	}
}

// result is what it all amounts to.
func (r *reportReader) result() (Report, error) {
	if r.Kind == "" {
		r.findStatusFields()
	}
	if r.Kind == "" {
		r.parseText()
	}
	if r.Kind == "" {
		return Report{}, ErrNoReport
	}
	if r.Kind == DeliveryReport {
		r.fillReplies()
	}
	r.messageID(r.top.header.Get("In-Reply-To"))
	r.messageID(r.top.header.Get("References"))
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

// readFields drops lines that are no fields and reads the others. A parameter that
// lost its indent, as some programs write a boundary, is put back to its field.
func readFields(group []byte) textproto.Header {
	var kept []byte
	for line := range bytes.Lines(group) {
		line = bytes.TrimRight(line, "\r\n")
		name, _, found := bytes.Cut(line, []byte(":"))
		switch {
		case len(line) == 0:
		case line[0] == ' ' || line[0] == '\t':
			if len(kept) > 0 {
				kept = append(append(kept, line...), "\r\n"...)
			}
		case found && len(name) > 0 && !bytes.ContainsAny(name, " \t\x00\""):
			kept = append(append(kept, line...), "\r\n"...)
		case lenientParam.Match(line) && bytes.HasSuffix(kept, []byte(";\r\n")):
			kept = append(append(append(kept, ' '), line...), "\r\n"...)
		}
	}
	header, _ := textproto.ReadHeader(bufio.NewReader(bytes.NewReader(append(kept, "\r\n"...))))
	return header
}
