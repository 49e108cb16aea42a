package admin

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
)

// subscriberListPage is the data of the list of subscribers.
type subscriberListPage struct {
	Search   string // as typed
	TooShort bool   // the search has no word of two characters
	Filter   store.SubscriberFilter
	Choices  store.FilterChoices
	Digests  []config.Digest
	States   []stateCount
	Found    store.FoundCount // of the filter
	store.FoundSubscribers
	More string // address of the next page; empty on the last
}

// stateCount is the number of subscribers in a state, for the links above the list.
type stateCount struct {
	State subscriber.State
	Count int64
	Path  string // of the list with this state and the other filters
}

// Filtered reports whether the list is restricted.
func (p subscriberListPage) Filtered() bool { return p.Search != "" || !p.Filter.IsZero() }

// AllPath returns the address of the list in all states, with the other filters.
func (p subscriberListPage) AllPath() string { return p.path("", 0) }

// Query returns the filters in the form of the list's address.
func (p subscriberListPage) Query() string { return p.values(p.Filter.State).Encode() }

// values returns the filters, with another state, as fields of the form.
func (p subscriberListPage) values(state subscriber.State) url.Values {
	values := url.Values{}
	for name, value := range map[string]string{
		"q": p.Search, "state": string(state), "digest": p.Filter.Digest, "topic": p.Filter.Topic, "label": p.Filter.Label, "language": p.Filter.Language,
	} {
		if value != "" {
			values.Set(name, value)
		}
	}
	return values
}

// path returns the address of the list with another state, from a subscriber on.
func (p subscriberListPage) path(state subscriber.State, before int64) string {
	values := p.values(state)
	if before > 0 {
		values.Set("before", strconv.FormatInt(before, 10))
	}
	if len(values) == 0 {
		return "/admin/subscribers"
	}
	return "/admin/subscribers?" + values.Encode()
}

// maxSearchText bounds what is read of each field of the list's form.
const maxSearchText = 254

// requestedFilter reads the filters of the list from a form.
func requestedFilter(form url.Values) (f store.SubscriberFilter, search string, err error) {
	field := func(name string) string { return strings.TrimSpace(truncate(form.Get(name), maxSearchText)) }
	search = field("q")
	f = store.SubscriberFilter{
		Search: subscriber.ParseSearch(search), State: subscriber.State(field("state")),
		Digest: field("digest"), Topic: field("topic"), Label: field("label"), Language: field("language"),
	}
	if f.State != "" && !f.State.Known() {
		err = store.ErrNotFound
	}
	return f, search, err
}

// subscribers lists the subscribers that match a search and filters.
func (h *Handler) subscribers(w http.ResponseWriter, r *http.Request, session store.Session) error {
	query := r.URL.Query()
	body := subscriberListPage{Digests: h.config.Digests}
	var err error
	if body.Filter, body.Search, err = requestedFilter(query); err != nil {
		return err
	}
	body.TooShort = body.Search != "" && body.Filter.Search.IsZero()
	if body.Choices, err = h.store.FilterChoices(r.Context()); err != nil {
		return err
	}
	if err := h.countSubscribers(r, &body); err != nil {
		return err
	}
	before, _ := strconv.ParseInt(query.Get("before"), 10, 64) // 0 is the first page
	if body.FoundSubscribers, err = h.store.FindSubscribers(r.Context(), body.Filter, before, pageSize); err != nil {
		return err
	}
	if body.Next > 0 {
		body.More = body.path(body.Filter.State, body.Next)
	}
	return h.show(w, http.StatusOK, "subscriber_list", page{Title: "Subscribers", Nav: "subscribers", Editor: &session.Editor, Flash: flash(r), Body: body})
}

// countSubscribers counts the subscribers in each state, and those that the filter selects.
func (h *Handler) countSubscribers(r *http.Request, body *subscriberListPage) error {
	totals, err := h.store.SubscriberTotals(r.Context())
	if err != nil {
		return err
	}
	for _, state := range subscriber.States {
		if totals.States[state] > 0 || state == body.Filter.State {
			body.States = append(body.States, stateCount{state, totals.States[state], body.path(state, 0)})
		}
	}
	body.Found, err = h.store.CountFound(r.Context(), body.Filter)
	return err
}
