package admin

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
)

// subscriberListPage counts subscribers and lists some.
type subscriberListPage struct {
	Counts []stateCount
	Total  int64
	Find   string // address that is looked for
	Wrong  string
	State  subscriber.State
	List   []store.ListedSubscriber
	More   string // address of the next page; empty on the last
}

type stateCount struct {
	State subscriber.State
	Count int64
}

// readers shows the subscribers in a state, or leads to the one with an address.
func (h *Handler) subscribers(w http.ResponseWriter, r *http.Request, session store.Session) error {
	body := subscriberListPage{Find: strings.TrimSpace(truncate(r.URL.Query().Get("find"), 254)), State: subscriber.State(r.URL.Query().Get("state"))}
	if body.Find != "" {
		found, err := h.find(r, body.Find)
		if err == nil {
			http.Redirect(w, r, fmt.Sprintf("/admin/subscribers/%d", found.ID), http.StatusSeeOther)
			return nil
		}
		body.Wrong = err.Error()
	}
	if err := h.fillSubscriberList(r, &body); err != nil {
		return err
	}
	return h.show(w, http.StatusOK, "subscriber_list", page{Title: "Subscribers", Nav: "subscribers", Editor: &session.Editor, Notice: notice(r), Body: body})
}

func (h *Handler) find(r *http.Request, text string) (subscriber.Subscriber, error) {
	address, err := subscriber.ParseAddress(text)
	if err != nil {
		return subscriber.Subscriber{}, err
	}
	found, err := h.store.SubscriberByAddress(r.Context(), address)
	if errors.Is(err, store.ErrNotFound) {
		err = errors.New("nobody has this address; addresses are found whole, in any case of letters")
	}
	return found, err
}

func (h *Handler) fillSubscriberList(r *http.Request, body *subscriberListPage) error {
	counts, err := h.store.CountSubscribers(r.Context())
	if err != nil {
		return err
	}
	for _, state := range subscriber.States {
		body.Counts = append(body.Counts, stateCount{state, counts[state]})
		body.Total += counts[state]
	}
	if body.State != "" && !body.State.Known() {
		return store.ErrNotFound
	}
	after, _ := strconv.ParseInt(r.URL.Query().Get("after"), 10, 64) // 0 is the first page
	for one, err := range h.store.Subscribers(r.Context(), store.SubscriberQuery{State: body.State, After: after, Limit: onPage + 1}) {
		if err != nil {
			return err
		}
		body.List = append(body.List, one)
	}
	if len(body.List) > onPage {
		body.List = body.List[:onPage]
		last := strconv.FormatInt(body.List[onPage-1].ID, 10)
		body.More = "/admin/subscribers?" + url.Values{"state": {string(body.State)}, "after": {last}}.Encode()
	}
	return nil
}

// subscriberPage is one subscriber.
type subscriberPage struct {
	subscriber.Subscriber
	Subscriptions []subscriber.Subscription
	Suppression   store.Suppression
	Feedback      []store.Feedback
}

// Erased says whether the person was forgotten.
func (p subscriberPage) Erased() bool { return p.State == subscriber.Erased }

func (h *Handler) subscriber(w http.ResponseWriter, r *http.Request, session store.Session) error {
	body := subscriberPage{}
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return store.ErrNotFound
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
	title := fmt.Sprintf("Reader %d", id)
	if !body.Erased() {
		title = body.Address.String()
		if body.Suppression, err = h.store.Suppression(r.Context(), body.Address); err != nil {
			return err
		}
	}
	return h.show(w, http.StatusOK, "subscriber_show", page{Title: title, Nav: "subscribers", Editor: &session.Editor, Notice: notice(r), Body: body})
}

func (h *Handler) unsubscribe(w http.ResponseWriter, r *http.Request, session store.Session) error {
	return h.changeSubscriber(w, r, session, "unsubscribed", func(id int64) error { return h.store.UnsubscribeAll(r.Context(), id) })
}

// liftBounce sends mail to somebody again whose address bounced, on an editor's word.
func (h *Handler) liftBounce(w http.ResponseWriter, r *http.Request, session store.Session) error {
	return h.changeSubscriber(w, r, session, "lifted", func(id int64) error {
		return h.store.SetState(r.Context(), id, subscriber.Active, "lifted by "+session.Editor.Email)
	})
}

// erase forgets a person for good, when an owner ticked the box.
func (h *Handler) erase(w http.ResponseWriter, r *http.Request, session store.Session) error {
	if session.Editor.Role != roleOwner {
		return &userError{http.StatusForbidden, "Nothing was erased", "Only an owner of this site can erase a subscriber, since that cannot be undone.", "/admin/subscribers/" + r.PathValue("id"), "Go back"}
	}
	if r.PostFormValue("sure") == "" {
		return invalid("Nothing was erased", "Erasing cannot be undone, so the box beside the button must be ticked.", "/admin/subscribers/"+r.PathValue("id"))
	}
	return h.changeSubscriber(w, r, session, "erased", func(id int64) error { return h.store.Erase(r.Context(), id) })
}

func (h *Handler) changeSubscriber(w http.ResponseWriter, r *http.Request, session store.Session, what string, change func(id int64) error) error {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return store.ErrNotFound
	}
	if _, err := h.store.Subscriber(r.Context(), id); err != nil {
		return err
	}
	if err := change(id); err != nil {
		return err
	}
	h.log.Info("reader changed", "reader", id, "change", what, "editor", session.Editor.ID)
	return redirectWithNotice(w, r, fmt.Sprintf("/admin/subscribers/%d", id), what)
}
