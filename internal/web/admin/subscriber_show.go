package admin

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/words"
)

// subscriberPage is the data of the page of a subscriber.
type subscriberPage struct {
	store.ListedSubscriber
	Suppression store.Suppression
	History     []store.SubscriberEvent
	AllDigests  []config.Digest
	Choices     []digestChoice
	Labels      string // as the form shows them
	Today       string // the latest date of a consent
	Problem     error  // of the form; the form shows what was typed
	Edited      bool   // another editor changed the subscriber meanwhile
	Typed       store.SubscriberEdit
}

// digestChoice is a digest in the form for the subscriptions.
type digestChoice struct {
	Name, Title string
	On          bool
	Topics      string // separated by commas
	Gone        bool   // it is no longer configured
}

// historySize is how many events of each kind the page of a subscriber shows.
const historySize = 100

// Erased reports whether the subscriber was erased.
func (p subscriberPage) Erased() bool { return p.State == subscriber.Erased }

// CanInvite reports whether the subscriber can be invited to subscribe again.
func (p subscriberPage) CanInvite() bool { return p.State == subscriber.Unsubscribed }

// CanReinstate reports whether a consent can make the subscriber active.
func (p subscriberPage) CanReinstate() bool {
	return (p.State == subscriber.Unsubscribed || p.State == subscriber.Pending) && (p.Suppression.Reason == "" || p.Suppression.Reason.Personal())
}

// CanUnsubscribe reports whether there is a subscription to end.
func (p subscriberPage) CanUnsubscribe() bool {
	return len(p.Subscriptions) > 0 && (p.State == subscriber.Active || p.State == subscriber.Paused || p.State == subscriber.Pending)
}

// CanLift reports whether an editor may lift the suppression: not if it is the person's own wish.
func (p subscriberPage) CanLift() bool {
	return p.State != subscriber.Bounced && p.Suppression.Reason != "" && !p.Suppression.Reason.Personal()
}

// CanEditDigests reports whether the digests can be changed.
func (p subscriberPage) CanEditDigests() bool {
	return p.State == subscriber.Active || p.State == subscriber.Paused
}

// requestedID returns the id in a request's path, or store.ErrNotFound if it is not a number.
func requestedID(r *http.Request) (int64, error) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return 0, store.ErrNotFound
	}
	return id, nil
}

func (h *Handler) subscriber(w http.ResponseWriter, r *http.Request, session store.Session) error {
	body, err := h.subscriberPage(r)
	if err != nil {
		return err
	}
	return h.showSubscriber(w, r, session, http.StatusOK, body)
}

// subscriberPage reads the subscriber in a request's path.
func (h *Handler) subscriberPage(r *http.Request) (subscriberPage, error) {
	body := subscriberPage{AllDigests: h.config.Digests, Today: h.store.Now().In(h.zone).Format(time.DateOnly)}
	id, err := requestedID(r)
	if err != nil {
		return body, err
	}
	if body.ListedSubscriber, err = h.store.ListedSubscriber(r.Context(), id); err != nil {
		return body, err
	}
	if body.History, err = h.store.SubscriberHistory(r.Context(), body.Subscriber, historySize); err != nil || body.Erased() {
		return body, err
	}
	body.Typed = store.SubscriberEdit{Name: body.Name, Language: body.Language, MailLanguage: body.MailLanguage, Timezone: body.Timezone, Labels: body.Subscriber.Labels, Digests: map[string][]string{}}
	for _, one := range body.Subscriptions {
		body.Typed.Digests[one.Digest] = one.Topics
	}
	body.Suppression, err = h.store.Suppression(r.Context(), body.Address)
	return body, err
}

func (h *Handler) showSubscriber(w http.ResponseWriter, r *http.Request, session store.Session, status int, body subscriberPage) error {
	var title any = words.T("Subscriber {0}", body.ID)
	if !body.Erased() {
		title = words.Verbatim(body.Address.String())
	}
	body.Labels = strings.Join(body.Typed.Labels, ", ")
	body.fillChoices()
	return h.show(w, status, "subscriber_show", page{Title: title, Nav: "subscribers", Editor: &session.Editor, Flash: flash(r), Body: body})
}

// fillChoices lists the digests of the form: the configured ones, and others that the subscriber has.
func (p *subscriberPage) fillChoices() {
	for _, d := range p.AllDigests {
		topics, on := p.Typed.Digests[d.Name]
		p.Choices = append(p.Choices, digestChoice{Name: d.Name, Title: digestTitle(d), On: on, Topics: strings.Join(topics, ", ")})
	}
	for _, one := range p.Subscriptions {
		if !slices.ContainsFunc(p.AllDigests, func(d config.Digest) bool { return d.Name == one.Digest }) {
			topics, on := p.Typed.Digests[one.Digest]
			p.Choices = append(p.Choices, digestChoice{Name: one.Digest, Title: one.Digest, On: on, Topics: strings.Join(topics, ", "), Gone: true})
		}
	}
}

func digestTitle(d config.Digest) string {
	if title := d.Title.String(); title != "" {
		return title
	}
	return d.Name
}

// exportSubscriber sends all data of a subscriber as a JSON file.
func (h *Handler) exportSubscriber(w http.ResponseWriter, r *http.Request, session store.Session) error {
	id, err := requestedID(r)
	if err != nil {
		return err
	}
	data, err := h.store.PersonalData(r.Context(), id)
	if err != nil {
		return err
	}
	if data.Subscriber.State == subscriber.Erased {
		return &store.SubscriberStateError{ID: id, From: subscriber.Erased, To: subscriber.Active}
	}
	ctx := h.auditing(r.Context(), session.Editor, "subscriber.export", "subscriber", strconv.FormatInt(id, 10), "")
	if err := h.store.RecordSubscriberChange(ctx, id, store.ChangedExported, ""); err != nil {
		return err
	}
	h.log.InfoContext(r.Context(), "subscriber exported", "subscriber", id, "editor", session.Editor.ID)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="subscriber-%d.json"`, id))
	return data.WriteJSON(w)
}
