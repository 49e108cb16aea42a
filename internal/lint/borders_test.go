package lint_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/lint"
)

// TestKeptAndNewResultsAreCollectedTogether has results that are kept between addresses that are requested at
// the same time. The race detector finds writes to the same map.
func TestKeptAndNewResultsAreCollectedTogether(t *testing.T) {
	t.Parallel()
	s := startRemote(t)
	f := local()
	var kept, all []string
	for i := range 60 {
		address := fmt.Sprintf("%s/status/404?%d", s.URL, i)
		if all = append(all, address); i%2 == 1 {
			kept = append(kept, address)
		}
	}
	f.Check(t.Context(), linking(kept...))
	found := f.Check(t.Context(), linking(all...))
	if len(found) != len(all) || s.requests.Load() != int64(2*len(all)) { // with HEAD, and then with GET
		t.Errorf("%d findings of %d addresses, %d requests", len(found), len(all), s.requests.Load())
	}
}

func TestImagesAreJudgedByWhatTheServerSends(t *testing.T) {
	t.Parallel()
	s := startRemote(t)
	for path, want := range map[string]string{"/capitals.png": "[]", "/broken-off.png": "[image-failing]", "/status/301.png": "[image-broken]"} {
		if got := local().Check(t.Context(), linking(s.URL+path)); fmt.Sprint(names(got)) != want {
			t.Errorf("%s: %+v, want %s", path, got, want)
		}
	}
}

func TestAddressesThatCannotBeRequestedAreJudged(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"http://":                       "[link-broken]",
		"https:///path":                 "[link-broken]",
		"http://host name/":             "[]", // no URL; the sanitizer drops such links
		"http://127.0.0.1:1/":           "[link-failing]",
		"mailto:ada@example.org":        "[]",
		"https://gazette.example/a?b#c": "[]", // this site
	} {
		got := local().Check(t.Context(), linking(address))
		if text := fmt.Sprint(names(got)); text != want {
			t.Errorf("%q: %+v, want %s", address, got, want)
		}
	}
}

func TestCheckThatIsEndedReportsWhatIsMissing(t *testing.T) {
	t.Parallel()
	s := startRemote(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	got := local().Check(ctx, linking(s.URL+"/status/200", s.URL+"/wide.png"))
	if fmt.Sprint(names(got)) != "[link-unchecked image-unchecked]" || !strings.Contains(got[0].Message, "before the check ended") {
		t.Errorf("%+v", got)
	}
	if s.requests.Load() != 0 {
		t.Errorf("%d requests", s.requests.Load())
	}
}

func TestReferencesAreFoundOnce(t *testing.T) {
	t.Parallel()
	s := startRemote(t)
	e := linking(s.URL+"/status/404#one", s.URL+"/status/404#two")
	references := lint.FindReferences(e)
	if !slices.Equal(references.Own, []string{"/articles/ferry", "/media/ferry.jpg"}) {
		t.Errorf("own paths %q", references.Own)
	}
	f := local()
	if got := f.Cached(references); len(got) != 0 || s.requests.Load() != 0 {
		t.Errorf("before a check: %+v, %d requests", got, s.requests.Load())
	}
	checked := f.Check(t.Context(), e)
	cached := f.Cached(references)
	if len(checked) != 2 || s.requests.Load() != 2 || fmt.Sprint(names(cached)) != "[link-broken]" { // one address for both fragments
		t.Errorf("%+v, %+v, %d requests", checked, cached, s.requests.Load())
	}
}

// messageWith returns a mail with an HTML part of n bytes in a content type.
func messageWith(kind, encoding string, n int) []byte {
	body := strings.Repeat("x", n)
	if encoding == "quoted-printable" {
		body = strings.Repeat(strings.Repeat("=78", 20)+"=\r\n", n/20) + strings.Repeat("=78", n%20) // three times as long
	}
	head := "Subject: x\r\nContent-Type: "
	part := "Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: " + encoding + "\r\n\r\n"
	switch kind {
	case "alternative":
		return []byte(head + "multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\ntext\r\n--b\r\n" + part + body + "\r\n--b--\r\n")
	case "plain":
		return []byte(head + "multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\ntext\r\n--b--\r\n")
	}
	return []byte("Subject: x\r\n" + part + body)
}

// TestSizeIsThatOfTheDecodedPart: Gmail cuts off what it decodes, not what is sent.
func TestSizeIsThatOfTheDecodedPart(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		message []byte
		want    string
	}{
		"as long as may be": {messageWith("alternative", "quoted-printable", digest.WarnBytes), "[]"},
		"one byte more":     {messageWith("alternative", "quoted-printable", digest.WarnBytes+1), "[weight-large]"},
		"at the limit":      {messageWith("alternative", "quoted-printable", digest.MaxBytes), "[weight-large]"},
		"over the limit":    {messageWith("alternative", "quoted-printable", digest.MaxBytes+1), "[weight-over]"},
		"one part alone":    {messageWith("html", "quoted-printable", digest.MaxBytes+1), "[weight-over]"},
		"not encoded":       {messageWith("alternative", "7bit", digest.MaxBytes+1), "[weight-over]"},
		"no HTML part":      {messageWith("plain", "7bit", 0), "[]"},
		"no message":        {nil, "[]"},
		"no content type":   {[]byte("Subject: x\r\n\r\n" + strings.Repeat("x", digest.MaxBytes+1)), "[]"},
		"a wrong type":      {[]byte("Content-Type: multipart/alternative; boundary\r\n\r\nx"), "[]"},
		"a part cut off":    {messageWith("alternative", "7bit", digest.MaxBytes+1)[:1000], "[]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := sound()
			e.Variants[0].Message = c.message
			if got := lint.Check(e); fmt.Sprint(names(got)) != c.want {
				t.Errorf("%+v, want %s", got, c.want)
			}
		})
	}
}

