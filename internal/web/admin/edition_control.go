package admin

import (
	"context"
	"net/http"
	"strings"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/words"
)

// control is an action of editors on an edition.
type control struct {
	run   func(ctx context.Context, h *Handler, edition, editor string) error
	flash string // key of the flash message afterwards
}

// controls are the actions by their names in URLs. The stored reasons name the editor.
var controls = map[string]control{
	"pause": {func(ctx context.Context, h *Handler, edition, editor string) error {
		return h.engine.Pause(ctx, edition, words.T("paused by {0}", editor).String())
	}, "paused"},
	"resume": {func(ctx context.Context, h *Handler, edition, _ string) error {
		return h.engine.Resume(ctx, edition)
	}, "resumed"},
	"undo": {func(ctx context.Context, h *Handler, edition, editor string) error {
		return h.engine.Undo(ctx, edition, editor)
	}, "undone"},
	"hold": {func(ctx context.Context, h *Handler, edition, editor string) error {
		return h.engine.Hold(ctx, edition, editor)
	}, "draft-held"},
	"release": {func(ctx context.Context, h *Handler, edition, _ string) error {
		return h.engine.ReleaseHold(ctx, edition)
	}, "draft-released"},
	"cancel": {func(ctx context.Context, h *Handler, edition, editor string) error {
		return h.engine.Cancel(ctx, edition, words.T("cancelled by {0}", editor).String())
	}, "canceled"},
	"resend": {func(ctx context.Context, h *Handler, edition, _ string) error {
		_, err := h.engine.ResolveUncertain(ctx, edition, true)
		return err
	}, "resent"},
	"drop": {func(ctx context.Context, h *Handler, edition, _ string) error {
		_, err := h.engine.ResolveUncertain(ctx, edition, false)
		return err
	}, "dropped"},
}

// whyNotUndone returns why the approval of an edition in a state cannot be undone.
func whyNotUndone(state digest.State) words.Text {
	switch state {
	case digest.Draft:
		return words.T("The edition is a draft already. There is no approval to undo.")
	case digest.Sending, digest.Sent:
		return words.T("It is too late: sending has started. You can pause or cancel an edition while it is being sent.")
	}
	return words.T("Only an approved edition of which no email was sent can be undone.")
}

// controlEdition pauses, resumes or cancels an edition, or decides on its uncertain mails.
func (h *Handler) controlEdition(w http.ResponseWriter, r *http.Request, session store.Session) error {
	id, action := r.PathValue("id"), r.PathValue("action")
	c, ok := controls[action]
	if !ok {
		return store.ErrNotFound
	}
	if err := c.run(h.auditing(longRequest(w, r), session.Editor, "edition."+action, "edition", id, ""), h, id, session.Editor.Email); err != nil {
		return err
	}
	h.log.InfoContext(r.Context(), "edition changed by hand", "edition", id, "change", action, "editor", session.Editor.ID)
	return redirectWithFlash(w, r, "/admin/editions/"+id, c.flash)
}

// testEdition sends an edition to one address.
func (h *Handler) testEdition(w http.ResponseWriter, r *http.Request, session store.Session) error {
	id := r.PathValue("id")
	return h.sendTest(w, r, session, "edition", id, func(to subscriber.Address) error {
		return h.sendTestVariants(r.Context(), r, session, h.editionVariants(id), func(v digest.Variant) error {
			return h.engine.SendVariantTest(r.Context(), id, v, to)
		})
	})
}

// changeSubject changes the subject of a draft.
func (h *Handler) changeSubject(w http.ResponseWriter, r *http.Request, session store.Session) error {
	const unchanged = "The subject was not changed"
	back := "/admin/editions/" + r.PathValue("id")
	subject := strings.Join(strings.Fields(article.CleanText(truncate(r.PostFormValue("subject"), 500))), " ")
	if subject == "" {
		return invalid(unchanged, "Enter a subject: spam filters reject emails without one.", back)
	}
	ctx := h.auditing(r.Context(), session.Editor, "edition.subject", "edition", r.PathValue("id"), subject)
	if err := h.store.SetEditionSubject(ctx, r.PathValue("id"), subject); err != nil {
		return conflict(unchanged, err, back)
	}
	h.log.InfoContext(r.Context(), "subject changed by hand", "edition", r.PathValue("id"), "editor", session.Editor.ID)
	return redirectWithFlash(w, r, back, "subject")
}
