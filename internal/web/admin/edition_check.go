package admin

import (
	"net/http"

	"github.com/tidings-press/tidings/internal/store"
)

// checkEdition requests the links and images of a draft, and asks the spam filters. The page of
// the draft shows what they answered.
func (h *Handler) checkEdition(w http.ResponseWriter, r *http.Request, session store.Session) error {
	back := "/admin/editions/" + r.PathValue("id")
	if _, err := h.engine.CheckOnline(longRequest(w, r), r.PathValue("id")); err != nil {
		return draftError(err, back)
	}
	h.audit(r, session.Editor, "edition.check", "edition", r.PathValue("id"), "")
	return redirectWithFlash(w, r, back, "checked")
}

// waiveFinding records that the editor allows a draft to be sent despite findings of a name, or
// takes that back.
func (h *Handler) waiveFinding(w http.ResponseWriter, r *http.Request, session store.Session) error {
	id, name := r.PathValue("id"), r.PostFormValue("finding")
	back := "/admin/editions/" + id
	var err error
	key, action := "waived", "edition.waive"
	undo := r.PostFormValue("undo") == "yes"
	if undo {
		key, action = "unwaived", "edition.unwaive"
	}
	ctx := h.auditing(r.Context(), session.Editor, action, "edition", id, name)
	if undo {
		err = h.engine.Unwaive(ctx, id, name)
	} else {
		err = h.engine.Waive(ctx, id, name, r.PostFormValue("reason"), session.Editor.Email)
	}
	if err != nil {
		return conflict("Nothing was changed", err, back)
	}
	h.log.InfoContext(r.Context(), "finding of the check waived by hand", "edition", id, "finding", name, "change", key, "editor", session.Editor.ID)
	return redirectWithFlash(w, r, back, key)
}
