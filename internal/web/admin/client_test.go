package admin_test

import (
	"bytes"
	"html"
	"io"
	"mime"
	"net/http"
	"net/http/cookiejar"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/testkit"
)

// editor is a client of the admin without scripts, signed in or not.
type editor struct {
	t      *testing.T
	site   string
	client *http.Client
	code   int    // status of the last response
	at     string // path of the last response, after redirects
	body   string
}

// visitor returns a client without a session.
func (s *site) visitor() *editor {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return &editor{t: s.t, site: s.url, client: &http.Client{Jar: jar}}
}

// wantMail waits for a mail to an address whose subject begins with a heading.
func (s *site) wantMail(to, heading string) {
	s.t.Helper()
	s.eventually("the mail "+heading, func() bool {
		return slices.ContainsFunc(s.inbox.Mails(), func(m testkit.Mail) bool {
			message, err := mail.ReadMessage(bytes.NewReader(m.Data))
			if err != nil {
				return false
			}
			subject, err := new(mime.WordDecoder).DecodeHeader(message.Header.Get("Subject"))
			return err == nil && slices.Contains(m.To, to) && strings.HasPrefix(subject, heading+" · ")
		})
	})
}

// owner creates the owner of the site and returns their client.
func (s *site) owner() *editor {
	s.t.Helper()
	e := s.visitor()
	e.becomeOwner(s)
	return e
}

// becomeOwner signs in with the link for the first owner.
func (e *editor) becomeOwner(s *site) {
	s.t.Helper()
	link, err := s.FirstOwnerLink(s.t.Context())
	if err != nil || link == "" {
		s.t.Fatalf("link %q, %v", link, err)
	}
	e.post(strings.TrimPrefix(link, s.url), "name", "Ada", "email", "ada@gazette.example", "password", "four random words here")
	if e.at != "/admin/" || e.code != http.StatusOK {
		s.t.Fatalf("the link leads to %s, %d", e.at, e.code)
	}
}

func (e *editor) get(path string) string {
	e.t.Helper()
	answer, err := e.client.Get(e.site + path)
	return e.read(answer, err)
}

// post sends a form, given as names and values in turn.
func (e *editor) post(path string, form ...string) string {
	e.t.Helper()
	values := url.Values{}
	for i := 0; i+1 < len(form); i += 2 {
		values.Set(form[i], form[i+1])
	}
	answer, err := e.client.PostForm(e.site+path, values)
	return e.read(answer, err)
}

func (e *editor) read(answer *http.Response, err error) string {
	e.t.Helper()
	if err != nil {
		e.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		e.t.Fatal(err)
	}
	e.code, e.at, e.body = answer.StatusCode, answer.Request.URL.Path, string(body)
	return e.body
}

// want fails the test if a page lacks some texts.
func (e *editor) want(body string, words ...string) {
	e.t.Helper()
	for _, word := range words {
		if !strings.Contains(body, word) {
			e.t.Errorf("%s lacks %q:\n%s", e.at, word, body)
		}
	}
}

// sendWeekly sends the digest through the confirmation page.
func (e *editor) sendWeekly() string {
	e.t.Helper()
	e.get("/admin/digests/weekly/send")
	return e.post("/admin/digests/weekly/send", "sure", "weekly", "shown", e.hidden("shown"))
}

// hidden returns the value of a hidden field of the last page.
func (e *editor) hidden(name string) string {
	e.t.Helper()
	found := regexp.MustCompile(`name="` + name + `" value="([^"]*)"`).FindStringSubmatch(e.body)
	if found == nil {
		e.t.Fatalf("%s has no field %s:\n%s", e.at, name, e.body)
	}
	return html.UnescapeString(found[1])
}
