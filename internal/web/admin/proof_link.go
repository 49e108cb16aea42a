package admin

import (
	"errors"
	"net/http"

	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/token"
	"github.com/tidings-press/tidings/internal/words"
)

// proofLinkPage is the data of the page that the links of a proof open. It changes nothing: mail
// scanners open every link.
type proofLinkPage struct {
	delivery.Proof
	At      string   // path of the page
	Changes []string // since the draft was shown
	SignIn  string   // path of the sign-in, if the link alone is not enough to approve
}

// requestedProofLink returns what the link in a request's path means, and whether its editor is signed
// in.
func (h *Handler) requestedProofLink(r *http.Request) (delivery.ProofLink, bool, error) {
	link, err := h.engine.ReadProofLink(r.Context(), r.PathValue("token"))
	if errors.Is(err, token.ErrInvalid) || errors.Is(err, token.ErrExpired) {
		err = &userError{http.StatusGone, "This link no longer works",
			"It has expired, was cut short, or belongs to an account that has changed since. Sign in to see the edition.", "/admin/", "Sign in"}
	}
	if err != nil {
		return link, false, err
	}
	session, err := h.session(r)
	if errors.Is(err, store.ErrNotFound) {
		return link, false, nil
	}
	if err != nil || session.Editor.ID != link.Editor.ID {
		return link, false, err
	}
	missing, err := h.missingFactor(r, session)
	return link, missing == factorUsed, err
}

// draftByLink serves the page of a proof to anyone who has its link.
func (h *Handler) draftByLink(w http.ResponseWriter, r *http.Request) error {
	link, signedIn, err := h.requestedProofLink(r)
	if err != nil {
		return err
	}
	return h.showDraftByLink(w, r, link, signedIn, nil)
}

func (h *Handler) showDraftByLink(w http.ResponseWriter, r *http.Request, link delivery.ProofLink, signedIn bool, changes []string) error {
	proof, err := h.engine.Proof(r.Context(), link.Edition)
	if err != nil {
		return decidedError(err)
	}
	body := proofLinkPage{Proof: proof, At: "/admin/proofs/" + r.PathValue("token"), Changes: changes}
	if !signedIn && (h.engine.NeedsSignIn(proof.Edition) || h.requiresFactor(link.Editor.Role)) {
		body.SignIn = "/admin/sign-in?next=/admin/editions/" + link.Edition
	}
	status := http.StatusOK
	if len(changes) > 0 {
		status = http.StatusConflict
	}
	return h.show(w, status, "proof_link", page{Title: proof.Subject, Body: body})
}

// decidedError returns the page for a draft on which another editor or the schedule has decided.
func decidedError(err error) error {
	var state *store.StateError
	if !errors.As(err, &state) {
		return err
	}
	return &userError{http.StatusConflict, "This edition is no longer a draft", words.T("Its state is: {0}.", words.T(state.Have.Label())), "/admin/editions/" + state.Edition, "Go to the edition"}
}

// mailByLink serves the HTML part of a draft to anyone who has the link of its proof.
func (h *Handler) mailByLink(w http.ResponseWriter, r *http.Request) error {
	link, _, err := h.requestedProofLink(r)
	if err != nil {
		return err
	}
	v, err := h.engine.PreviewEdition(r.Context(), link.Edition)
	if err != nil {
		return err
	}
	writeMail(w, withSampleRecipient(v).HTML, true)
	return nil
}

