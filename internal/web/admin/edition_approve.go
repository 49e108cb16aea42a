package admin

import (
	"errors"
	"net/http"
	"time"

	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/lint"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/words"
)

// approvePage is the data of the confirmation page for a draft.
type approvePage struct {
	delivery.Review
	Title    string
	Deadline words.Text // when it is sent
	Changes  []string   // since the draft was shown
	Undo     time.Duration
	Errors   int // that the check found and no editor waived
	Warnings int
}

// countFindings counts the findings of the check that no editor waived.
func (p *approvePage) countFindings(findings []lint.Finding) {
	for _, f := range findings {
		switch {
		case f.Waived != "":
		case f.Severity == lint.Error:
			p.Errors++
		default:
			p.Warnings++
		}
	}
}

// approve sends a draft. The first POST, from the draft's page, is answered with a
// confirmation page with subject, articles and number of subscribers; the second POST confirms.
// Both have the fingerprint of what the editor saw: a draft that has changed is shown again.
func (h *Handler) approve(w http.ResponseWriter, r *http.Request, session store.Session) error {
	id := r.PathValue("id")
	back := "/admin/editions/" + id
	shown, err := delivery.ParseFingerprint(r.PostFormValue("shown"))
	if err != nil { // nothing was shown
		unchanged(r)
		http.Redirect(w, r, back, http.StatusSeeOther)
		return nil
	}
	ctx := longRequest(w, r)
	review, err := h.engine.Review(ctx, id)
	if err != nil {
		return draftError(err, back)
	}
	body := approvePage{Review: review, Title: h.digestTitle(review.Edition.Digest), Deadline: h.engine.DeadlineText(review.Edition), Undo: h.undoFor(review.Edition)}
	if r.PostFormValue("sure") == "yes" {
		var changed *delivery.ChangedError
		edition, err := h.engine.ApproveAs(h.auditing(ctx, session.Editor, "edition.approve", "edition", id, ""), id, delivery.Approver{Editor: session.Editor.ID, Name: session.Editor.Email, Undo: h.engine.Policy.Undo}, shown)
		if err == nil {
			h.log.InfoContext(r.Context(), "edition approved by hand", "edition", id, "editor", session.Editor.ID, "state", edition.State)
			return redirectWithFlash(w, r, back, h.approvedFlash(edition))
		}
		if !errors.As(err, &changed) {
			return draftError(err, back)
		}
	}
	status := http.StatusOK
	if body.Changes, err = h.engine.Differences(ctx, shown, review.Fingerprint); err != nil {
		return err
	}
	findings, err := h.engine.Check(ctx, id)
	if err != nil {
		return err
	}
	body.countFindings(findings)
	if len(body.Changes) > 0 {
		status = http.StatusConflict
	}
	unchanged(r)
	return h.show(w, status, "edition_approve", page{Title: words.T("Send {0}?", review.Subject), Nav: editionArea(review.Edition), Editor: &session.Editor, Body: body})
}

// undoFor returns how long an edition waits for an undo once it is approved: not if it waits for its
// tick.
func (h *Handler) undoFor(edition store.Edition) time.Duration {
	if edition.SendAt.After(h.store.Now()) {
		return 0
	}
	return h.engine.Policy.Undo
}

// draftError returns the error page for a draft that cannot be sent.
func draftError(err error, back string) error {
	var state *store.StateError
	if errors.As(err, &state) || errors.Is(err, store.ErrNotFound) {
		return err
	}
	return conflict("Nothing was sent", err, back)
}
