package admin

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/words"
)

// messageListLimit is how many messages the list shows.
const messageListLimit = 100

// messageRow is a message in the list.
type messageRow struct {
	store.Edition
	Audience digest.Audience
}

// messages lists the newest messages.
func (h *Handler) messages(w http.ResponseWriter, r *http.Request, session store.Session) error {
	found, err := h.store.Messages(r.Context(), messageListLimit)
	if err != nil {
		return err
	}
	var rows []messageRow
	for _, e := range found {
		audience, err := digest.ParseAudience(e.Audience)
		if err != nil {
			return err
		}
		rows = append(rows, messageRow{e, audience})
	}
	return h.show(w, http.StatusOK, "message_list", page{Title: "Messages", Nav: "messages", Editor: &session.Editor, Flash: flash(r), Body: rows})
}

// messagePage is the data of the page on which editors write a message.
type messagePage struct {
	delivery.Message
	Action    string
	Edition   string // its id; empty for a new one
	Revision  string // of the message as it was read
	Digests   []config.Digest
	Templates []string             // names of the mail templates
	Articles  string               // ids, separated by spaces
	Count     *delivery.Recipients // who would get it; nil if not asked for
	Error     error
}

// Chosen reports whether a digest is one of the message's.
func (p messagePage) Chosen(name string) bool { return slices.Contains(p.Audience.Digests, name) }

// Languages returns the languages that have a text of their own.
func (p messagePage) Languages() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(p.Text)), func(lang string) bool { return lang == "" })
}

func (h *Handler) newMessagePage(w http.ResponseWriter, r *http.Request, session store.Session) error {
	body := messagePage{Action: "/admin/messages/new", Message: delivery.Message{Audience: digest.Audience{Public: true}}}
	if len(h.config.Digests) == 1 {
		body.Audience.Digests = []string{h.config.Digests[0].Name}
	}
	return h.showMessage(w, session, http.StatusOK, body)
}

func (h *Handler) showMessage(w http.ResponseWriter, session store.Session, status int, body messagePage) error {
	body.Digests, body.Templates = h.config.Digests, h.engine.Templates.Names()
	title := words.T("New message")
	if body.Edition != "" {
		title = words.T("Change “{0}”", body.Subject)
	}
	return h.show(w, status, "message_write", page{Title: title, Nav: "messages", Editor: &session.Editor, Body: body})
}

func (h *Handler) editMessagePage(w http.ResponseWriter, r *http.Request, session store.Session) error {
	edition, m, err := h.requestedMessage(r)
	if err != nil {
		return err
	}
	return h.showMessage(w, session, http.StatusOK, messagePage{
		Action: "/admin/messages/" + edition.ID, Edition: edition.ID, Revision: delivery.MessageRevision(edition),
		Message: m, Articles: strings.Join(m.Articles, " "),
	})
}

// requestedMessage returns the message in a request's path, which must be a draft.
func (h *Handler) requestedMessage(r *http.Request) (store.Edition, delivery.Message, error) {
	edition, err := h.store.Edition(r.Context(), r.PathValue("id"))
	if err == nil && !edition.IsMessage() {
		err = store.ErrNotFound
	}
	if err == nil && edition.State != digest.Draft {
		err = &store.StateError{Edition: edition.ID, Have: edition.State, Want: digest.Draft}
	}
	if err != nil {
		return edition, delivery.Message{}, err
	}
	m, err := delivery.MessageOf(edition)
	return edition, m, err
}

// writeMessage stores a message, or counts who would get it. What cannot be stored is shown again with
// the reason.
func (h *Handler) writeMessage(w http.ResponseWriter, r *http.Request, session store.Session) error {
	body := messagePage{Action: r.URL.Path, Edition: r.PathValue("id"), Revision: r.PostFormValue("revision"), Articles: r.PostFormValue("articles")}
	body.Message = messageOfForm(r)
	if r.PostFormValue("do") == "count" {
		count, err := h.engine.AudienceCount(r.Context(), body.Audience)
		if store.OfEngine(err) {
			return err
		}
		if err != nil {
			body.Error = err
			return h.showMessage(w, session, http.StatusUnprocessableEntity, body)
		}
		body.Count = &count
		unchanged(r)
		return h.showMessage(w, session, http.StatusOK, body)
	}
	edition, err := h.storeMessage(r, session, body)
	var state *store.StateError
	switch {
	case errors.As(err, &state), errors.Is(err, store.ErrNotFound), store.OfEngine(err):
		return err
	case err != nil:
		body.Error = err
		return h.showMessage(w, session, http.StatusUnprocessableEntity, body)
	}
	h.log.InfoContext(r.Context(), "message written by hand", "edition", edition.ID, "editor", session.Editor.ID)
	return redirectWithFlash(w, r, "/admin/editions/"+edition.ID, "message")
}

func (h *Handler) storeMessage(r *http.Request, session store.Session, body messagePage) (store.Edition, error) {
	ctx := h.auditing(r.Context(), session.Editor, "message.write", "edition", body.Edition, "")
	if body.Edition == "" {
		return h.engine.NewMessage(ctx, session.Editor.Email, body.Message)
	}
	was, _, err := h.requestedMessage(r)
	if err != nil {
		return was, err
	}
	if body.Revision != delivery.MessageRevision(was) {
		return was, store.ErrDraftChanged
	}
	return h.engine.EditMessage(ctx, was, body.Message)
}

// messageOfForm returns the message in a form.
func messageOfForm(r *http.Request) delivery.Message {
	m := delivery.Message{
		Audience: digest.Audience{
			Segment: strings.TrimSpace(r.PostFormValue("segment")), Public: r.PostFormValue("public") == "yes",
			Template: strings.TrimSpace(r.PostFormValue("template")),
		},
		Subject: r.PostFormValue("subject"), Preheader: r.PostFormValue("preheader"),
		Text: map[string]string{}, Articles: strings.Fields(r.PostFormValue("articles")),
	}
	m.Audience.Digests = r.PostForm["digest"]
	for name, values := range r.PostForm {
		if lang, found := strings.CutPrefix(name, "text:"); found && len(values) > 0 {
			m.Text[lang] = values[0]
		}
	}
	if lang := strings.TrimSpace(r.PostFormValue("language")); lang != "" && r.PostFormValue("added") != "" {
		m.Text[lang] = r.PostFormValue("added")
	}
	return m
}
