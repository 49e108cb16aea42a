package delivery_test

import (
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/lint"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/sink"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// mailWith returns plainMail with an addition to its HTML.
func mailWith(html string) map[string]string {
	out := maps.Clone(plainMail)
	out["plain.html"] = strings.Replace(out["plain.html"], "</body>", html+"</body>", 1)
	return out
}

// tooLarge returns plainMail with more than mail programs show, which is a harmful error.
func tooLarge() map[string]string {
	return mailWith("<p>" + strings.Repeat("too large ", 11_000) + "</p>")
}

// envWithFaults returns an env whose editions have a mail template with a fault.
func envWithFaults(t *testing.T, automatic bool, files map[string]string, checks delivery.Checks) *env {
	t.Helper()
	b := setup(t, store.SQLite, sink.Options{})
	b.options.Site.Postal = "The Gazette"
	b.options.Digests[0].Automatic = automatic
	b.options.Checks = checks
	b.useMail(files)
	b.newDeliveryEngine()
	b.addSubscribers(1)
	storetest.Editor(t, b.store, store.Editor{Email: "ann@gazette.example", Role: store.OwnerRole})
	b.addArticle("ferry")
	return b
}

const leftover = "<p>Dear {{`{{name}}`}}</p>" // prints {{name}}

func TestErrorsKeepEditorsFromApproving(t *testing.T) {
	t.Parallel()
	b := envWithFaults(t, false, mailWith(leftover), delivery.Checks{})
	draft, err := b.engine.Draft(t.Context(), "weekly", delivery.SendOptions{})
	if err != nil {
		t.Fatal(err)
	}
	review, err := b.engine.Review(t.Context(), draft.ID)
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.engine.ApproveUnchanged(t.Context(), draft.ID, review.Fingerprint)
	var faults *delivery.CheckError
	if !errors.As(err, &faults) || !strings.Contains(err.Error(), "leftover-text") || !strings.Contains(err.Error(), "fix or waive them first") {
		t.Fatalf("%v", err)
	}
	if e, err := b.store.Edition(t.Context(), draft.ID); err != nil || e.State != digest.Draft || e.Held != "" {
		t.Errorf("%s, held %q, %v", e.State, e.Held, err)
	}
	b.options.Checks.OnErrors = delivery.ErrorsWarn
	b.newDeliveryEngine()
	if e, err := b.engine.ApproveUnchanged(t.Context(), draft.ID, review.Fingerprint); err != nil || e.State != digest.Approved {
		t.Errorf("with warn: %s, %v", e.State, err)
	}
}

func TestWaivedErrorsAllowTheApproval(t *testing.T) {
	t.Parallel()
	b := envWithFaults(t, false, mailWith(leftover), delivery.Checks{OnErrors: delivery.ErrorsBlock})
	draft, err := b.engine.Draft(t.Context(), "weekly", delivery.SendOptions{})
	if err != nil {
		t.Fatal(err)
	}
	review, err := b.engine.Review(t.Context(), draft.ID)
	if err != nil {
		t.Fatal(err)
	}
	for want, c := range map[string][2]string{"unknown finding": {"no-such", "because"}, "needs a reason": {"leftover-text", " \n"}, "longer than": {"leftover-text", strings.Repeat("x", 501)}} {
		if err := b.engine.Waive(t.Context(), draft.ID, c[0], c[1], "ann"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	waive := func(reason string) {
		t.Helper()
		if err := b.engine.Waive(t.Context(), draft.ID, "leftover-text", reason, "ann"); err != nil {
			t.Fatal(err)
		}
	}
	waive("a first reason")
	if err := b.engine.Unwaive(t.Context(), draft.ID, "leftover-text"); err != nil {
		t.Fatal(err)
	}
	var faults *delivery.CheckError
	if _, err := b.engine.ApproveAs(t.Context(), draft.ID, delivery.Approver{Name: "ann"}, review.Fingerprint); !errors.As(err, &faults) {
		t.Fatalf("without the waiver: %v", err)
	}
	if approvals, err := b.store.Approvals(t.Context(), draft.Seq); err != nil || len(approvals) > 0 {
		t.Errorf("the refused approval is recorded: %+v, %v", approvals, err)
	}
	waive("a second\nreason")
	waive("the name is meant so")
	found, err := b.engine.Check(t.Context(), draft.ID)
	if err != nil || len(found) == 0 || !strings.HasPrefix(found[0].Waived, "the name is meant so (ann, ") {
		t.Errorf("%+v, %v", found, err)
	}
	e, err := b.engine.ApproveAs(t.Context(), draft.ID, delivery.Approver{Name: "ann"}, review.Fingerprint)
	if err != nil || e.State != digest.Approved {
		t.Fatalf("%s, %v", e.State, err)
	}
	stored, err := b.store.Edition(t.Context(), draft.ID)
	if err != nil || len(stored.Edits.Waived) != 1 || stored.Edits.Waived[0].By != "ann" || stored.Edits.Waived[0].At.IsZero() {
		t.Errorf("%+v, %v", stored.Edits.Waived, err)
	}
	var state *store.StateError
	if err := b.engine.Waive(t.Context(), draft.ID, "link-broken", "too late", "ann"); !errors.As(err, &state) {
		t.Errorf("after the approval: %v", err)
	}
}

func TestWarningsDoNotKeepEditorsFromApproving(t *testing.T) {
	t.Parallel()
	b := envWithFaults(t, false, mailWith(`<div style="display: flex">x</div>`), delivery.Checks{OnErrors: delivery.ErrorsBlock})
	draft, err := b.engine.Draft(t.Context(), "weekly", delivery.SendOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if found, err := b.engine.Check(t.Context(), draft.ID); err != nil || !slices.Equal(findingNames(found), []string{"client-css-display-flex"}) {
		t.Errorf("%+v, %v", found, err)
	}
	if e, err := b.engine.Approve(t.Context(), draft.ID); err != nil || e.State != digest.Approved {
		t.Errorf("%s, %v", e.State, err)
	}
}

// TestErrorsOfAutomaticEditions checks for each setting whether an edition without an editor is
// sent, and that editors get word.
func TestErrorsOfAutomaticEditions(t *testing.T) {
	t.Parallel()
	harmful, other := tooLarge(), mailWith(leftover)
	for name, c := range map[string]struct {
		files map[string]string
		on    delivery.OnErrors
		sent  bool
		mail  string
	}{
		"harmful, by default":   {harmful, "", false, "Held because of errors"},
		"harmful, block":        {harmful, delivery.ErrorsBlock, false, "Held because of errors"},
		"harmful, warn":         {harmful, delivery.ErrorsWarn, true, "Sent with errors"},
		"another, by default":   {other, delivery.ErrorsHarmful, true, "Sent with errors"},
		"another, block":        {other, delivery.ErrorsBlock, false, "Held because of errors"},
		"none, block":           {plainMail, delivery.ErrorsBlock, true, ""},
		"only a warning, block": {mailWith("<h3></h3>"), delivery.ErrorsBlock, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := envWithFaults(t, true, c.files, delivery.Checks{OnErrors: c.on})
			edition, err := b.engine.SendNow(t.Context(), "weekly", "")
			var faults *delivery.CheckError
			if errors.As(err, &faults) == c.sent {
				t.Fatalf("%v", err)
			}
			stored, err := b.store.Edition(t.Context(), edition.ID)
			if err != nil {
				t.Fatal(err)
			}
			if c.sent != (stored.State == digest.Approved) || !c.sent && (stored.Automatic || !strings.Contains(stored.Held, "the check found errors")) {
				t.Errorf("%s, automatic %t, held %q", stored.State, stored.Automatic, stored.Held)
			}
			b.run()
			b.eventually("the mails", func() bool {
				mails := b.server.Received()
				return (mails["reader0@example.org"] == 1) == c.sent && (mails["ann@gazette.example"] == 1) == (c.mail != "")
			})
		})
	}
}

func TestBrokenLinkBlocksApproval(t *testing.T) {
	t.Parallel()
	var gone http.HandlerFunc = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) }
	other := httptest.NewServer(gone)
	t.Cleanup(other.Close)
	b := envWithFaults(t, false, mailWith(`<p><a href="`+other.URL+`/page">Page</a></p>`), delivery.Checks{Fetcher: lint.NewFetcher(lint.FetcherOptions{Intranet: true})})
	draft, err := b.engine.Draft(t.Context(), "weekly", delivery.SendOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if found, err := b.engine.Check(t.Context(), draft.ID); err != nil || len(found) > 0 {
		t.Errorf("before any request: %+v, %v", found, err)
	}
	var faults *delivery.CheckError
	if _, err := b.engine.Approve(t.Context(), draft.ID); !errors.As(err, &faults) || !slices.Equal(findingNames(faults.Findings), []string{"link-broken"}) {
		t.Errorf("%v", err)
	}
	if found, err := b.engine.Check(t.Context(), draft.ID); err != nil || !slices.Equal(findingNames(found), []string{"link-broken"}) {
		t.Errorf("after the request: %+v, %v", found, err)
	}
	if found, err := b.engine.CheckOnline(t.Context(), draft.ID); err != nil || !slices.Equal(findingNames(found), []string{"link-broken"}) {
		t.Errorf("online: %+v, %v", found, err)
	}
}
