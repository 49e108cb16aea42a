package admin

import (
	"errors"
	"net/http"

	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/store"
)

// approvePage is the data of the question before a draft is sent.
type approvePage struct {
	delivery.Review
	Title   string
	Changes []string // since the draft was shown; empty when it is the same
}

// approve sends a draft. The first post comes from the draft's page and is answered by a
// question with subscribers, subject and articles; the second carries the answer. Both
// carry what the editor was shown: a draft that changed since then is shown again.
func (h *Handler) approve(w http.ResponseWriter, r *http.Request, session store.Session) error {
	id := r.PathValue("id")
	back := "/admin/editions/" + id
	shown, err := delivery.ParseFingerprint(r.PostFormValue("shown"))
	if err != nil { // nothing was shown
		http.Redirect(w, r, back, http.StatusSeeOther)
		return nil
	}
	ctx := longRequest(w, r)
	review, err := h.engine.Review(ctx, id)
	if err != nil {
		return draftError(err, back)
	}
	body := approvePage{Review: review, Title: h.digestTitle(review.Edition.Digest)}
	if r.PostFormValue("sure") == "yes" {
		var changed *delivery.ChangedError
		_, err := h.engine.ApproveUnchanged(ctx, id, shown)
		if err == nil {
			h.log.Info("edition approved by hand", "edition", id, "editor", session.Editor.ID)
			return redirectWithNotice(w, r, back, "approved")
		}
		if !errors.As(err, &changed) {
			return draftError(err, back)
		}
	}
	status := http.StatusOK
	if body.Changes, err = h.engine.Differences(ctx, shown, review.Fingerprint); err != nil {
		return err
	}
	if len(body.Changes) > 0 {
		status = http.StatusConflict
	}
	return h.show(w, status, "edition_approve", page{Title: "Send " + review.Subject + "?", Nav: "dashboard", Editor: &session.Editor, Body: body})
}

// draftError returns the error that says why a draft cannot be sent.
func draftError(err error, back string) error {
	var state *store.StateError
	if errors.As(err, &state) || errors.Is(err, store.ErrNotFound) {
		return err
	}
	return conflict("Nothing was sent", err, back)
}
