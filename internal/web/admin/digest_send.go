package admin

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/words"
)

// sendConfirmation is the data of the confirmation page for sending a digest.
type sendConfirmation struct {
	digestPage
	Changes []string // since the edition was last shown
	Request string   // identifies the request to send: sent twice, it makes one edition
	Undo    time.Duration
	Latest  *store.Edition // made a short time ago, perhaps of the same articles; nil for none
}

// sendPage shows the confirmation page for sending a digest, with the subject, the articles
// and the number of subscribers.
func (h *Handler) sendPage(w http.ResponseWriter, r *http.Request, session store.Session) error {
	return h.askToSend(w, r, session, nil)
}

// askToSend shows the confirmation page, with the changes since it was last shown.
func (h *Handler) askToSend(w http.ResponseWriter, r *http.Request, session store.Session, changes []string) error {
	shown, err := h.digestPage(r)
	if err != nil {
		return err
	}
	body := sendConfirmation{digestPage: shown, Changes: changes, Request: uuid.NewString(), Undo: h.engine.Policy.Undo}
	if body.Latest, err = h.latestEdition(r.Context(), shown.Name); err != nil {
		return err
	}
	status := http.StatusOK
	if len(changes) > 0 || r.Method == http.MethodPost {
		status = http.StatusConflict
	}
	return h.show(w, status, "digest_send", page{Title: words.T("Send {0} now?", body.Title), Nav: "digests", Editor: &session.Editor, Body: body})
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
		unchanged(r)
		http.Redirect(w, r, "/admin/digests/"+d.Name+"/send", http.StatusSeeOther)
		return nil
	}
	request := r.PostFormValue("request")
	if uuid.Validate(request) != nil {
		request = ""
	}
	e, err := h.engine.Send(h.auditing(longRequest(w, r), session.Editor, "digest.send", "edition", "", d.Name), d.Name, delivery.SendOptions{
		By: session.Editor.Email, Editor: session.Editor.ID, Expect: &shown, Request: request, Undo: h.engine.Policy.Undo,
	})
	var changed *delivery.ChangedError
	if errors.As(err, &changed) {
		return h.askToSend(w, r, session, changed.Differences)
	}
	if errors.Is(err, delivery.ErrNothingNew) { // another editor was faster: the page leads to that edition
		return h.askToSend(w, r, session, nil)
	}
	if err != nil {
		return conflict("Nothing was sent", err, "/admin/digests/"+d.Name)
	}
	h.log.InfoContext(r.Context(), "edition sent by hand", "edition", e.ID, "digest", d.Name, "editor", session.Editor.ID)
	http.Redirect(w, r, "/admin/editions/"+e.ID, http.StatusSeeOther)
	return nil
}

// createDraft makes a draft of the new articles and leads to the page on which it is composed. If the digest
// has a draft already, it leads to that one.
func (h *Handler) createDraft(w http.ResponseWriter, r *http.Request, session store.Session) error {
	d, err := h.requestedDigest(r)
	if err != nil {
		return err
	}
	e, found, err := h.store.NewestDraft(r.Context(), d.Name)
	if err != nil {
		return err
	}
	if found {
		unchanged(r)
	} else {
		e, err = h.engine.Draft(h.auditing(longRequest(w, r), session.Editor, "digest.draft", "edition", "", d.Name), d.Name, delivery.SendOptions{By: session.Editor.Email, Editor: session.Editor.ID})
	}
	if errors.Is(err, delivery.ErrNothingNew) { // another request may have made the draft meanwhile
		unchanged(r)
		made, found, findErr := h.store.NewestDraft(r.Context(), d.Name)
		if findErr != nil {
			return findErr
		}
		if found {
			e, err = made, nil
		}
	}
	if err != nil {
		return conflict("No draft was created", err, "/admin/digests/"+d.Name)
	}
	http.Redirect(w, r, "/admin/editions/"+e.ID+"/compose", http.StatusSeeOther)
	return nil
}

// latestFor is how long after an edition was made the confirmation page names it.
const latestFor = time.Hour

// latestEdition returns the newest edition of a digest if it is recent or not finished, and nil if not.
func (h *Handler) latestEdition(ctx context.Context, name string) (*store.Edition, error) {
	found, err := h.store.Editions(ctx, name, 1)
	if err != nil || len(found) == 0 || found[0].State.Final() && h.store.Now().Sub(found[0].Created) > latestFor {
		return nil, err
	}
	return &found[0], nil
}
