package admin

import (
	"net/http"

	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/mailer"
)

// relaysPage is the data of the page of relays.
type relaysPage struct {
	Tab    string
	Relays []delivery.RelayState
	Test   *relayTest // nil without one
}

// relayTest is the result of a test of a relay.
type relayTest struct {
	Relay, To string
	Problem   string
	Lines     []mailer.TranscriptLine
}

// relays shows the relays and their states.
func (h *Handler) relays(w http.ResponseWriter, r *http.Request, session store.Session) error {
	return h.showRelays(w, r, session, nil)
}

func (h *Handler) showRelays(w http.ResponseWriter, r *http.Request, session store.Session, test *relayTest) error {
	states, err := h.engine.RelayStates(r.Context())
	if err != nil {
		return err
	}
	body := relaysPage{Tab: "relays", Relays: states, Test: test}
	return h.show(w, http.StatusOK, "relay_list", page{Title: "Mail servers", Nav: "settings", Editor: &session.Editor, Flash: flash(r), Body: body})
}

// testRelay sends a mail to the editor's own address over a relay, and shows the dialogue.
func (h *Handler) testRelay(w http.ResponseWriter, r *http.Request, session store.Session) error {
	const back = "/admin/settings/relays"
	if !h.testMails.Allow(session.Editor.ID) {
		return &userError{Status: http.StatusTooManyRequests, Title: "Too many test emails", Text: "You sent many test emails in a short time. Try again in a minute.", Link: back}
	}
	to, err := subscriber.ParseAddress(session.Editor.Email)
	if err != nil {
		return conflict("No test email was sent", err, back)
	}
	test := &relayTest{Relay: r.PathValue("name"), To: session.Editor.Email}
	test.Lines, err = h.engine.TestRelay(longRequest(w, r), test.Relay, to)
	if err != nil {
		test.Problem = err.Error()
	}
	h.log.InfoContext(r.Context(), "editor tested a relay", "editor", session.Editor.ID, "relay", test.Relay, "error", test.Problem)
	h.audit(r, session.Editor, "relay.test", "relay", test.Relay, "")
	return h.showRelays(w, r, session, test)
}

// stopRelay stops a relay on all nodes for an hour.
func (h *Handler) stopRelay(w http.ResponseWriter, r *http.Request, session store.Session) error {
	if err := h.engine.StopRelay(h.auditing(r.Context(), session.Editor, "relay.stop", "relay", r.PathValue("name"), ""), r.PathValue("name")); err != nil {
		return err
	}
	h.log.InfoContext(r.Context(), "editor stopped a relay", "editor", session.Editor.ID, "relay", r.PathValue("name"))
	return redirectWithFlash(w, r, "/admin/settings/relays", "relay-stopped")
}

// resumeRelay ends the stop of a relay.
func (h *Handler) resumeRelay(w http.ResponseWriter, r *http.Request, session store.Session) error {
	if err := h.engine.ResumeRelay(h.auditing(r.Context(), session.Editor, "relay.resume", "relay", r.PathValue("name"), ""), r.PathValue("name")); err != nil {
		return err
	}
	h.log.InfoContext(r.Context(), "editor resumed a relay", "editor", session.Editor.ID, "relay", r.PathValue("name"))
	return redirectWithFlash(w, r, "/admin/settings/relays", "relay-resumed")
}
