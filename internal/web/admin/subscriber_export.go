package admin

import (
	"net/http"

	"github.com/tidings-press/tidings/internal/store"
)

// exportSubscribers sends the subscribers that a filter selects as a list (CSV) that an import reads.
func (h *Handler) exportSubscribers(w http.ResponseWriter, r *http.Request, session store.Session) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	filter, _, err := requestedFilter(r.PostForm)
	if err != nil {
		return err
	}
	ctx := longRequest(w, r)
	h.log.InfoContext(r.Context(), "subscribers exported", "editor", session.Editor.ID, "digest", filter.Digest, "state", filter.State)
	if err := h.auditBefore(r, session.Editor, "subscriber.export", "", "", "a list"); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="subscribers-`+h.store.Now().In(h.zone).Format("2006-01-02")+`.csv"`)
	if err := h.manager().ExportFound(ctx, w, filter); err != nil {
		h.log.ErrorContext(r.Context(), "export of subscribers broke off", "editor", session.Editor.ID, "error", err)
		panic(http.ErrAbortHandler) // the browser must not take a part for the whole list
	}
	return nil
}
