package admin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/subscription"
	"github.com/tidings-press/tidings/internal/words"
)

// manager returns the manager of the site's subscribers.
func (h *Handler) manager() subscription.Manager {
	return subscription.Manager{Store: h.store, Config: h.config}
}

// correctable reports whether an editor can correct the input that caused an error.
func correctable(err error) bool {
	var input *store.InputError
	var topic *subscription.TopicError
	return errors.As(err, &input) || errors.As(err, &topic)
}

// editSubscriber changes the details, labels and digests of a subscriber. If another editor changed
// them meanwhile, it shows both versions.
func (h *Handler) editSubscriber(w http.ResponseWriter, r *http.Request, session store.Session) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	id, err := requestedID(r)
	if err != nil {
		return err
	}
	edit := readSubscriberEdit(r.PostForm)
	ctx := h.auditing(r.Context(), session.Editor, "subscriber.edit", "subscriber", strconv.FormatInt(id, 10), "")
	err = h.manager().Edit(ctx, id, r.PostForm.Get("version"), edit)
	if err != nil && !correctable(err) && !errors.Is(err, store.ErrEdited) {
		return err
	}
	if err == nil {
		h.log.InfoContext(r.Context(), "subscriber changed", "subscriber", id, "change", "edited", "editor", session.Editor.ID)
		return redirectWithFlash(w, r, fmt.Sprintf("/admin/subscribers/%d", id), "person-edited")
	}
	body, readErr := h.subscriberPage(r)
	if readErr != nil {
		return readErr
	}
	digests := body.Typed.Digests
	if body.Typed = edit; edit.Digests == nil {
		body.Typed.Digests = digests
	}
	if body.Edited = errors.Is(err, store.ErrEdited); body.Edited {
		return h.showSubscriber(w, r, session, http.StatusConflict, body)
	}
	body.Problem = err
	return h.showSubscriber(w, r, session, http.StatusUnprocessableEntity, body)
}

// readSubscriberEdit reads the form of a subscriber.
func readSubscriberEdit(form url.Values) store.SubscriberEdit {
	field := func(name string, most int) string { return strings.TrimSpace(truncate(form.Get(name), most)) }
	edit := store.SubscriberEdit{
		Name: field("name", 500), Language: field("language", 100), MailLanguage: field("mail_language", 100), Timezone: field("timezone", 100),
		Labels: splitList(field("labels", 10_000)),
	}
	if form.Get("digests") == "" { // the form does not show them
		return edit
	}
	edit.Digests = map[string][]string{}
	for _, name := range form["digest"] {
		edit.Digests[name] = splitList(truncate(form.Get("topics-"+name), 10_000))
	}
	return edit
}

// splitList reads values that are separated by commas.
func splitList(text string) []string {
	var out []string
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// unsubscribe ends all subscriptions of a subscriber.
func (h *Handler) unsubscribe(w http.ResponseWriter, r *http.Request, session store.Session) error {
	return h.changeSubscriber(w, r, session, "unsubscribed", func(ctx context.Context, sub subscriber.Subscriber) error {
		return h.store.UnsubscribeAll(ctx, sub.ID)
	})
}

// inviteAgain sends a confirmation mail to an unsubscribed address. The person subscribes again
// with its link; an editor cannot do that for them.
func (h *Handler) inviteAgain(w http.ResponseWriter, r *http.Request, session store.Session) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	digests := h.chosenDigests(r.PostForm)
	if len(digests) == 0 {
		return invalid("No invitation was sent", "Choose at least one digest.", "/admin/subscribers/"+r.PathValue("id"))
	}
	return h.changeSubscriber(w, r, session, "invited", func(ctx context.Context, sub subscriber.Subscriber) error {
		if sub.State != subscriber.Unsubscribed {
			return &store.SubscriberStateError{ID: sub.ID, From: sub.State, To: subscriber.Pending}
		}
		if err := h.requestConfirmation(ctx, sub.Address, digests); err != nil {
			return err
		}
		return h.store.RecordSubscriberChange(ctx, sub.ID, store.ChangedInvited, strings.Join(digests, ", "))
	})
}

// chosenDigests returns the configured digests that a form names.
func (h *Handler) chosenDigests(form url.Values) []string {
	var digests []string
	for _, d := range h.config.Digests {
		if slices.Contains(form["digest"], d.Name) {
			digests = append(digests, d.Name)
		}
	}
	return digests
}

// reinstate puts a subscriber back on digests because of a consent that they gave in writing.
func (h *Handler) reinstate(w http.ResponseWriter, r *http.Request, session store.Session) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	statement := h.readStatement(r.PostForm, session)
	return h.changeSubscriber(w, r, session, "reinstated", func(ctx context.Context, sub subscriber.Subscriber) error {
		return h.manager().Reinstate(ctx, sub.ID, statement, h.chosenDigests(r.PostForm))
	})
}

