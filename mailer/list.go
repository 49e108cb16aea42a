package mailer

// List describes a digest for the headers that mail programs and receivers look
// for. Values may hold marks.
type List struct {
	ID          string // such as "weekly.example.org", RFC 2919
	Title       string
	Unsubscribe string // https URL for one click, RFC 8058
	Mailto      string // address for those who cannot, empty for none
	Help        string // URL, RFC 2369
	Archive     string // URL
	Owner       string // address
	Feedback    string // Feedback-ID, without anything personal
}

// Headers gives the header fields of a digest's mail.
func (l List) Headers() []Header { return nil }
