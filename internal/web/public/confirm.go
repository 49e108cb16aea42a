package public

import (
	"context"
	"errors"
	"net/http"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/token"
	"github.com/tidings-press/tidings/internal/web/middleware"
)

// buttonPage is the data of a page with one button.
type buttonPage struct {
	Text    string
	Address string // masked
	Action  string
	Button  string
	Name    string // of the button's field; may be empty
	Value   string
	Link    string
	Label   string
	Danger  bool // it cannot be undone
}

// confirmPage shows the button that confirms. GET changes nothing, since mail scanners open every
// link.
func (p *Pages) confirmPage(w http.ResponseWriter, r *http.Request) error {
	h, err := p.linkOwner(r, token.Confirm)
	if err != nil {
		return err
	}
	body := buttonPage{
		Text:    p.layout(r.Context()).Say("You are about to subscribe to:") + " " + p.titles(r.Context(), splitDigests(h.Digest)),
		Address: h.Address.Masked(), Action: r.URL.Path, Button: p.layout(r.Context()).Say("Yes, subscribe"),
	}
	return p.show(w, r, http.StatusOK, "button", page{Title: p.layout(r.Context()).Say("Confirm your subscription"), NoIndex: true, Narrow: true, Body: body})
}

func (p *Pages) confirm(w http.ResponseWriter, r *http.Request) error {
	h, err := p.linkOwner(r, token.Confirm)
	if err != nil {
		return err
	}
	names := p.knownDigests(splitDigests(h.Digest))
	if err := p.activate(r, h.Subscriber, names); err != nil {
		return err
	}
	return p.show(w, r, http.StatusOK, "message", page{Title: p.layout(r.Context()).Say("You are subscribed"), NoIndex: true, Narrow: true, Body: &refusal{
		Text: p.layout(r.Context()).Say("Welcome! From now on you get:") + " " + p.titles(r.Context(), names),
		Link: p.preferencesLink(h.UID), Label: p.layout(r.Context()).Say("Choose topics or change your subscription"),
	}})
}

// activate subscribes a person who has confirmed to their digests. It is idempotent, since people
// click twice.
func (p *Pages) activate(r *http.Request, sub subscriber.Subscriber, names []string) error {
	ctx := r.Context()
	consent := subscriber.Consent{
		Source: "form", Text: p.layout(ctx).Say("Yes, subscribe") + ": " + p.titles(ctx, names), IP: middleware.Client(ctx).String(), At: p.store.Now(),
	}
	if err := p.setActive(ctx, sub, "confirmed"); err != nil {
		return err
	}
	if err := p.store.SetConsent(ctx, sub.ID, consent); err != nil {
		return err
	}
	fresh := false
	for _, name := range names {
		if _, err := p.store.Subscription(ctx, sub.ID, name); err == nil {
			continue // keep the topics chosen before
		}
		fresh = true
		if err := p.store.Subscribe(ctx, sub.ID, name, nil); err != nil {
			return err
		}
	}
	if !fresh {
		return nil
	}
	return p.mailWelcome(ctx, sub, names)
}

// setActive makes a subscriber active, unless the address bounced or complained, or an editor
// suppressed it: only an editor can undo that, not an old link.
func (p *Pages) setActive(ctx context.Context, sub subscriber.Subscriber, how string) error {
	var state *store.SubscriberStateError
	var held *store.SuppressedError
	suppressed := sub.State == subscriber.Bounced || sub.State == subscriber.Complained
	var err error
	if !suppressed {
		err = p.store.SetState(ctx, sub.ID, subscriber.Active, how)
	}
	if suppressed || errors.As(err, &state) || errors.As(err, &held) {
		return &refusal{status: http.StatusConflict, title: p.layout(ctx).Say("We cannot send emails to this address"), Text: p.layout(ctx).Say("Its mail server rejected our emails, or they were reported as spam. Please write to us if that is a mistake.")}
	}
	return err
}
