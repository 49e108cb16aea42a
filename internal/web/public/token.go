package public

import (
	"errors"
	"net/http"

	"github.com/google/uuid"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/token"
)

// linkOwner is the claim of a private link with its subscriber.
type linkOwner struct {
	token.Claim
	subscriber.Subscriber
}

// linkOwner checks the token in a request's path.
func (p *Pages) linkOwner(r *http.Request, purpose token.Purpose) (linkOwner, error) {
	claim, err := p.keys.Verify(r.PathValue("token"))
	if err == nil {
		err = claim.Check(purpose, p.store.Now())
	}
	return p.linkOwnerOf(r, claim, err)
}

// linkOwnerOf returns the subscriber of a claim. wrong is the error of the claim's verification.
func (p *Pages) linkOwnerOf(r *http.Request, claim token.Claim, wrong error) (linkOwner, error) {
	if wrong != nil {
		return linkOwner{}, p.badLink(r, wrong)
	}
	sub, err := p.store.SubscriberByToken(r.Context(), claim.Person)
	if errors.Is(err, store.ErrNotFound) || err == nil && sub.State == subscriber.Erased {
		return linkOwner{}, &refusal{status: http.StatusGone, title: p.layout(r.Context()).Say("Your data has been deleted"), Text: p.layout(r.Context()).Say("This address was deleted. No emails will be sent to it.")}
	}
	return linkOwner{claim, sub}, err
}

// claim returns the claim of the token in a request's path.
func (p *Pages) claim(r *http.Request, purpose token.Purpose) (token.Claim, error) {
	return p.claimOf(r, r.PathValue("token"), purpose)
}

func (p *Pages) claimOf(r *http.Request, text string, purpose token.Purpose) (token.Claim, error) {
	claim, err := p.keys.Verify(text)
	if err == nil {
		err = claim.Check(purpose, p.store.Now())
	}
	if err != nil {
		err = p.badLink(r, err)
	}
	return claim, err
}

// badLink returns the error page for an invalid or expired link.
func (p *Pages) badLink(r *http.Request, err error) error {
	if errors.Is(err, token.ErrExpired) {
		return &refusal{status: http.StatusGone, title: p.layout(r.Context()).Say("This link has expired"), Text: p.layout(r.Context()).Say("Please subscribe again; we will email you a new link."), Link: "/subscribe", Label: p.layout(r.Context()).Say("Subscribe")}
	}
	return p.wrongLink(r)
}

// preferencesLink returns the path of a subscriber's preferences page.
func (p *Pages) preferencesLink(person uuid.UUID) string {
	return "/preferences/" + p.keys.Sign(token.Preferences, person, "", "")
}

func (p *Pages) wrongLink(r *http.Request) error {
	return &refusal{status: http.StatusNotFound, title: p.layout(r.Context()).Say("This link does not work"), Text: p.layout(r.Context()).Say("The link is invalid, or your mail program cut it short. Please copy the whole link from the email.")}
}
