package admin

import (
	"errors"
	"net/http"

	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/store"
)

// approvePage asks once more before a draft is sent, and says what changed since it was
// shown.
type approvePage struct {
	delivery.Review
	Title   string
	Changes []string // since it was shown; empty when nothing did
}

// approve sends a draft. The first post, from the draft's page, is answered by a question
// that names readers, subject and articles; the second carries the answer. Both carry what
// the editor was shown: a draft that is another one by then is shown again.
func (h *Handler) approve(w http.ResponseWriter, r *http.Request, session store.Session) error {
	id := r.PathValue("id")
	here := "/admin/editions/" + id
	shown, err := delivery.ParseFingerprint(r.PostFormValue("shown"))
	if err != nil { // nothing was shown
		http.Redirect(w, r, here, http.StatusSeeOther)
		return nil
	}
	ctx := longRequest(w, r)
	review, err := h.engine.Review(ctx, id)
	if err != nil {
		return draftProblem(err, here)
	}
	body := approvePage{Review: review, Title: h.title(review.Edition.Digest)}
	if r.PostFormValue("sure") == "yes" {
		var changed *delivery.ChangedError
		_, err := h.engine.ApproveUnchanged(ctx, id, shown)
		if err == nil {
			h.log.Info("edition approved by hand", "edition", id, "editor", session.Editor.ID)
			return redirectWithNotice(w, r, here, "approved")
		}
		if !errors.As(err, &changed) {
			return draftProblem(err, here)
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

// draftProblem tells an editor why a draft cannot be sent.
func draftProblem(err error, here string) error {
	var state *store.StateError
	if errors.As(err, &state) || errors.Is(err, store.ErrNotFound) {
		return err
	}
	return conflict("Nothing was sent", err, here)
}