func TestColorsOfTextAreInherited(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ html, want string }{
		"grey on white":                      {`<p style="color:#999">word</p>`, "[contrast-light]"},
		"large grey on white":                {`<p style="color:#8f8f8f;font-size:24px">word</p>`, "[]"},
		"almost large":                       {`<p style="color:#8f8f8f;font-size:23.9px">word</p>`, "[contrast-light]"},
		"bold and large":                     {`<p style="color:#8f8f8f;font-size:18.66px;font-weight:700">word</p>`, "[]"},
		"bold by its element":                {`<p style="color:#8f8f8f;font-size:14pt"><b>word</b></p>`, "[]"},
		"bold that is taken back":            {`<p style="color:#8f8f8f;font-size:14pt"><b style="font-weight:400">word</b></p>`, "[contrast-light]"},
		"a heading":                          {`<h1 style="color:#8f8f8f">word</h1>`, "[]"},
		"a small heading":                    {`<h6 style="color:#8f8f8f">word</h6>`, "[contrast-light]"},
		"inherited":                          {`<div style="color:#999"><p><em>word</em></p></div>`, "[contrast-light]"},
		"an em of an em":                     {`<div style="font-size:2em"><p style="font-size:0.75em;color:#8f8f8f">word</p></div>`, "[]"},
		"percent of rem":                     {`<div style="font-size:2rem"><p style="font-size:50%;color:#8f8f8f">word</p></div>`, "[client-css-unit-rem contrast-light]"},
		"a background behind it":             {`<div style="background:#222"><p style="color:#999">word</p></div>`, "[]"},
		"an attribute":                       {`<table bgcolor="#333333"><tr><td style="color:#222">word</td></tr></table>`, "[contrast-light]"},
		"an unknown attribute":               {`<table bgcolor="none"><tr><td style="color:#222">word</td></tr></table>`, "[]"},
		"a picture behind it":                {`<div style="background-image:url(https://gazette.example/media/ferry.jpg)"><p style="color:#fff">word</p></div>`, "[client-css-background-image]"},
		"an old attribute with a picture":    {`<table background="x"><tr><td style="color:#fff">word</td></tr></table>`, "[]"},
		"a color above the picture":          {`<div style="background:url(x.jpg)"><p style="background:#fff;color:#fff">word</p></div>`, "[client-css-background-image contrast-light]"},
		"a transparent color above it":       {`<div style="background:url(x.jpg)"><p style="background:rgba(0,0,0,.2);color:#fff">word</p></div>`, "[client-css-background-image]"},
		"half transparent text":              {`<p style="color:rgba(0,0,0,.4)">word</p>`, "[contrast-light]"},
		"hidden":                             {`<p style="color:#eee;display:none">word</p>`, "[]"},
		"of no size":                         {`<p style="color:#eee;font-size:0">word</p>`, "[]"},
		"of one pixel":                       {`<p style="color:#eee;font-size:1px">word</p>`, "[]"},
		"hidden around it":                   {`<div style="display:none"><p style="color:#eee;display:block">word</p></div>`, "[]"},
		"no letters":                         {`<p style="color:#eee">· | –</p>`, "[]"},
		"a digit":                            {`<p style="color:#eee">1</p>`, "[contrast-light]"},
		"a link without a color":             {`<div style="background:#000"><a href="https://gazette.example/articles/ferry">word</a></div>`, "[contrast-light]"},
		"an anchor without an address":       {`<div style="background:#000;color:#fff"><a name="x">word</a></div>`, "[]"},
		"an unknown color":                   {`<p style="color:no-such-color">word</p>`, "[]"},
		"an important one against a later":   {`<p style="color:#222 !important;color:#eee">word</p>`, "[]"},
		"a later one":                        {`<p style="color:#222;color:#eee">word</p>`, "[contrast-light]"},
		"a rule that gives way to the style": {`<style>.q{color:#eee}</style><p class="q" style="color:#222">word</p>`, "[]"},
		"a rule that is important":           {`<style>.q{color:#eee!important}</style><p class="q" style="color:#222">word</p>`, "[contrast-light]"},
		"a selector that cannot be read":     {`<style>:::{color:#eee} p >> {color:#eee}</style><p style="color:#222">word</p>`, "[]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := sound()
			swap(&e, `<h1 class="ink" style="color: #222222">The week</h1>`, c.html)
			got := slices.DeleteFunc(lint.Check(e), func(f lint.Finding) bool { return f.Name == "contrast-dark" }) // the dark rules are for other elements
			if fmt.Sprint(names(got)) != c.want {
				t.Errorf("%+v, want %s", got, c.want)
			}
		})
	}
}

