package digest

import (
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/templates"
)

func TestMailsInviteToAnswerAsConfigured(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const text = `{{with .Feedback}}yes {{.Yes}} no {{.No}}{{end}}
{{if .Reply}}reply{{end}} forward {{.Forward}} {{if not .Next.IsZero}}next {{$.DateTime .Next}}{{end}}
{{.Reader.Unsubscribe}}`
	writeMail(t, dir, "inviting", `<a href="{{.Reader.Unsubscribe}}">x</a><i>{{.Forward}}{{.Feedback.Yes}}</i>`, text)
	set, err := templates.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	in := sampleInput()
	in.Definition.Template = "inviting"
	plain, err := Render(in, Preferences{}, set)
	if err != nil || strings.Contains(plain.Text, "reply") || strings.Contains(plain.Text, "next") || strings.Contains(plain.Text, "/feedback/") {
		t.Errorf("%v, a digest that asks nothing:\n%s", err, plain.Text)
	}
	if want := "forward https://post.example/subscribe?digest=weekly"; !strings.Contains(plain.Text, want) {
		t.Errorf("no %q:\n%s", want, plain.Text)
	}
	in.Definition.Feedback, in.Definition.Reply = true, true
	in.Next = time.Date(2026, time.December, 4, 7, 0, 0, 0, time.UTC)
	asking, err := Render(in, Preferences{}, set)
	page := "https://post.example" + FeedbackPath(in.ID, "")
	for _, want := range []string{"yes " + page + "yes no " + page + "no", "reply", "next 4 December 2026, 08:00 CET"} {
		if err != nil || !strings.Contains(asking.Text, want) {
			t.Errorf("%v, no %q:\n%s", err, want, asking.Text)
		}
	}
}
