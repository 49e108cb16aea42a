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
func (room *Room) approve(w http.ResponseWriter, r *http.Request, who store.Session) error {
	id := r.PathValue("id")
	here := "/room/editions/" + id
	shown, err := delivery.ParseShown(r.PostFormValue("shown"))
	if err != nil { // nothing was shown
		http.Redirect(w, r, here, http.StatusSeeOther)
		return nil
	}
	ctx := patient(w, r)
	review, err := room.engine.Review(ctx, id)
	if err != nil {
		return draftProblem(err, here)
	}
	body := approvePage{Review: review, Title: room.title(review.Edition.Digest)}
	if r.PostFormValue("sure") == "yes" {
		var changed *delivery.ChangedError
		_, err := room.engine.ApproveShown(ctx, id, shown)
		if err == nil {
			room.log.Info("edition approved by hand", "edition", id, "editor", who.Editor.ID)
			return back(w, r, here, "approved")
		}
		if !errors.As(err, &changed) {
			return draftProblem(err, here)
		}
	}
	status := http.StatusOK
	if body.Changes, err = room.engine.Differences(ctx, shown, review.AsShown); err != nil {
		return err
	}
	if len(body.Changes) > 0 {
		status = http.StatusConflict
	}
	return room.show(w, status, "approve", page{Title: "Send " + review.Subject + "?", Nav: "desk", Who: &who.Editor, Body: body})
}

// draftProblem tells an editor why a draft cannot be sent.
func draftProblem(err error, here string) error {
	var state *store.StateError
	if errors.As(err, &state) || errors.Is(err, store.ErrNotFound) {
		return err
	}
	return refuse("Nothing was sent", err, here)
}
