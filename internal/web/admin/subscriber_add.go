package admin

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/subscription"
)

// newSubscriberPage is the data of the form for a new subscriber.
type newSubscriberPage struct {
	Address, Name, Language string
	Words, Source, Day      string
	Agreed                  bool // in writing, so that no confirmation is sent
	Choices                 []digestChoice
	Today                   string // the latest date of a consent
	Problem                 error
}

func (h *Handler) newSubscriberPage(w http.ResponseWriter, _ *http.Request, session store.Session) error {
	body := newSubscriberPage{}
	for _, d := range h.config.Digests {
		body.Choices = append(body.Choices, digestChoice{Name: d.Name, Title: digestTitle(d), On: len(h.config.Digests) == 1})
	}
	return h.showNewSubscriber(w, session, http.StatusOK, body)
}

func (h *Handler) showNewSubscriber(w http.ResponseWriter, session store.Session, status int, body newSubscriberPage) error {
	body.Today = h.store.Now().In(h.zone).Format(time.DateOnly)
	return h.show(w, status, "subscriber_add", page{Title: "Add a subscriber", Nav: "subscribers", Editor: &session.Editor, Body: body})
}

// addSubscriber adds one person: with a mail that asks them to confirm, or with the consent that the
// editor has in writing.
func (h *Handler) addSubscriber(w http.ResponseWriter, r *http.Request, session store.Session) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	form := r.PostForm
	digests := h.chosenDigests(form)
	body := newSubscriberPage{
		Address: strings.TrimSpace(truncate(form.Get("address"), 320)), Name: truncate(form.Get("name"), 500), Language: strings.TrimSpace(truncate(form.Get("mail_language"), 100)),
		Words: truncate(form.Get("words"), 10_000), Source: truncate(form.Get("source"), 2000), Day: truncate(form.Get("consented"), 20),
		Agreed: form.Get("how") == "agreed",
	}
	for _, d := range h.config.Digests {
		body.Choices = append(body.Choices, digestChoice{Name: d.Name, Title: digestTitle(d), On: slices.Contains(digests, d.Name)})
	}
	address, err := subscriber.ParseAddress(body.Address)
	if err != nil {
		body.Problem = err
		return h.showNewSubscriber(w, session, http.StatusUnprocessableEntity, body)
	}
	person := subscription.NewSubscriber{Address: address, Name: body.Name, MailLanguage: body.Language, Digests: digests}
	var added subscriber.Subscriber
	ctx := h.auditing(r.Context(), session.Editor, "subscriber.add", "subscriber", "", "")
	done := "person-added"
	if body.Agreed {
		added, err = h.manager().AddAgreed(ctx, person, h.readStatement(form, session))
	} else {
		done = "person-asked"
		if added, err = h.manager().AddPending(ctx, person); err == nil {
			err = h.requestConfirmation(r.Context(), address, digests)
		}
	}
	switch {
	case correctable(err):
		body.Problem = err
		return h.showNewSubscriber(w, session, http.StatusUnprocessableEntity, body)
	case err != nil:
		return err
	}
	h.log.InfoContext(r.Context(), "subscriber added", "subscriber", added.ID, "editor", session.Editor.ID)
	return redirectWithFlash(w, r, fmt.Sprintf("/admin/subscribers/%d", added.ID), done)
}
