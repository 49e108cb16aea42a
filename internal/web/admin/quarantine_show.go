package admin

import (
	"errors"
	"net/http"
	"slices"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/words"
)

// quarantinePage is the data of the page on which an owner reviews a restored store,
// edition by edition, and ends its quarantine.
type quarantinePage struct {
	*store.Quarantine
	Editions []quarantinedEdition
	Ticks    []store.SkippedTicks
	// Editors may sign in, and Feeds private feeds can be read. They are set without a journal.
	Editors []store.Editor
	Feeds   int64
}

// Restored reports whether the store was restored from a backup.
func (p quarantinePage) Restored() bool { return p.Reason == store.Restored }

// WithoutJournal reports whether the store's journal is missing.
func (p quarantinePage) WithoutJournal() bool { return p.Reason == store.NoJournal }

// quarantinedEdition is an edition that was sent, or was being sent, since the backup.
type quarantinedEdition struct {
	store.QuarantinedEdition
	Title string // of its digest
}

// InJournal reports whether the journal has a record of the edition.
func (e quarantinedEdition) InJournal() bool { return !e.Began.IsZero() }

// decisionOption is a possible decision on an edition.
type decisionOption struct {
	Decision store.Decision
	Label    words.Text
	Chosen   bool
}

// Options returns the possible decisions on the edition. The chosen one takes effect if the
// quarantine ends now.
func (e quarantinedEdition) Options() []decisionOption {
	labels := map[store.Decision]words.Text{
		store.DecideSent:     words.T("Sent: no other subscriber gets it"),
		store.DecideContinue: words.T("Continue: subscribers to whom it was not sent get it"),
		store.DecideHold:     words.T("Hold: it stays paused or a draft"),
		store.DecideCancel:   words.T("Cancel: no other subscriber gets it"),
	}
	if e.Stored == "" {
		labels[store.DecideCancel] = words.T("Cancel: its articles go into the next edition, also for subscribers who got this one")
	}
	var out []decisionOption
	for _, d := range store.Decisions {
		if e.Allows(d) {
			out = append(out, decisionOption{d, labels[d], d == e.Outcome()})
		}
	}
	return out
}

// quarantine shows the editions since the backup.
func (h *Handler) quarantine(w http.ResponseWriter, r *http.Request, session store.Session) error {
	q, err := h.store.Quarantine(r.Context())
	if err != nil {
		return err
	}
	if q == nil {
		return &userError{http.StatusNotFound, "No quarantine", "The store is not quarantined. Emails are sent as scheduled.", "/admin/", dashboardLabel}
	}
	body := quarantinePage{Quarantine: q}
	if !q.Journal {
		if body.Editors, err = h.store.Editors(r.Context()); err != nil {
			return err
		}
		body.Editors = slices.DeleteFunc(body.Editors, func(e store.Editor) bool { return !e.Disabled.IsZero() })
		if body.Feeds, err = h.store.CountPrivateFeeds(r.Context()); err != nil {
			return err
		}
	}
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
	return h.show(w, http.StatusOK, "quarantine_show", page{Title: "Quarantine", Nav: "dashboard", Editor: &session.Editor, Flash: flash(r), Body: body})
}

// decideQuarantined saves the decision on an edition.
func (h *Handler) decideQuarantined(w http.ResponseWriter, r *http.Request, session store.Session) error {
	id, decision := r.PathValue("id"), store.Decision(r.PostFormValue("decision"))
	if !slices.Contains(store.Decisions, decision) {
		return invalid("Nothing was decided", "Choose one of the decisions.", "/admin/quarantine")
	}
	err := h.store.DecideQuarantined(h.auditing(r.Context(), session.Editor, "quarantine.decide", "edition", id, string(decision)), id, decision)
	if errors.Is(err, store.ErrNotFound) {
		return err
	}
	if err != nil {
		return conflict("Nothing was decided", err, "/admin/quarantine")
	}
	h.log.InfoContext(r.Context(), "quarantined edition decided", "edition", id, "decision", decision, "editor", session.Editor.ID)
	return redirectWithFlash(w, r, "/admin/quarantine", "decided")
}

// releaseQuarantine carries out the decisions and ends the quarantine.
func (h *Handler) releaseQuarantine(w http.ResponseWriter, r *http.Request, session store.Session) error {
	if r.PostFormValue("sure") != "yes" {
		return invalid("The store was not released", "Sent emails cannot be recalled. Tick the box above the button to confirm.", "/admin/quarantine")
	}
	ctx := longRequest(w, r)
	q, err := h.store.Quarantine(ctx)
	if err != nil {
		return err
	}
	if q == nil {
		return store.ErrNotFound
	}
	if _, err := h.engine.Release(h.auditing(ctx, session.Editor, "quarantine.release", "", "", ""), !q.Journal && r.PostFormValue("articles") != "new"); err != nil {
		return err
	}
	h.log.InfoContext(r.Context(), "quarantine released", "editor", session.Editor.ID)
	return redirectWithFlash(w, r, "/admin/", "released")
}
