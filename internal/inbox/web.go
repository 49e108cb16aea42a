package inbox

import (
	"bytes"
	"embed"
	"errors"
	"html/template"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset" // mails in other charsets than UTF-8
	"github.com/emersion/go-message/mail"
	"golang.org/x/net/idna"
)

//go:embed pages
var pageFiles embed.FS

var pages = template.Must(template.New("").Funcs(template.FuncMap{
	"clock": func(t time.Time) string { return t.Format("15:04:05") },
	"list":  shownRecipients,
}).ParseFS(pageFiles, "pages/*.html"))

// shownRecipients returns addresses as people read them, with their domains in Unicode.
func shownRecipients(to []string) string {
	shown := make([]string, len(to))
	for i, address := range to {
		shown[i] = address
		local, domain, _ := strings.Cut(address, "@")
		if unicode, err := idna.Lookup.ToUnicode(domain); err == nil && domain != "" {
			shown[i] = local + "@" + unicode
		}
	}
	return strings.Join(shown, ", ")
}

// framePolicy is for the HTML of a mail, which is not trusted: no scripts, no forms and its own origin.
// Links open in a new tab.
const framePolicy = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src http: https: data:; media-src http: https:"

// pagePolicy is for the pages of the inbox itself.
const pagePolicy = "default-src 'none'; style-src 'self'; frame-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Handler shows the messages: the list at /, one message at /messages/N, its
// HTML alone at /messages/N/html and its source at /messages/N/source.
func (in *Inbox) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", in.serveList)
	mux.HandleFunc("GET /inbox.css", serveStyle)
	mux.HandleFunc("GET /messages/{id}", in.serveMessage)
	mux.HandleFunc("GET /messages/{id}/html", in.serveHTML)
	mux.HandleFunc("GET /messages/{id}/source", in.serveSource)
	return mux
}

func serveStyle(w http.ResponseWriter, r *http.Request) {
	http.ServeFileFS(w, r, pageFiles, "pages/inbox.css")
}

func (in *Inbox) serveList(w http.ResponseWriter, _ *http.Request) {
	messages := in.Messages()
	renderPage(w, "list.html", map[string]any{"Messages": messages, "Count": in.Count(), "Kept": len(messages)})
}

func (in *Inbox) serveMessage(w http.ResponseWriter, r *http.Request) {
	m := in.find(w, r)
	if m == nil {
		return
	}
	p := parseMessage(m.Source)
	view := r.URL.Query().Get("view")
	switch view {
	case "html", "text", "headers", "source":
	default:
		view = "html"
		if p.HTML == "" {
			view = "text"
		}
	}
	renderPage(w, "message.html", map[string]any{
		"Message": m, "Parts": p, "View": view, "Views": []string{"html", "text", "headers", "source"},
		"Source": string(m.Source), "Newer": in.Message(m.ID + 1), "Older": in.Message(m.ID - 1),
	})
}

func (in *Inbox) serveHTML(w http.ResponseWriter, r *http.Request) {
	m := in.find(w, r)
	if m == nil {
		return
	}
	w.Header().Set("Content-Security-Policy", framePolicy)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Referrer-Policy", "no-referrer")
	_, _ = w.Write([]byte(parseMessage(m.Source).HTML))
}

func (in *Inbox) serveSource(w http.ResponseWriter, r *http.Request) {
	m := in.find(w, r)
	if m == nil {
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(m.Source)
}

// find returns the message that the path names, or answers 404.
func (in *Inbox) find(w http.ResponseWriter, r *http.Request) *Message {
	id, err := strconv.Atoi(r.PathValue("id"))
	if err == nil {
		if m := in.Message(id); m != nil {
			return m
		}
	}
	http.Error(w, "Message not found. It may be older than the newest "+strconv.Itoa(in.options.Messages)+" that are kept.", http.StatusNotFound)
	return nil
}

func renderPage(w http.ResponseWriter, page string, data any) {
	var out bytes.Buffer
	if err := pages.ExecuteTemplate(&out, page, data); err != nil {
		http.Error(w, "This page could not be rendered: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Security-Policy", pagePolicy)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = out.WriteTo(w)
}

// maxPart is the maximum size of a decoded part in bytes.
const maxPart = 10 << 20

// field is a header field, unfolded but not decoded.
type field struct{ Name, Value string }

// parsedMessage is a message parsed for display.
type parsedMessage struct {
	HTML, Text string
	Fields     []field
	Problem    string // what could not be read; shown on the page
}

// subjectAndSender reads the subject and the sender's name.
func subjectAndSender(source []byte) (subject, name string) {
	r, err := mail.CreateReader(bytes.NewReader(source))
	if r == nil || (err != nil && !message.IsUnknownCharset(err)) {
		return "(cannot be read)", ""
	}
	subject, _ = r.Header.Subject()
	if list, err := r.Header.AddressList("From"); err == nil && len(list) > 0 {
		if name = list[0].Name; name == "" {
			name = list[0].Address
		}
	}
	return subject, name
}

// parseMessage decodes the header, the text part and the HTML part of a message.
func parseMessage(source []byte) parsedMessage {
	var p parsedMessage
	r, err := mail.CreateReader(bytes.NewReader(source))
	if r == nil || (err != nil && !message.IsUnknownCharset(err)) {
		p.Problem = "this message's header cannot be read: " + err.Error()
		return p
	}
	for fields := r.Header.Fields(); fields.Next(); {
		p.Fields = append(p.Fields, field{fields.Key(), fields.Value()})
	}
	for {
		part, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			return p
		}
		if err != nil && !message.IsUnknownCharset(err) {
			p.Problem = "a part of this message cannot be read: " + err.Error()
			return p
		}
		if err := p.add(part); err != nil {
			p.Problem = "a part of this message cannot be decoded: " + err.Error()
		}
	}
}

// add keeps the first text and the first HTML part.
func (p *parsedMessage) add(part *mail.Part) error {
	inline, ok := part.Header.(*mail.InlineHeader)
	if !ok {
		return nil
	}
	kind, _, _ := inline.ContentType()
	body, err := io.ReadAll(io.LimitReader(part.Body, maxPart))
	switch {
	case kind == "text/html" && p.HTML == "":
		p.HTML = string(body)
	case strings.HasPrefix(kind, "text/") && kind != "text/html" && p.Text == "":
		p.Text = string(body)
	}
	return err
}