func TestLeftoversAreFoundOutsideOfArticles(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"Hello {{ .Name }}": true, "Dear *|FNAME|*,": true, "%%first_name%%": true, "<no value>": true, "%!s(MISSING)": true, "[object Object]": true, "undefined": true, "NaN": true, "Lorem  ipsum": true, "[[name]]": true,
		"50 % off": false, "a | b": false, "100%": false, "{ one }": false, "banana": false, "undefinedness": false, "* | *": false, "a [1] b": false, "{{": true,
	} {
		e := sound()
		escaped := strings.NewReplacer("&", "&amp;", "<", "&lt;").Replace(text)
		swap(&e, ">The week</h1>", ">The week "+escaped+"</h1>")
		got := slices.Contains(names(lint.Check(e)), "leftover-text")
		if got != want {
			t.Errorf("%q in the HTML part is a leftover: %v", text, got)
		}
		e = sound()
		e.Variants[0].Subject = "News " + text
		if got := slices.Contains(names(lint.Check(e)), "leftover-text"); got != want {
			t.Errorf("%q in the subject is a leftover: %v", text, got)
		}
		// What an article says is no leftover, in its title or its text.
		e.Articles[0].Title = text
		if text != "{{" && slices.Contains(names(lint.Check(e)), "leftover-text") {
			t.Errorf("%q in the title of an article is a leftover", text)
		}
	}
}

func TestSortedFindingsHaveErrorsFirstAndWaivedLast(t *testing.T) {
	t.Parallel()
	got := lint.Sorted([]lint.Finding{
		{Name: "a", Severity: lint.Warning}, {Name: "b", Severity: lint.Error, Waived: "Ada"}, {Name: "c", Severity: lint.Error}, {Name: "d", Severity: lint.Warning, Waived: "Bob"}, {Name: "e", Severity: lint.Error}, {Name: "f", Severity: lint.Warning},
	})
	var order strings.Builder
	for _, f := range got {
		order.WriteString(f.Name)
	}
	if order.String() != "ceafbd" {
		t.Errorf("%s", order.String())
	}
	waived := lint.Finding{Name: "subject-empty", Severity: lint.Error, Waived: "Ada: on purpose"}
	if waived.Blocks() || waived.Harms() || !(lint.Finding{Name: "subject-empty", Severity: lint.Error}).Harms() || (lint.Finding{Name: "link-empty", Severity: lint.Error}).Harms() {
		t.Error("a finding that was waived blocks, or a harmful one does not")
	}
	if !lint.Known("subject-empty") || lint.Known("no-such-rule") || lint.Known("") {
		t.Error("a rule is not known, or an unknown one is")
	}
}

