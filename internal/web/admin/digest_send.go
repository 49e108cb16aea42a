package admin

import (
	"errors"
	"net/http"

	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/store"
)

// sendPage shows the confirmation page for sending a digest, with the subject, the articles
// and the number of subscribers.
func (h *Handler) sendPage(w http.ResponseWriter, r *http.Request, session store.Session) error {
	return h.askToSend(w, r, session, nil)
}

// askToSend shows the confirmation page, with the changes since it was last shown.
func (h *Handler) askToSend(w http.ResponseWriter, r *http.Request, session store.Session, changes []string) error {
	body, err := h.digestPage(r)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if body.Changes = changes; len(changes) > 0 {
		status = http.StatusConflict
	}
	return h.show(w, status, "digest_send", page{Title: "Send " + body.Title.String() + " now?", Nav: "dashboard", Editor: &session.Editor, Body: body})
}

// send creates an edition and approves it, unless it differs from the one on the confirmation
// page.
func (h *Handler) send(w http.ResponseWriter, r *http.Request, session store.Session) error {
	d, err := h.requestedDigest(r)
	if err != nil {
		return err
	}
	shown, err := delivery.ParseFingerprint(r.PostFormValue("shown"))
	if r.PostFormValue("sure") != d.Name || err != nil {
		http.Redirect(w, r, "/admin/digests/"+d.Name+"/send", http.StatusSeeOther)
		return nil
	}
	e, err := h.engine.Send(longRequest(w, r), d.Name, delivery.SendOptions{By: session.Editor.Email, Editor: session.Editor.ID, Expect: &shown})
	var changed *delivery.ChangedError
	if errors.As(err, &changed) {
		return h.askToSend(w, r, session, changed.Differences)
	}
	if err != nil {
		return conflict("Nothing was sent", err, "/admin/digests/"+d.Name)
	}
	h.log.Info("edition sent by hand", "edition", e.ID, "digest", d.Name, "editor", session.Editor.ID)
	http.Redirect(w, r, "/admin/editions/"+e.ID, http.StatusSeeOther)
	return nil
}
