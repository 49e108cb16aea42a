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

// subscriberListPage is the data of the list of subscribers.
type subscriberListPage struct {
	Counts  []stateCount
	Total   int64
	Address string // searched for
	Problem string
	State   subscriber.State
	List    []store.ListedSubscriber
	More    string // address of the next page; empty on the last
}

type stateCount struct {
	State subscriber.State
	Count int64
}

// subscribers lists the subscribers in a state, or redirects to the one with an address.
func (h *Handler) subscribers(w http.ResponseWriter, r *http.Request, session store.Session) error {
	body := subscriberListPage{Address: strings.TrimSpace(truncate(r.URL.Query().Get("find"), 254)), State: subscriber.State(r.URL.Query().Get("state"))}
	if body.Address != "" {
		found, err := h.findSubscriber(r, body.Address)
		if err == nil {
			http.Redirect(w, r, fmt.Sprintf("/admin/subscribers/%d", found.ID), http.StatusSeeOther)
			return nil
		}
		body.Problem = err.Error()
	}
	if err := h.fillSubscriberList(r, &body); err != nil {
		return err
	}
	return h.show(w, http.StatusOK, "subscriber_list", page{Title: "Subscribers", Nav: "subscribers", Editor: &session.Editor, Flash: flash(r), Body: body})
}

func (h *Handler) findSubscriber(r *http.Request, text string) (subscriber.Subscriber, error) {
	address, err := subscriber.ParseAddress(text)
	if err != nil {
		return subscriber.Subscriber{}, err
	}
	found, err := h.store.SubscriberByAddress(r.Context(), address)
	if errors.Is(err, store.ErrNotFound) {
		err = errors.New("no subscriber has this address; enter the complete email address")
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
	for one, err := range h.store.Subscribers(r.Context(), store.SubscriberQuery{State: body.State, After: after, Limit: pageSize + 1}) {
		if err != nil {
			return err
		}
		body.List = append(body.List, one)
	}
	if len(body.List) > pageSize {
		body.List = body.List[:pageSize]
		last := strconv.FormatInt(body.List[pageSize-1].ID, 10)
		body.More = "/admin/subscribers?" + url.Values{"state": {string(body.State)}, "after": {last}}.Encode()
	}
	return nil
}
