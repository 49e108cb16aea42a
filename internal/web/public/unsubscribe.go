package public

import (
	"errors"
	"io"
	"net/http"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/token"
)

func (p *Pages) unsubscribePage(w http.ResponseWriter, r *http.Request) error {
	h, err := p.linkOwner(r, token.Unsubscribe)
	if err != nil {
		return err
	}
	title := p.titles(r.Context(), splitDigests(h.Digest))
	body := buttonPage{
		Text: p.layout(r.Context()).Say("One click unsubscribes you from:") + " " + title, Address: h.Address.Masked(),
		Action: r.URL.Path, Button: p.layout(r.Context()).Say("Unsubscribe"),
		Link: p.preferencesLink(h.UID), Label: p.layout(r.Context()).Say("Or get fewer emails: choose topics, or pause for a while"),
	}
	return p.show(w, r, http.StatusOK, "button", page{Title: p.layout(r.Context()).Say("Unsubscribe"), NoIndex: true, Narrow: true, Body: body})
}

// unsubscribe answers both the button of a person and the one-click POST of a mail program (RFC
// 8058, section 3). It needs no cookie, does not redirect, is idempotent, and works for years.
func (p *Pages) unsubscribe(w http.ResponseWriter, r *http.Request) error {
	claim, err := p.claim(r, token.Unsubscribe)
	if err != nil {
		return err
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	_, _ = io.Copy(io.Discard, r.Body) // "List-Unsubscribe=One-Click" in any encoding; the token alone is enough
	names := splitDigests(claim.Digest)
	body := &refusal{Text: p.layout(r.Context()).Say("You will get no more of these emails. An email that is already being sent may still arrive.")}
	sub, err := p.store.SubscriberByToken(r.Context(), claim.Person)
	switch {
	case errors.Is(err, store.ErrNotFound): // not subscribed any more
	case err != nil:
		return err
	case sub.State != subscriber.Erased:
		if err := p.unsubscribeFrom(r, sub.ID, names); err != nil {
			return err
		}
		if claim.Edition != "" {
			if err := p.store.NoteUnsubscription(r.Context(), claim.Edition, sub.ID); err != nil {
				return err
			}
		}
		body.Link, body.Label = p.preferencesLink(sub.UID), p.layout(r.Context()).Say("Unsubscribed by mistake? Undo it here")
	}
	return p.show(w, r, http.StatusOK, "message", page{Title: p.layout(r.Context()).Say("You are unsubscribed"), NoIndex: true, Narrow: true, Body: body})
}

// unsubscribeFrom ends a person's subscriptions to digests, or all of them if no digest is named.
// It is no error if there are none.
func (p *Pages) unsubscribeFrom(r *http.Request, id int64, names []string) error {
	if len(names) == 0 {
		return ignoreMissing(p.store.UnsubscribeAll(r.Context(), id))
	}
	for _, name := range names {
		if err := ignoreMissing(p.store.Unsubscribe(r.Context(), id, name)); err != nil {
			return err
		}
	}
	return nil
}
