package admin

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/words"
)

// deliveryPageSize is how many deliveries a page of the list shows.
const deliveryPageSize = 50

// deliveryList is the data of the list of an edition's deliveries.
type deliveryList struct {
	store.FoundDeliveries
	Edition store.Edition
	Title   string // of the digest
	Counts  store.DeliveryCounts
	Search  string // as it was typed
	State   digest.DeliveryState
	Reply   store.ReplyClass
}

// requestedDeliveries returns the edition and the filter that a request names.
func (h *Handler) requestedDeliveries(r *http.Request) (deliveryList, store.DeliveryFilter, error) {
	edition, err := h.store.Edition(r.Context(), r.PathValue("id"))
	if err != nil {
		return deliveryList{}, store.DeliveryFilter{}, err
	}
	q := r.URL.Query()
	body := deliveryList{Edition: edition, Title: h.digestTitle(edition.Digest), Search: truncate(q.Get("q"), 254)}
	if state := digest.DeliveryState(q.Get("state")); slices.Contains(digest.DeliveryStates, state) {
		body.State = state
	}
	if reply := store.ReplyClass(q.Get("reply")); slices.Contains(store.ReplyClasses, reply) {
		body.Reply = reply
	}
	return body, store.DeliveryFilter{State: body.State, Reply: body.Reply, Search: subscriber.ParseSearch(body.Search)}, nil
}

// deliveries lists the deliveries of an edition by address.
func (h *Handler) deliveries(w http.ResponseWriter, r *http.Request, session store.Session) error {
	body, filter, err := h.requestedDeliveries(r)
	if err != nil {
		return err
	}
	if body.Counts, err = h.store.EditionCounts(r.Context(), body.Edition.Seq); err != nil {
		return err
	}
	after, _ := strconv.ParseInt(r.URL.Query().Get("after"), 10, 64) // anything else is the first page
	if body.FoundDeliveries, err = h.store.FindDeliveries(r.Context(), body.Edition, filter, max(after, 0), deliveryPageSize); err != nil {
		return err
	}
	return h.show(w, http.StatusOK, "delivery_list", page{Title: "Deliveries", Nav: "digests", Editor: &session.Editor, Flash: flash(r), Body: body})
}

// States returns the states that the list can be filtered by.
func (l deliveryList) States() []digest.DeliveryState { return digest.DeliveryStates }

// replyClass is a class of replies with its name.
type replyClass struct {
	Class store.ReplyClass
	Name  words.Text
}

// Replies returns the classes of replies that the list can be filtered by.
func (l deliveryList) Replies() []replyClass {
	return []replyClass{
		{store.ReplyAccepted, words.T("accepted (2xx)")}, {store.ReplyTemporary, words.T("try later (4xx)")},
		{store.ReplyPermanent, words.T("refused (5xx)")}, {store.ReplyNone, words.T("no answer")},
	}
}

// deliveryState returns the name of a state on pages.
func deliveryState(s digest.DeliveryState) words.Text {
	switch s {
	case digest.DeliveryQueued:
		return words.T("queued")
	case digest.DeliveryAttempting:
		return words.T("being sent")
	case digest.DeliverySent:
		return words.T("sent")
	case digest.DeliveryDeferred:
		return words.T("retrying")
	case digest.DeliveryRefused:
		return words.T("refused")
	case digest.DeliveryUncertain:
		return words.T("uncertain")
	}
	return words.T("skipped")
}

// deliveryStateFor returns the name of the state of a mail, which may wait for a warm-up.
func deliveryStateFor(s digest.DeliveryState, reason string) words.Text {
	if store.WaitsForWarmup(s, reason) {
		return words.T("waiting for warm-up")
	}
	return deliveryState(s)
}

// Filtered reports whether the list has a filter.
func (l deliveryList) Filtered() bool { return l.Search != "" || l.State != "" || l.Reply != "" }

// query returns the filter as the query of an address.
func (l deliveryList) query() url.Values {
	q := url.Values{}
	for name, value := range map[string]string{"q": l.Search, "state": string(l.State), "reply": string(l.Reply)} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return q
}

// MorePath returns the path of the next page.
func (l deliveryList) MorePath() string {
	q := l.query()
	q.Set("after", fmt.Sprint(l.Next))
	return "/admin/editions/" + l.Edition.ID + "/deliveries?" + q.Encode()
}

