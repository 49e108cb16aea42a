package public

import (
	"context"
	"errors"
	"net/http"

	"github.com/tidings-press/tidings/internal/connlimit"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/web/middleware"
)

// maxForm is the maximum size of a form's body in bytes.
const maxForm = 16 << 10

// honeypotField is a field that people do not see. Bots that fill it in get the usual response, but
// the request is dropped.
const honeypotField = "website"

// subscribeForm is the data of the subscription form.
type subscribeForm struct {
	Address string
	Name    string
	Digests []digestView
	Problem string // error in the input
	Trap    string
	Full    bool // with the name field, on the subscribe page
}

func (p *Pages) emptyForm(ctx context.Context) subscribeForm {
	return subscribeForm{Digests: p.digests(ctx, nil), Trap: honeypotField}
}

// formFor returns the form with one digest chosen.
func (p *Pages) formFor(ctx context.Context, name string) subscribeForm {
	form := p.emptyForm(ctx)
	if chosen := p.offeredDigests([]string{name}); len(chosen) > 0 {
		form.Digests = p.digests(ctx, chosen)
	}
	return form
}

func (p *Pages) subscribeForm(w http.ResponseWriter, r *http.Request) error {
	form := p.emptyForm(r.Context())
	form.Full = true
	if chosen := p.offeredDigests(r.URL.Query()["digest"]); len(chosen) > 0 {
		form.Digests = p.digests(r.Context(), chosen)
	}
	return p.show(w, r, http.StatusOK, "subscribe", page{Title: p.layout(r.Context()).Say("Subscribe"), Description: p.layout(r.Context()).Say("Get new articles of {0} by email.", p.text(r.Context(), p.config.Site.Title)), Canonical: p.config.Site.URL + "/subscribe", Narrow: true, Body: form})
}

// subscribe queues a subscription request. It gives the same response after the same work for every
// address, so that it does not reveal who is subscribed. The person decides with the confirmation
// mail.
func (p *Pages) subscribe(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return p.badForm(r, err)
	}
	chosen := p.offeredDigests(r.PostForm["digest"])
	if len(chosen) == 0 && len(p.config.Digests) == 1 {
		chosen = p.offeredDigests([]string{p.config.Digests[0].Name})
	}
	form := subscribeForm{
		Address: r.PostForm.Get("email"), Name: subscriber.NormalizeName(r.PostForm.Get("name")), Digests: p.digests(r.Context(), append([]string{}, chosen...)), Trap: honeypotField, Full: true,
	}
	address, err := subscriber.ParseAddress(form.Address)
	switch {
	case err != nil:
		form.Problem = p.layout(r.Context()).Say("This is not a valid email address. Enter one such as name@example.org.")
	case len(chosen) == 0:
		form.Problem = p.layout(r.Context()).Say("Please choose at least one of the emails.")
	}
	if form.Problem != "" {
		return p.show(w, r, http.StatusUnprocessableEntity, "subscribe", page{Title: p.layout(r.Context()).Say("Subscribe"), NoIndex: true, Narrow: true, Body: form})
	}
	if !p.subscribeLimit.Allow(connlimit.Network32or64(middleware.Client(r.Context()))) {
		w.Header().Set("Retry-After", "60")
		return p.tooMany(r)
	}
	if r.PostForm.Get(honeypotField) == "" {
		if err := p.queueRequest(r.Context(), address, request{Name: form.Name, Digests: chosen, Language: mailLanguage(r.PostForm.Get("lang"))}); err != nil {
			return err
		}
	}
	return p.show(w, r, http.StatusOK, "message", page{Title: p.layout(r.Context()).Say("Check your inbox"), NoIndex: true, Narrow: true, Body: &refusal{
		Text: p.layout(r.Context()).Say("We have sent an email to this address. Please open the link in it to confirm; we send nothing else before that. If it does not arrive, check your spam folder.") + "\n" + address.String(),
	}})
}

func (p *Pages) tooMany(r *http.Request) error {
	return &refusal{status: http.StatusTooManyRequests, title: p.layout(r.Context()).Say("One moment, please"), Text: p.layout(r.Context()).Say("There were too many requests from your network. Please try again in a few minutes.")}
}

// badForm returns the error page for a form that could not be read.
func (p *Pages) badForm(r *http.Request, err error) error {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return &refusal{status: http.StatusRequestEntityTooLarge, title: p.layout(r.Context()).Say("The form is too large"), Text: p.layout(r.Context()).Say("Please shorten what you entered, and send it again.")}
	}
	return &refusal{status: http.StatusBadRequest, title: p.layout(r.Context()).Say("The form is incomplete"), Text: p.layout(r.Context()).Say("Please go back and send it again.")}
}
