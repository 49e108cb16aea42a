package admin

import (
	"context"
	"net/http"
	"strconv"

	"github.com/tidings-press/tidings/internal/connlimit"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/web/middleware"
)

// auditing returns the context for a change that an editor makes: the transaction of the change adds
// the entry to the audit log. action is a keyword such as "edition.approve", kind and id name the
// object, detail says what a reader of the log needs besides. Without an id, the store completes the
// entry with that of the object which it makes. No text may contain an address or name of a subscriber.
func (h *Handler) auditing(ctx context.Context, by store.Editor, action, kind, id, detail string) context.Context {
	state, found := ctx.Value(auditKey{}).(*auditState)
	ctx, pending := store.WithAudit(ctx, newAuditEntry(ctx, by, action, kind, id, detail))
	if found {
		state.open, state.pending = false, append(state.pending, pending)
	}
	return ctx
}

func newAuditEntry(ctx context.Context, by store.Editor, action, kind, id, detail string) store.AuditEntry {
	entry := store.AuditEntry{
		Editor: by.ID, Who: by.Email, Action: action, Kind: kind, Object: id, Detail: detail, Request: middleware.ID(ctx),
	}
	if network := connlimit.Network24or48(middleware.Client(ctx)); network.IsValid() {
		entry.Network = network.String()
	}
	return entry
}

// audit appends an entry to the audit log for an action that is not a change of the store, such as a
// test of a relay; see auditing for those that are. If the entry cannot be written, the log of the
// server has it.
func (h *Handler) audit(r *http.Request, by store.Editor, action, kind, id, detail string) {
	unchanged(r)
	ctx := context.WithoutCancel(r.Context())
	h.addAudit(ctx, newAuditEntry(ctx, by, action, kind, id, detail))
}

// auditBefore appends an entry for an action that must not happen without it, such as an export of
// addresses.
func (h *Handler) auditBefore(r *http.Request, by store.Editor, action, kind, id, detail string) error {
	unchanged(r)
	ctx := context.WithoutCancel(r.Context())
	return h.store.AddAudit(ctx, newAuditEntry(ctx, by, action, kind, id, detail))
}

func (h *Handler) addAudit(ctx context.Context, e store.AuditEntry) {
	if err := h.store.AddAudit(ctx, e); err != nil {
		h.log.Error("entry not written to the audit log", "editor", e.Editor, "action", e.Action, "kind", e.Kind, "object", e.Object, "detail", e.Detail, "request", e.Request, "error", err)
	}
}

// auditState is kept in the context of a request that changes something: whether it still needs an entry
// in the audit log, and the entries that the transactions of its changes add.
type auditState struct {
	open    bool
	pending []*store.PendingAudit
}

type auditKey struct{}

// unchanged marks a request that needs no entry in the audit log, since it has one or has changed
// nothing.
func unchanged(r *http.Request) {
	if state, ok := r.Context().Value(auditKey{}).(*auditState); ok {
		state.open, state.pending = false, nil
	}
}

// audited runs the handler of a route that changes something. A change without an entry in the audit
// log is a fault of the program: it is logged, and the entry names the route. Routes without a session
// are open to visitors, who change nothing.
func (h *Handler) audited(one route, w http.ResponseWriter, r *http.Request, session store.Session) error {
	if !one.changes() {
		return one.handle(w, r, session)
	}
	state := &auditState{open: one.role != noSession}
	r = r.WithContext(context.WithValue(r.Context(), auditKey{}, state))
	recorder := &statusRecorder{ResponseWriter: w}
	err := one.handle(recorder, r, session)
	if err != nil || recorder.status >= http.StatusBadRequest {
		return err
	}
	for _, pending := range state.pending {
		// An action that found nothing to change is in the log too, unless it was to make an object.
		if e := pending.Entry(); !pending.Added() && (e.Kind == "" || e.Object != "") {
			h.addAudit(context.WithoutCancel(r.Context()), e)
		}
	}
	if state.open {
		h.log.ErrorContext(r.Context(), "a change left no entry in the audit log", "route", one.pattern, "editor", session.Editor.ID)
		h.audit(r, session.Editor, "other", "route", one.pattern, "")
	}
	return nil
}

// statusRecorder records the status of a response.
type statusRecorder struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (a *statusRecorder) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (a *statusRecorder) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// editorID returns the number of an editor as it stands in the audit log.
func editorID(e store.Editor) string { return strconv.FormatInt(e.ID, 10) }
