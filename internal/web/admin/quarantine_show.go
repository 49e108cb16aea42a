package admin

import (
	"errors"
	"net/http"
	"slices"

	"github.com/tidings-press/tidings/internal/store"
)

// quarantinePage is the data of the page on which an owner reviews a restored store,
// edition by edition, and ends its quarantine.
type quarantinePage struct {
	*store.Quarantine
	Editions []quarantinedEdition
	Ticks    []store.SkippedTicks
}

// Restored reports whether the store was restored from a backup, and not copied.
func (p quarantinePage) Restored() bool { return p.Reason == store.Restored }

// quarantinedEdition is an edition that left, or was being sent, since the backup.
type quarantinedEdition struct {
	store.QuarantinedEdition
	Title string // of its digest
}

// InJournal reports whether the journal knows of the edition.
func (e quarantinedEdition) InJournal() bool { return !e.Began.IsZero() }

// decisionOption is a decision that an edition allows.
type decisionOption struct {
	Decision store.Decision
	Label    string
	Chosen   bool
}

// Options returns the decisions that the edition allows. The chosen one is what happens
// to it when the quarantine ends now.
func (e quarantinedEdition) Options() []decisionOption {
	labels := map[store.Decision]string{
		store.DecideSent:     "It was sent: no other subscriber gets it",
		store.DecideContinue: "Continue: subscribers for whom no mail left get it",
		store.DecideHold:     "Hold: it stays paused, or a draft",
		store.DecideCancel:   "Cancel: no other subscriber gets it",
	}
	if e.Stored == "" {
		labels[store.DecideCancel] = "Cancel: its articles go into the next edition, also to subscribers who got this one"
	}
	var out []decisionOption
	for _, d := range store.Decisions {
		if e.Allows(d) {
			out = append(out, decisionOption{d, labels[d], d == e.Outcome()})
		}
	}
	return out
}

// quarantine shows what left since the backup.
func (h *Handler) quarantine(w http.ResponseWriter, r *http.Request, session store.Session) error {
	if err := ownersOnly(session); err != nil {
		return err
	}
	q, err := h.store.Quarantine(r.Context())
	if err != nil {
		return err
	}
	if q == nil {
		return &userError{http.StatusNotFound, "No quarantine", "The store is not quarantined: mail is sent as scheduled.", "/admin/", dashboardLabel}
	}
	body := quarantinePage{Quarantine: q}
	editions, err := h.store.QuarantinedEditions(r.Context())
	if err != nil {
		return err
	}
	for _, e := range editions {
		body.Editions = append(body.Editions, quarantinedEdition{e, h.digestTitle(e.Digest)})
	}
	if body.Ticks, err = h.engine.MissedTicks(r.Context()); err != nil {
		return err
	}
	return h.show(w, http.StatusOK, "quarantine_show", page{Title: "Quarantine", Nav: "dashboard", Editor: &session.Editor, Notice: notice(r), Body: body})
}

// decideQuarantined saves what happens to an edition when the quarantine ends.
func (h *Handler) decideQuarantined(w http.ResponseWriter, r *http.Request, session store.Session) error {
	if err := ownersOnly(session); err != nil {
		return err
	}
	id, decision := r.PathValue("id"), store.Decision(r.PostFormValue("decision"))
	if !slices.Contains(store.Decisions, decision) {
		return invalid("Nothing was decided", "Choose one of the decisions.", "/admin/quarantine")
	}
	err := h.store.DecideQuarantined(r.Context(), id, decision)
	if errors.Is(err, store.ErrNotFound) {
		return err
	}
	if err != nil {
		return conflict("Nothing was decided", err, "/admin/quarantine")
	}
	h.log.Info("quarantined edition decided", "edition", id, "decision", decision, "editor", session.Editor.ID)
	return redirectWithNotice(w, r, "/admin/quarantine", "decided")
}

// releaseQuarantine carries out the decisions and lets mail be sent again.
func (h *Handler) releaseQuarantine(w http.ResponseWriter, r *http.Request, session store.Session) error {
	if err := ownersOnly(session); err != nil {
		return err
	}
	if r.PostFormValue("sure") != "yes" {
		return invalid("The quarantine was not ended", "Mail that was sent cannot be recalled. Tick the box above the button.", "/admin/quarantine")
	}
	ctx := longRequest(w, r)
	q, err := h.store.Quarantine(ctx)
	if err != nil {
		return err
	}
	if q == nil {
		return store.ErrNotFound
	}
	if _, err := h.engine.Release(ctx, !q.Journal && r.PostFormValue("articles") != "new"); err != nil {
		return err
	}
	h.log.Info("quarantine released", "editor", session.Editor.ID)
	return redirectWithNotice(w, r, "/admin/", "released")
}