// decideByLink approves or holds a draft with the link of a proof.
func (h *Handler) decideByLink(w http.ResponseWriter, r *http.Request) error {
	link, signedIn, err := h.requestedProofLink(r)
	if err != nil {
		return err
	}
	switch r.PathValue("action") {
	case "hold":
		return h.holdByLink(w, r, link)
	case "undo":
		return h.undoByLink(w, r, link)
	}
	shown, err := delivery.ParseFingerprint(r.PostFormValue("shown"))
	if err != nil { // nothing was shown
		return h.showDraftByLink(w, r, link, signedIn, nil)
	}
	if !signedIn && h.requiresFactor(link.Editor.Role) {
		return &userError{http.StatusForbidden, "Sign in to approve", "Your role needs a second factor, and a link does not count as one.", "/admin/sign-in?next=/admin/editions/" + link.Edition, "Sign in"}
	}
	ctx := h.auditing(longRequest(w, r), link.Editor, "edition.approve", "edition", link.Edition, "by the link of a proof")
	edition, err := h.engine.ApproveByLink(ctx, link, signedIn, shown)
	var changed *delivery.ChangedError
	switch {
	case errors.As(err, &changed):
		return h.showDraftByLink(w, r, link, signedIn, changed.Differences)
	case errors.Is(err, delivery.ErrSignIn):
		return &userError{http.StatusForbidden, "Sign in to approve", sentence(err), "/admin/sign-in?next=/admin/editions/" + link.Edition, "Sign in"}
	case err != nil:
		return decidedError(draftError(err, "/admin/proofs/"+r.PathValue("token")))
	}
	h.log.InfoContext(r.Context(), "edition approved by the link of a proof", "edition", link.Edition, "editor", link.Editor.ID, "state", edition.State, "client", clientAddress(r))
	return h.showDecision(w, r, edition.ID, h.approvedFlash(edition))
}

func (h *Handler) undoByLink(w http.ResponseWriter, r *http.Request, link delivery.ProofLink) error {
	ctx := h.auditing(r.Context(), link.Editor, "edition.undo", "edition", link.Edition, "by the link of a proof")
	if err := h.engine.Undo(ctx, link.Edition, link.Editor.Email); err != nil {
		return err
	}
	h.log.InfoContext(r.Context(), "approval undone by the link of a proof", "edition", link.Edition, "editor", link.Editor.ID, "client", clientAddress(r))
	return h.showDecision(w, r, link.Edition, "undone")
}

func (h *Handler) holdByLink(w http.ResponseWriter, r *http.Request, link delivery.ProofLink) error {
	ctx := h.auditing(r.Context(), link.Editor, "edition.hold", "edition", link.Edition, "by the link of a proof")
	if err := h.engine.Hold(ctx, link.Edition, link.Editor.Email); err != nil {
		return decidedError(err)
	}
	h.log.InfoContext(r.Context(), "draft held by the link of a proof", "edition", link.Edition, "editor", link.Editor.ID, "client", clientAddress(r))
	return h.showDecision(w, r, link.Edition, "draft-held")
}

// proofDecision is the data of the page that confirms a decision to an editor who may not be signed
// in.
type proofDecision struct {
	Text    string
	Edition string
	Undo    string // path that undoes an approval; empty if it cannot be undone
}

func (h *Handler) showDecision(w http.ResponseWriter, r *http.Request, edition, done string) error {
	body := proofDecision{Text: flashMessages[done], Edition: edition}
	if done == "approved-undo" || done == "approved-ahead" {
		body.Undo = "/admin/proofs/" + r.PathValue("token") + "/undo"
	}
	return h.show(w, http.StatusOK, "proof_decision", page{Title: "Done", Body: body})
}

// addOffered adds one of the articles that a draft does not have yet, and that its page offers.
func (h *Handler) addOffered(w http.ResponseWriter, r *http.Request, session store.Session) error {
	back := "/admin/editions/" + r.PathValue("id")
	id := truncate(r.PostFormValue("article"), 200)
	ctx := h.auditing(r.Context(), session.Editor, "edition.add", "edition", r.PathValue("id"), id)
	if err := h.engine.TakeOffered(ctx, r.PathValue("id"), id, session.Editor.Email); err != nil {
		return draftError(err, back)
	}
	h.log.InfoContext(r.Context(), "an article was added to a draft", "edition", r.PathValue("id"), "editor", session.Editor.ID)
	return redirectWithFlash(w, r, back, "taken")
}

// approvedFlash returns the key of the flash message after an approval.
func (h *Handler) approvedFlash(e store.Edition) string {
	switch {
	case e.State == digest.Draft:
		return "approved-first"
	case e.SendAt.After(h.store.Now()):
		return "approved-ahead"
	case e.UndoUntil.After(h.store.Now()):
		return "approved-undo"
	}
	return "approved"
}