// TestAnswersOfRspamdAreReadStrictly has answers that a wrong address or a proxy may give.
func TestAnswersOfRspamdAreReadStrictly(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		answer string
		want   string
	}{
		"a score":           {200, `{"score": 6.5, "symbols": {"B": {"score": 1}, "A": {"score": 1}, "C": {"score": 5}, "D": {"score": -1}}}`, "Rspamd gives 6.5 points: C (5.0), A (1.0), B (1.0)"},
		"no symbols":        {200, `{"score": 2.1}`, "Rspamd gives 2.1 points"},
		"nothing to say":    {200, `{"score": 2}`, ""},
		"no score":          {200, `{"symbols": {}}`, "Rspamd did not answer: its answer has no score"},
		"a page":            {200, "<html>", "Rspamd did not answer: invalid character"},
		"another number":    {200, `{"score": "high"}`, "Rspamd did not answer: json: cannot unmarshal"},
		"a password":        {403, "", "Rspamd did not answer: it answers 403 Forbidden"},
		"an endless answer": {200, `{"symbols": {"` + strings.Repeat("x", 300<<10), "Rspamd did not answer: unexpected EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if body, err := io.ReadAll(r.Body); err != nil || string(body) != "the message" || r.URL.Path != "/checkv2" || r.Method != http.MethodPost {
					t.Errorf("%s %s: %q, %v", r.Method, r.URL.Path, body, err)
				}
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.answer)
			}))
			defer server.Close()
			e := sound()
			e.Variants[0].Message = []byte("the message")
			got := lint.CheckSpam(t.Context(), lint.Rspamd(server.URL+"/"), e)
			if c.want == "" && len(got) != 0 || c.want != "" && (len(got) != 1 || !strings.Contains(got[0].Message, c.want)) {
				t.Errorf("%+v, want %q", got, c.want)
			}
		})
	}
	if _, err := lint.Rspamd("http://a b").Score(t.Context(), nil); err == nil {
		t.Error("an address with a space is asked")
	}
}

// TestAnswersOfSpamdAreReadStrictly has answers to the command REPORT of spamd's protocol.
func TestAnswersOfSpamdAreReadStrictly(t *testing.T) {
	t.Parallel()
	const head = "SPAMD/1.1 0 EX_OK\r\nContent-length: 10\r\n"
	for name, c := range map[string]struct{ answer, want string }{
		"a score":         {head + "Spam: True ; 7.2 / 5.0\r\n\r\npts rule name\n---- ----\n 3.0 SECOND   text\n 4.2 FIRST_ONE  text\n-1.0 GOOD text\n 0.0 NOTHING text\n", "SpamAssassin gives 7.2 points: FIRST_ONE (4.2), SECOND (3.0)"},
		"a negative one":  {head + "Spam: False ; -3.4 / 5.0\r\n\r\n", ""},
		"no space":        {head + "Spam: True;5.1/5.0\r\n\r\n", "SpamAssassin gives 5.1 points"},
		"no score":        {head + "Spam: False\r\n\r\n", "SpamAssassin did not answer: its answer has no score"},
		"two dots":        {head + "Spam: True ; 1.2.3 / 5.0\r\n\r\n", "SpamAssassin did not answer: strconv.ParseFloat"},
		"no header":       {head, "SpamAssassin did not answer: EOF"},
		"an error":        {"SPAMD/1.1 76 Bad header line\r\n\r\n", `SpamAssassin did not answer: it answers "SPAMD/1.1 76 Bad header line"`},
		"another service": {"220 mail.example ESMTP\r\n", `SpamAssassin did not answer: it answers "220 mail.example ESMTP"`},
		"a long line":     {strings.Repeat("x", 300) + "\r\n", strings.Repeat("x", 60) + "…"},
		"nothing":         {"", "SpamAssassin did not answer: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := spamEdition()
			got := lint.CheckSpam(t.Context(), startSpamd(t, c.answer), e)
			if c.want == "" && len(got) != 0 || c.want != "" && (len(got) != 1 || !strings.Contains(got[0].Message, c.want)) {
				t.Errorf("%+v, want %q", got, c.want)
			}
		})
	}
}

func TestSpamFilterIsNotWaitedForLongerThanTheCaller(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := lint.SpamAssassin("127.0.0.1:9").Score(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if _, err := lint.Rspamd("http://127.0.0.1:9").Score(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
