package mailer

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/emersion/go-message/textproto"
)

// ReportKind is the kind of a Report.
type ReportKind string

// The kinds of reports.
const (
	DeliveryReport  ReportKind = "delivery"  // DSN, RFC 3464
	ComplaintReport ReportKind = "complaint" // ARF, RFC 5965
)

// ErrNoReport is returned for a mail that is not a report.
var ErrNoReport = errors.New("neither a delivery report nor a complaint")

// Report is a bounce or a complaint, as ParseReport reads it.
type Report struct {
	Kind       ReportKind
	Feedback   string      // of a complaint: "abuse", "fraud", "not-spam"…
	Recipients []Recipient // recipients of the mail that the report names; may be empty
	To         []string    // addresses that the report was sent to, such as our return path
	MessageIDs []string    // ids of the mail that the report is about, without brackets
}

// Recipient is a recipient in a report and what became of the mail to it.
type Recipient struct {
	Address string // as written in the report; may be empty or differ from the address we mailed
	Action  string // failed, delayed, delivered, relayed or expanded (RFC 3464, section 2.3.3)
	Reply   Reply  // status and diagnostic code
}

// Class returns the class of the outcome: Accepted if the mail was delivered or passed on, Later if
// it is delayed, and for failures the class of the refusal.
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

// classifyExpired classifies the last temporary refusal of a mail that the server no longer retries.
// A refusal because of the sender or the content does not count against the subscriber.
func classifyExpired(r Reply) Class {
	w := causesOf(r.Text)
	if r.Stage == StageMail || r.Stage == StageGreeting || codeSubject(r.Enhanced) == "4.7" || w.has(causeSender|causeRelaying|causeBlock|causeSize) ||
		w.has(causePolicy) && !w.has(causeFull|causeUnknownUser|causeInactive) {
		return OurFault
	}
	return Soft
}

// The limits on what is read of a report, which suffice to classify it.
const (
	reportMax     = 1 << 20
	partMax       = 128 << 10
	textMax       = 48 << 10 // of all text parts together: the reason is at their beginning
	partsMax      = 40
	depthMax      = 6
	recipientsMax = 100
)

// ParseReport reads a mail that was sent to one of our return paths. It reads a bounded amount and
// extracts what it can from reports that are truncated or violate the RFCs. It returns ErrNoReport for
// a mail that is not a report.
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

// BodyText returns the text of a mail's text and HTML parts, bounded and without markup.
func BodyText(mail []byte) string { return readMail(mail[:min(len(mail), reportMax)]).text.String() }

// readMail reads all parts of a mail.
func readMail(data []byte) *reportReader {
	reader := &reportReader{top: parseMIMEPart(unixLines(data))}
	reader.collectRecipients()
	reader.walkPart(reader.top, 0)
	return reader
}

// reportReader collects the contents of a report's parts.
type reportReader struct {
	Report
	top   mimePart
	parts int
	text  strings.Builder // of the text and HTML parts, for reports without a machine-readable part
}

// walkPart reads a part and the parts in it.
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
		p.kind = "" // declared as multipart, but has no parts: read it as text
	}
	r.addPart(p)
}

// addPart reads a part that is not a multipart.
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

// AddressedTo returns the recipients in the header of a mail, at most 100.
func AddressedTo(mail []byte) []string {
	reader := reportReader{top: parseMIMEPart(unixLines(mail))}
	reader.collectRecipients()
	return reader.To
}

// unixLines converts line ends to LF: CRLF, and the lone CR that some gateways write.
func unixLines(data []byte) []byte {
	data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	return bytes.ReplaceAll(data, []byte("\r"), []byte("\n"))
}

// collectRecipients collects the addresses that the report was sent to. Servers add the envelope
// recipient under one of these names; in regular bounces To also has it.
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

// parseOriginal takes the Message-ID from the returned mail or from its header.
func (r *reportReader) parseOriginal(body []byte) {
	for _, group := range fieldGroups(body, 1) {
		r.messageID(group.Get("Message-ID"))
		if r.Kind == "" && group.Get("X-HmXmrOriginalRecipient") != "" { // complaints of Outlook.com, which are not ARF
			r.Kind, r.Feedback = ComplaintReport, "abuse"
		}
	}
}

// parseEnclosedReport reads a report inside the returned mail: some gateways enclose another
// system's report in one of their own.
func (r *reportReader) parseEnclosedReport(p mimePart) {
	if inner := parseMIMEPart(p.body()); r.Kind == "" && strings.EqualFold(inner.params["report-type"], "delivery-status") && r.fromSystem() {
		for _, raw := range inner.parts() {
			r.walkPart(parseMIMEPart(raw), depthMax) // no deeper than its own parts
		}
	}
}

// messageID adds the ids in a header value to MessageIDs.
func (r *reportReader) messageID(value string) {
	for id := range strings.FieldsFuncSeq(value, func(r rune) bool { return strings.ContainsRune("<> \t\r\n,", r) }) {
		if strings.Contains(id, "@") && len(r.MessageIDs) < recipientsMax {
			r.MessageIDs = append(r.MessageIDs, id)
		}
	}
}

// result returns the report, after it has tried the text parts if there was no machine-readable one.
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

// fieldGroups reads up to n groups of header fields that are separated by empty lines. Lines that
// are not fields are skipped.
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

// readFields reads header fields and skips lines that are not fields. A parameter without
// indentation, as some programs write a boundary, is added to the field before it.
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
