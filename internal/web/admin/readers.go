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

// readersPage counts subscribers and lists some.
type readersPage struct {
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
func (room *Room) readers(w http.ResponseWriter, r *http.Request, who store.Session) error {
	body := readersPage{Find: strings.TrimSpace(short(r.URL.Query().Get("find"), 254)), State: subscriber.State(r.URL.Query().Get("state"))}
	if body.Find != "" {
		found, err := room.find(r, body.Find)
		if err == nil {
			http.Redirect(w, r, fmt.Sprintf("/room/readers/%d", found.ID), http.StatusSeeOther)
			return nil
		}
		body.Wrong = err.Error()
	}
	if err := room.fillReaders(r, &body); err != nil {
		return err
	}
	return room.show(w, http.StatusOK, "readers", page{Title: "Readers", Nav: "readers", Who: &who.Editor, Done: told(r), Body: body})
}

func (room *Room) find(r *http.Request, text string) (subscriber.Subscriber, error) {
	address, err := subscriber.ParseAddress(text)
	if err != nil {
		return subscriber.Subscriber{}, err
	}
	found, err := room.store.SubscriberByAddress(r.Context(), address)
	if errors.Is(err, store.ErrNotFound) {
		err = errors.New("nobody has this address; addresses are found whole, in any case of letters")
	}
	return found, err
}

func (room *Room) fillReaders(r *http.Request, body *readersPage) error {
	counts, err := room.store.CountSubscribers(r.Context())
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
	for one, err := range room.store.Subscribers(r.Context(), store.SubscriberQuery{State: body.State, After: after, Limit: onPage + 1}) {
		if err != nil {
			return err
		}
		body.List = append(body.List, one)
	}
	if len(body.List) > onPage {
		body.List = body.List[:onPage]
		last := strconv.FormatInt(body.List[onPage-1].ID, 10)
		body.More = "/room/readers?" + url.Values{"state": {string(body.State)}, "after": {last}}.Encode()
	}
	return nil
}

// readerPage is one subscriber.
type readerPage struct {
	subscriber.Subscriber
	Subscriptions []subscriber.Subscription
	Suppression   store.Suppression
	Feedback      []store.Feedback
}

// Erased says whether the person was forgotten.
func (p readerPage) Erased() bool { return p.State == subscriber.Erased }

func (room *Room) reader(w http.ResponseWriter, r *http.Request, who store.Session) error {
	body := readerPage{}
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return store.ErrNotFound
	}
	if body.Subscriber, err = room.store.Subscriber(r.Context(), id); err != nil {
		return err
	}
	if body.Subscriptions, err = room.store.Subscriptions(r.Context(), id); err != nil {
		return err
	}
	if body.Feedback, err = room.store.FeedbackOf(r.Context(), id, 20); err != nil {
		return err
	}
	title := fmt.Sprintf("Reader %d", id)
	if !body.Erased() {
		title = body.Address.String()
		if body.Suppression, err = room.store.Suppression(r.Context(), body.Address); err != nil {
			return err
		}
	}
	return room.show(w, http.StatusOK, "reader", page{Title: title, Nav: "readers", Who: &who.Editor, Done: told(r), Body: body})
}

func (room *Room) unsubscribeReader(w http.ResponseWriter, r *http.Request, who store.Session) error {
	return room.changeReader(w, r, who, "left", func(id int64) error { return room.store.UnsubscribeAll(r.Context(), id) })
}

// liftReader sends mail to somebody again whose address bounced, on an editor's word.
func (room *Room) liftReader(w http.ResponseWriter, r *http.Request, who store.Session) error {
	return room.changeReader(w, r, who, "lifted", func(id int64) error {
		return room.store.SetState(r.Context(), id, subscriber.Active, "lifted by "+who.Editor.Email)
	})
}

// eraseReader forgets a person for good, when an owner ticked the box.
func (room *Room) eraseReader(w http.ResponseWriter, r *http.Request, who store.Session) error {
	if who.Editor.Role != roleOwner {
		return &refusal{http.StatusForbidden, "Nothing was erased", "Only an owner of this site can erase a subscriber, since that cannot be undone.", "/room/readers/" + r.PathValue("id"), "Go back"}
	}
	if r.PostFormValue("sure") == "" {
		return &refusal{http.StatusUnprocessableEntity, "Nothing was erased", "Erasing cannot be undone, so the box beside the button must be ticked.", "/room/readers/" + r.PathValue("id"), "Go back"}
	}
	return room.changeReader(w, r, who, "erased", func(id int64) error { return room.store.Erase(r.Context(), id) })
}

func (room *Room) changeReader(w http.ResponseWriter, r *http.Request, who store.Session, what string, change func(id int64) error) error {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return store.ErrNotFound
	}
	if _, err := room.store.Subscriber(r.Context(), id); err != nil {
		return err
	}
	if err := change(id); err != nil {
		return err
	}
	room.log.Info("reader changed", "reader", id, "change", what, "editor", who.Editor.ID)
	return back(w, r, fmt.Sprintf("/room/readers/%d", id), what)
}
