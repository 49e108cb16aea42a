package admin

import (
	"context"
	"net/http"
	"strconv"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/web/middleware"
)

// audit appends an entry to the audit log after an editor has changed something. action is a
// keyword such as "edition.approve", kind and id name the object, detail says what a reader of the
// log needs besides. No text may contain an address or name of a subscriber.
//
// The entry is written after the change, with a context that does not end with the request. If it
// cannot be written, the change stands, and the log of the server has the entry.
func (h *Handler) audit(r *http.Request, by store.Editor, action, kind, id, detail string) {
	unchanged(r)
	ctx := context.WithoutCancel(r.Context())
	entry := store.AuditEntry{
		Editor: by.ID, Who: by.Email, Action: action, Kind: kind, Object: id, Detail: detail, Request: middleware.ID(ctx),
	}
	if network := middleware.Network24or48(middleware.Client(ctx)); network.IsValid() {
		entry.Network = network.String()
	}
	if err := h.store.AddAudit(ctx, entry); err != nil {
		h.log.Error("entry not written to the audit log", "editor", by.ID, "action", action, "kind", kind, "object", id, "detail", detail, "request", entry.Request, "error", err)
	}
}

// auditMark is kept in the context of a changing request until the handler has said what it did.
type auditMark struct{ open bool }

type auditKey struct{}

// unchanged marks a request that needs no entry in the audit log, since it has one or has changed
// nothing.
func unchanged(r *http.Request) {
	if mark, ok := r.Context().Value(auditKey{}).(*auditMark); ok {
		mark.open = false
	}
}

// audited runs the handler of a route that changes something. A change without an entry in the audit
// log is a fault of the program: it is logged, and the entry names the route.
func (h *Handler) audited(one route, w http.ResponseWriter, r *http.Request, session store.Session) error {
	if !one.changes() {
		return one.handle(w, r, session)
	}
	mark := &auditMark{open: true}
	r = r.WithContext(context.WithValue(r.Context(), auditKey{}, mark))
	answer := &answerStatus{ResponseWriter: w}
	err := one.handle(answer, r, session)
	if err == nil && mark.open && answer.status < http.StatusBadRequest {
		h.log.Error("a change left no entry in the audit log", "route", one.pattern, "editor", session.Editor.ID)
		h.audit(r, session.Editor, "other", "route", one.pattern, "")
	}
	return err
}

// answerStatus remembers the status of a response.
type answerStatus struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (a *answerStatus) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (a *answerStatus) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// editorID returns the number of an editor as it stands in the audit log.
func editorID(e store.Editor) string { return strconv.FormatInt(e.ID, 10) }
