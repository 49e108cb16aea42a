package admin

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
)

// subscriberPage is the data of the page of a subscriber.
type subscriberPage struct {
	subscriber.Subscriber
	Subscriptions []subscriber.Subscription
	Suppression   store.Suppression
	Feedback      []store.Feedback
	AllDigests    []config.Digest // for the invitation
}

// Erased reports whether the subscriber was erased.
func (p subscriberPage) Erased() bool { return p.State == subscriber.Erased }

// CanInvite reports whether the subscriber can be invited to subscribe again.
func (p subscriberPage) CanInvite() bool { return p.State == subscriber.Unsubscribed }

// requestedID returns the id in a request's path, or store.ErrNotFound if it is no number.
func requestedID(r *http.Request) (int64, error) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return 0, store.ErrNotFound
	}
	return id, nil
}

func (h *Handler) subscriber(w http.ResponseWriter, r *http.Request, session store.Session) error {
	body := subscriberPage{AllDigests: h.config.Digests}
	id, err := requestedID(r)
	if err != nil {
		return err
	}
	if body.Subscriber, err = h.store.Subscriber(r.Context(), id); err != nil {
		return err
	}
	if body.Subscriptions, err = h.store.Subscriptions(r.Context(), id); err != nil {
		return err
	}
	if body.Feedback, err = h.store.FeedbackOf(r.Context(), id, 20); err != nil {
		return err
	}
	title := fmt.Sprintf("Subscriber %d", id)
	if !body.Erased() {
		title = body.Address.String()
		if body.Suppression, err = h.store.Suppression(r.Context(), body.Address); err != nil {
			return err
		}
	}
	return h.show(w, http.StatusOK, "subscriber_show", page{Title: title, Nav: "subscribers", Editor: &session.Editor, Flash: flash(r), Body: body})
}

// unsubscribe ends all subscriptions of a subscriber.
func (h *Handler) unsubscribe(w http.ResponseWriter, r *http.Request, session store.Session) error {
	return h.changeSubscriber(w, r, session, "unsubscribed", func(sub subscriber.Subscriber) error {
		return h.store.UnsubscribeAll(r.Context(), sub.ID)
	})
}

// inviteAgain sends a confirmation mail to an unsubscribed address. The person subscribes again
// with its link; an editor cannot do that for them.
func (h *Handler) inviteAgain(w http.ResponseWriter, r *http.Request, session store.Session) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	back := "/admin/subscribers/" + r.PathValue("id")
	var digests []string
	for _, d := range h.config.Digests {
		if slices.Contains(r.PostForm["digest"], d.Name) {
			digests = append(digests, d.Name)
		}
	}
	if len(digests) == 0 {
		return invalid("No invitation was sent", "Choose at least one digest.", back)
	}
	return h.changeSubscriber(w, r, session, "invited", func(sub subscriber.Subscriber) error {
		if sub.State != subscriber.Unsubscribed {
			return &store.SubscriberStateError{ID: sub.ID, From: sub.State, To: subscriber.Pending}
		}
		return h.requestConfirmation(r.Context(), sub.Address, digests)
	})
}

// liftBounce reactivates a bounced subscriber.
func (h *Handler) liftBounce(w http.ResponseWriter, r *http.Request, session store.Session) error {
	return h.changeSubscriber(w, r, session, "lifted", func(sub subscriber.Subscriber) error {
		return h.store.SetState(r.Context(), sub.ID, subscriber.Active, "lifted by "+session.Editor.Email)
	})
}

// erase deletes all data of a subscriber.
func (h *Handler) erase(w http.ResponseWriter, r *http.Request, session store.Session) error {
	const title = "Nothing was erased"
	back := "/admin/subscribers/" + r.PathValue("id")
	if r.PostFormValue("sure") == "" {
		return invalid(title, "Erasing cannot be undone. Tick the box above the button.", back)
	}
	return h.changeSubscriber(w, r, session, "erased", func(sub subscriber.Subscriber) error { return h.store.Erase(r.Context(), sub.ID) })
}

// changeSubscriber changes the subscriber in a request's path and redirects to their page.
func (h *Handler) changeSubscriber(w http.ResponseWriter, r *http.Request, session store.Session, flash string, change func(subscriber.Subscriber) error) error {
	id, err := requestedID(r)
	if err != nil {
		return err
	}
	sub, err := h.store.Subscriber(r.Context(), id)
	if err != nil {
		return err
	}
	if err := change(sub); err != nil {
		return err
	}
	h.log.Info("subscriber changed", "subscriber", id, "change", flash, "editor", session.Editor.ID)
	return redirectWithFlash(w, r, fmt.Sprintf("/admin/subscribers/%d", id), flash)
}
