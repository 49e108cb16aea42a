package public

import (
	"net/http"

	"github.com/tidings-press/tidings/internal/connlimit"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/web/middleware"
)

// answeredEdition returns the edition that a reader answers about, and the answer. The digest must
// ask for it.
func (p *Pages) answeredEdition(r *http.Request) (e store.Edition, helpful bool, err error) {
	helpful = r.PathValue("answer") == "yes"
	if !helpful && r.PathValue("answer") != "no" {
		return e, false, store.ErrNotFound
	}
	if e, err = p.startedEdition(r); err != nil {
		return e, false, err
	}
	if d := p.digest(e.Digest); d == nil || !d.Feedback {
		err = store.ErrNotFound
	}
	return e, helpful, err
}

// feedbackPage shows a button for an answer about an edition. GET counts nothing, since mail scanners
// open every link.
func (p *Pages) feedbackPage(w http.ResponseWriter, r *http.Request) error {
	e, helpful, err := p.answeredEdition(r)
	if err != nil {
		return err
	}
	l := p.layout(r.Context())
	body := buttonPage{
		Text: l.Say("You read:") + " " + e.Subject, Action: r.URL.Path, Button: l.Say("Yes, it was helpful"),
		Link: digest.FeedbackPath(e.ID, "no"), Label: l.Say("No, it was not helpful"),
	}
	if !helpful {
		body.Button, body.Link, body.Label = body.Label, digest.FeedbackPath(e.ID, "yes"), body.Button
	}
	return p.show(w, r, http.StatusOK, "button", page{Title: l.Say("Was this edition helpful?"), NoIndex: true, Narrow: true, Body: body})
}

// feedback counts an answer. It stores nothing about who answers.
func (p *Pages) feedback(w http.ResponseWriter, r *http.Request) error {
	e, helpful, err := p.answeredEdition(r)
	if err != nil {
		return err
	}
	l := p.layout(r.Context())
	if err := http.NewCrossOriginProtection().Check(r); err != nil {
		return &refusal{status: http.StatusForbidden, title: l.Say("One moment, please"), Text: l.Say("Please open the link in the email, and use the button on its page.")}
	}
	if !p.feedbackLimit.Allow(connlimit.Network32or64(middleware.Client(r.Context()))) {
		w.Header().Set("Retry-After", "60")
		return p.tooMany(r)
	}
	if _, err := p.store.Vote(r.Context(), e, helpful); err != nil {
		return err
	}
	return p.show(w, r, http.StatusOK, "message", page{Title: l.Say("Thank you"), NoIndex: true, Narrow: true, Body: &refusal{
		Text: l.Say("Your answer helps us to write the next edition. We do not store who answered."),
		Link: e.PagePath(), Label: l.Say("Read the edition again"),
	}})
}
