package admin

import (
	"context"
	"net/http"
	"strings"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
)

// lever is something that an editor can do with an edition.
type lever struct {
	pull func(ctx context.Context, h *Handler, edition, by string) error
	done string // key of what is said afterwards
}

// leverOf has the levers by their names in addresses. Reasons that are kept name the
// editor.
var leverOf = map[string]lever{
	"pause": {func(ctx context.Context, h *Handler, edition, by string) error {
		return h.engine.Pause(ctx, edition, "paused by "+by)
	}, "paused"},
	"resume": {func(ctx context.Context, h *Handler, edition, _ string) error {
		return h.engine.Resume(ctx, edition)
	}, "resumed"},
	"cancel": {func(ctx context.Context, h *Handler, edition, by string) error {
		return h.engine.Cancel(ctx, edition, "cancelled by "+by)
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

// act does what an editor asks of an edition.
func (h *Handler) controlEdition(w http.ResponseWriter, r *http.Request, session store.Session) error {
	id, action := r.PathValue("id"), r.PathValue("action")
	lever, ok := leverOf[action]
	if !ok {
		return store.ErrNotFound
	}
	if err := lever.pull(longRequest(w, r), h, id, session.Editor.Email); err != nil {
		return err
	}
	h.log.Info("edition changed by hand", "edition", id, "change", action, "editor", session.Editor.ID)
	return redirectWithNotice(w, r, "/admin/editions/"+id, lever.done)
}

// testEdition sends an edition as it is to one address.
func (h *Handler) testEdition(w http.ResponseWriter, r *http.Request, session store.Session) error {
	id := r.PathValue("id")
	return h.sendTest(w, r, session, "/admin/editions/"+id, func(to subscriber.Address) error {
		return h.engine.SendEditionTest(r.Context(), id, to)
	})
}

// changeSubject gives a draft another subject.
func (h *Handler) changeSubject(w http.ResponseWriter, r *http.Request, session store.Session) error {
	here := "/admin/editions/" + r.PathValue("id")
	subject := strings.Join(strings.Fields(article.CleanText(truncate(r.PostFormValue("subject"), 500))), " ")
	if subject == "" {
		return invalid("The subject stays as it is", "A mail without a subject is taken for spam. Right would be a short line.", here)
	}
	if err := h.store.SetEditionSubject(r.Context(), r.PathValue("id"), subject); err != nil {
		return conflict("The subject stays as it is", err, here)
	}
	h.log.Info("subject changed by hand", "edition", r.PathValue("id"), "editor", session.Editor.ID)
	return redirectWithNotice(w, r, here, "subject")
}
