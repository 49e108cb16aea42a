package digest

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/emersion/go-message/mail"

	"github.com/tidings-press/tidings/mailer"
)

// TestRenderedMailEqualsPreview: the compiled message renders what the preview showed to the
// editor, byte for byte, in both parts and for any text in the articles.
func TestRenderedMailEqualsPreview(t *testing.T) {
	t.Parallel()
	values := Placeholders{
		Name: "Ana & Bo <x>", Address: "ana@post.example", Unsubscribe: "https://post.example/unsubscribe/" + strings.Repeat("Ab-_9", 12) + "?a=1&b=2",
		Preferences: "https://post.example/preferences/x", Web: "https://post.example/editions/5f/x",
	}
	for i, text := range append(hostile, "plain") {
		in := sampleInput()
		in.Articles[0].Title, in.Articles[1].Summary = text, text
		in.Definition.Language = []string{"en", "ar", "ja"}[i%3]
		v := mustRender(t, in, Preferences{})
		html, plain := renderMail(t, v, values)
		want := v.Fill(values)
		if html != want.HTML {
			t.Errorf("%.40q: the HTML differs: %s", text, firstDifference(want.HTML, html))
		}
		if plain != want.Text {
			t.Errorf("%.40q: the text differs: %s", text, firstDifference(want.Text, plain))
		}
	}
}

// renderMail compiles a variant, fills its placeholders and returns the mail's two parts.
func renderMail(t *testing.T, v Variant, values Placeholders) (html, text string) {
	t.Helper()
	compiled, err := mailer.Compile(mailer.Message{
		From: mailer.Address{Email: "post@post.example"}, To: mailer.Address{Email: v.Placeholders.Address}, Subject: v.Subject,
		MessageID: "1.2@post.example", Date: testTime, HTML: v.HTML, Text: v.Text, Placeholders: v.Placeholders.All(),
	})
	if err != nil {
		t.Fatal(err)
	}
	reader, err := mail.CreateReader(bytes.NewReader(compiled.Render(nil, values.All())))
	if err != nil {
		t.Fatal(err)
	}
	for {
		part, err := reader.NextPart()
		if errors.Is(err, io.EOF) {
			return html, text
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(part.Body)
		if err != nil {
			t.Fatal(err)
		}
		decoded := strings.ReplaceAll(string(body), "\r\n", "\n")
		if strings.HasPrefix(part.Header.Get("Content-Type"), "text/html") {
			html = decoded
		} else {
			text = decoded
		}
	}
}
