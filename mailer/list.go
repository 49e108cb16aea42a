package mailer

import "strings"

// List describes a digest for the headers that mail programs and receivers look
// for. Values may hold marks; empty ones make no header. Domains may be in
// Unicode.
type List struct {
	ID          string // such as "weekly.example.org", RFC 2919
	Title       string // of the digest, without marks
	Unsubscribe string // https URL for one click, RFC 8058
	Mailto      string // address for those who cannot, empty for none
	Help        string // URL, RFC 2369
	Archive     string // URL
	Owner       string // address
	Feedback    string // Feedback-ID, without anything personal
}

// Headers gives the header fields of a digest's mail. The https address comes
// before the mailto: some receivers look at the first alone.
func (l List) Headers() []Header {
	all := []Header{
		{"List-Id", l.idHeader()},
		{"List-Unsubscribe", l.unsubscribeHeader()},
		{"List-Unsubscribe-Post", l.oneClickHeader()},
		{"List-Help", angleBrackets("", l.Help)},
		{"List-Archive", angleBrackets("", l.Archive)},
		{"List-Owner", angleBrackets("mailto:", mailboxAddress(l.Owner))},
		{"Precedence", "bulk"},
		{"Auto-Submitted", "auto-generated"}, // RFC 3834, section 5
		{"Feedback-ID", l.Feedback},
	}
	kept := all[:0]
	for _, h := range all {
		if h.Value != "" {
			kept = append(kept, h)
		}
	}
	return kept
}

func (l List) idHeader() string {
	if l.ID == "" {
		return ""
	}
	return strings.TrimSpace(strings.ReplaceAll(string(appendPhrase(nil, 0, l.Title)), "\r\n", "") + " " + angleBrackets("", l.ID))
}

func (l List) unsubscribeHeader() string {
	var ways []string
	if l.Unsubscribe != "" {
		ways = append(ways, angleBrackets("", l.Unsubscribe))
	}
	if l.Mailto != "" {
		ways = append(ways, "<mailto:"+l.Mailto+"?subject=unsubscribe>")
	}
	return strings.Join(ways, ", ")
}

func (l List) oneClickHeader() string {
	if l.Unsubscribe == "" {
		return ""
	}
	return "List-Unsubscribe=One-Click"
}

func angleBrackets(scheme, value string) string {
	if value == "" {
		return ""
	}
	return "<" + scheme + string(appendToken(nil, value)) + ">"
}