// readStatement reads a consent that an editor has in writing. An unreadable date counts as none.
func (h *Handler) readStatement(form url.Values, session store.Session) subscription.Statement {
	at, err := time.ParseInLocation(time.DateOnly, form.Get("consented"), h.zone)
	if err != nil {
		at = time.Time{}
	}
	return subscription.Statement{Words: truncate(form.Get("words"), 10_000), Source: truncate(form.Get("source"), 2000), At: at, By: session.Editor.Email}
}

// suppress blocks all mail to the address of a subscriber.
func (h *Handler) suppress(w http.ResponseWriter, r *http.Request, session store.Session) error {
	reason := strings.TrimSpace(truncate(r.PostFormValue("reason"), 500))
	if reason == "" {
		return invalid("Nothing was changed", "Say why the address must not be mailed.", "/admin/subscribers/"+r.PathValue("id"))
	}
	return h.changeSubscriber(w, r, session, "suppressed", func(ctx context.Context, sub subscriber.Subscriber) error {
		if sub.State == subscriber.Erased {
			return &store.SubscriberStateError{ID: sub.ID, From: sub.State, To: subscriber.Unsubscribed}
		}
		return h.store.Suppress(ctx, sub.Address, store.EditorReason, reason)
	})
}

// lift reactivates a bounced subscriber, or lifts the suppression of another one without a change of
// their state. A suppression at the person's own request stays.
func (h *Handler) lift(w http.ResponseWriter, r *http.Request, session store.Session) error {
	id, err := requestedID(r)
	if err != nil {
		return err
	}
	found, err := h.store.Subscriber(r.Context(), id)
	if err != nil {
		return err
	}
	flash := "unsuppressed"
	if found.State == subscriber.Bounced || found.State == subscriber.Active {
		flash = "lifted"
	}
	return h.changeSubscriber(w, r, session, flash, func(ctx context.Context, sub subscriber.Subscriber) error {
		if sub.State == subscriber.Bounced || sub.State == subscriber.Active {
			return h.store.SetState(ctx, sub.ID, subscriber.Active, words.T("lifted by {0}", session.Editor.Email).String())
		}
		if sub.State == subscriber.Erased {
			return &store.SubscriberStateError{ID: sub.ID, From: sub.State, To: subscriber.Active}
		}
		held, err := h.store.Suppression(ctx, sub.Address)
		if err != nil {
			return err
		}
		if held.Reason.Personal() {
			return store.InvalidInput(words.T("the person asked for it, so only they can subscribe again; invite them, or record a later consent"))
		}
		return h.store.LiftSuppression(ctx, sub.Address)
	})
}

// erase deletes all data of a subscriber.
func (h *Handler) erase(w http.ResponseWriter, r *http.Request, session store.Session) error {
	back := "/admin/subscribers/" + r.PathValue("id")
	if r.PostFormValue("sure") == "" {
		return invalid("Nothing was erased", "Erasing cannot be undone. Tick the box above the button.", back)
	}
	return h.changeSubscriber(w, r, session, "erased", func(ctx context.Context, sub subscriber.Subscriber) error { return h.store.Erase(ctx, sub.ID) })
}

// subscriberActions are the actions in the audit log, by the flash message afterwards.
var subscriberActions = map[string]string{
	"unsubscribed": "subscriber.unsubscribe", "invited": "subscriber.invite", "lifted": "subscriber.lift", "reinstated": "subscriber.reinstate",
	"suppressed": "subscriber.suppress", "unsuppressed": "subscriber.unsuppress", "erased": "subscriber.erase",
}

// changeSubscriber changes the subscriber in a request's path and redirects to their page.
func (h *Handler) changeSubscriber(w http.ResponseWriter, r *http.Request, session store.Session, flash string, change func(context.Context, subscriber.Subscriber) error) error {
	id, err := requestedID(r)
	if err != nil {
		return err
	}
	sub, err := h.store.Subscriber(r.Context(), id)
	if err != nil {
		return err
	}
	here := fmt.Sprintf("/admin/subscribers/%d", id)
	err = change(h.auditing(r.Context(), session.Editor, subscriberActions[flash], "subscriber", strconv.FormatInt(id, 10), ""), sub)
	var held *store.SuppressedError
	switch {
	case correctable(err):
		return &userError{Status: http.StatusUnprocessableEntity, Title: "Nothing was changed", Text: err, Link: here}
	case errors.As(err, &held):
		return &userError{Status: http.StatusConflict, Title: "Not possible now", Text: "An editor has suppressed this address. Lift the suppression first.", Link: here}
	case err != nil:
		return err
	}
	h.log.InfoContext(r.Context(), "subscriber changed", "subscriber", id, "change", flash, "editor", session.Editor.ID)
	return redirectWithFlash(w, r, here, flash)
}