// ExportPath returns the path of the list as CSV.
func (l deliveryList) ExportPath() string {
	return "/admin/editions/" + l.Edition.ID + "/deliveries.csv?" + l.query().Encode()
}

// exportDeliveries serves the list as CSV.
func (h *Handler) exportDeliveries(w http.ResponseWriter, r *http.Request, session store.Session) error {
	body, filter, err := h.requestedDeliveries(r)
	if err != nil {
		return err
	}
	if err := h.auditBefore(r, session.Editor, "edition.export", "edition", body.Edition.ID, "deliveries"); err != nil {
		return err
	}
	ctx := longRequest(w, r)
	header := w.Header()
	header.Set("Content-Type", "text/csv; charset=utf-8")
	header.Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", body.Edition.Digest+"-"+strconv.Itoa(body.Edition.Number)+"-deliveries.csv"))
	h.log.InfoContext(r.Context(), "deliveries exported", "edition", body.Edition.ID, "editor", session.Editor.ID)
	if err := h.engine.ExportDeliveries(ctx, w, body.Edition, filter); err != nil { // part of it may be sent
		h.log.ErrorContext(r.Context(), "the export of deliveries ended early", "edition", body.Edition.ID, "error", err)
	}
	return nil
}

// deliveryPage is the data of the page of one delivery.
type deliveryPage struct {
	store.ListedDelivery
	Edition store.Edition
	Title   string // of the digest
	History []store.Try
	Host    string // of the last relay; empty if it is no longer configured
}

// Last reports whether the last try is not in the history: it was accepted, or is under way.
func (p deliveryPage) Last() bool {
	return p.Code != 0 && (len(p.History) == 0 || p.History[len(p.History)-1].Number != p.Tries)
}

// delivery shows the conversations with servers about one mail.
func (h *Handler) delivery(w http.ResponseWriter, r *http.Request, session store.Session) error {
	edition, err := h.store.Edition(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	person, err := strconv.ParseInt(r.PathValue("subscriber"), 10, 64)
	if err != nil {
		return store.ErrNotFound
	}
	body := deliveryPage{Edition: edition, Title: h.digestTitle(edition.Digest)}
	if body.ListedDelivery, err = h.store.DeliveryTo(r.Context(), edition, person); err != nil {
		return err
	}
	if body.History, err = h.store.Tries(r.Context(), edition.Seq, person); err != nil {
		return err
	}
	for _, relay := range h.config.Relays {
		if relay.Name == body.Relay {
			body.Host = relay.Host
		}
	}
	title := words.T("Erased subscriber")
	if body.Address != "" {
		title = words.Verbatim(body.Address)
	}
	return h.show(w, http.StatusOK, "delivery_show", page{Title: title, Nav: "digests", Editor: &session.Editor, Flash: flash(r), Body: body})
}

// changeDeliveries retries refused mails or decides on uncertain ones: those of the subscriber in the form,
// or all.
func (h *Handler) changeDeliveries(w http.ResponseWriter, r *http.Request, session store.Session) error {
	id, action := r.PathValue("id"), r.PathValue("action")
	back := "/admin/editions/" + id + "/deliveries"
	var subscribers []int64
	if text := r.PostFormValue("subscriber"); text != "" {
		one, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return store.ErrNotFound
		}
		subscribers, back = []int64{one}, back+"/"+text
	}
	var n int64
	var err error
	ctx := h.auditing(longRequest(w, r), session.Editor, "edition."+action, "edition", id, "")
	done := map[string]string{"retry": "retried", "resend": "resent", "drop": "dropped"}[action]
	switch action {
	case "retry":
		n, err = h.engine.RetryRefused(ctx, id, session.Editor.Email, subscribers...)
	case "resend", "drop":
		n, err = h.engine.ResolveUncertain(ctx, id, action == "resend", subscribers...)
	default:
		return store.ErrNotFound
	}
	if err != nil {
		return err
	}
	h.log.InfoContext(r.Context(), "deliveries changed by hand", "edition", id, "change", action, "mails", n, "editor", session.Editor.ID)
	if n == 0 {
		unchanged(r)
		return redirectWithFlash(w, r, back, "unchanged")
	}
	return redirectWithFlash(w, r, back, done)
}
