package mailer

import (
	"errors"
	"io"
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
	Recipients []Recipient // of a delivery report; may be empty
	To         []string    // addresses the report itself was sent to: our VERP address among them
	MessageIDs []string    // of the mail that it is about, without brackets
}

// Recipient is one recipient's fate in a delivery report.
type Recipient struct {
	Address string // as the report has it; may be empty or another than we wrote to
	Action  string // failed, delayed, delivered, relayed, expanded
	Reply   Reply  // status and diagnostic code
}

// ParseReport reads a mail that came to one of our return paths. It reads a
// bounded amount.
func ParseReport(r io.Reader) (Report, error) { return Report{}, ErrNoReport }
