package delivery_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/schedule"
	"github.com/tidings-press/tidings/internal/testkit/sink"
	"github.com/tidings-press/tidings/templates"
)

// TestMailsNameTheDateOfTheNextEdition also checks that an approval is refused when the date that was
// shown has passed, and that the date of an approved edition stays.
func TestMailsNameTheDateOfTheNextEdition(t *testing.T) {
	t.Parallel()
	f := setupFaulty(t, sink.Options{})
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "mail"), 0o755); err != nil {
		t.Fatal(err)
	}
	for suffix, source := range map[string]string{".html": `<a href="{{.Reader.Unsubscribe}}">x</a>`, ".txt": "{{if not .Next.IsZero}}next {{.Next.Unix}}{{end}}\n{{.Reader.Unsubscribe}}"} {
		if err := os.WriteFile(filepath.Join(dir, "mail", "dated"+suffix), []byte(source), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	if f.options.Templates, err = templates.Load(dir); err != nil {
		t.Fatal(err)
	}
	daily, err := schedule.Parse("0 8 * * *", "Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	d := &f.options.Digests[0]
	d.Template, d.Automatic, d.Schedule = "dated", false, daily
	f.addSubscribers(1)
	f.addArticle("ferries")
	f.newDeliveryEngine()
	draft, err := f.engine.Draft(t.Context(), "weekly", delivery.SendOptions{By: "ada"})
	if err != nil {
		t.Fatal(err)
	}
	shown, err := f.engine.Review(t.Context(), draft.ID)
	if first, _ := daily.Next(f.store.Now()); err != nil || !strings.Contains(shown.Text, fmt.Sprint("next ", first.At.Unix())) {
		t.Fatalf("%v, want the date %v:\n%s", err, first.At, shown.Text)
	}
	f.ahead.Add(int64(25 * time.Hour))
	var changed *delivery.ChangedError
	if _, err := f.engine.ApproveUnchanged(t.Context(), draft.ID, shown.Fingerprint); !errors.As(err, &changed) {
		t.Fatalf("approved with a date that has passed: %v", err)
	}
	second, _ := daily.Next(f.store.Now())
	if _, err := f.engine.Approve(t.Context(), draft.ID); err != nil {
		t.Fatal(err)
	}
	f.ahead.Add(int64(25 * time.Hour))
	if v, err := f.engine.PreviewEdition(t.Context(), draft.ID); err != nil || !strings.Contains(v.Text, fmt.Sprint("next ", second.At.Unix())) {
		t.Errorf("%v, want the date %v at the approval:\n%s", err, second.At, v.Text)
	}
}
