package admin

import (
	"errors"
	"net/http"

	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/schedule"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
)

// digestPage is a digest: when it goes out, and what would be in it now.
type digestPage struct {
	config.Digest
	Next    []schedule.Tick
	Readers int64
	Skipped []store.SkipCount // on the digest, and sent nothing
	Preview *delivery.Preview // nil when there is nothing to send
	Backlog delivery.Backlog  // what waits, also when there is nothing to send
	Nothing string            // why
	Ticks   []store.Tick      // the last ones, and why some made no edition
	You     string
	Changes []string // since it was shown on the page before
	Begins  string   // the day from which on articles are its own, as a form has it; empty for any
}

// wanted is the digest that a request names.
func (h *Handler) wanted(r *http.Request) (config.Digest, error) {
	d, ok := h.configured(r.PathValue("name"))
	if !ok {
		return d, store.ErrNotFound
	}
	if d.Title == "" {
		d.Title = d.Name
	}
	return d, nil
}

func (h *Handler) digestPage(r *http.Request, session store.Session) (digestPage, error) {
	d, err := h.wanted(r)
	if err != nil {
		return digestPage{}, err
	}
	body := digestPage{Digest: d, Next: h.engine.NextTicks(d.Name, 3), You: session.Editor.Email}
	audience, err := h.engine.NextRecipients(r.Context(), d.Name)
	if err != nil {
		return body, err
	}
	body.Readers, body.Skipped = audience.Count, audience.Skipped
	if body.Ticks, err = h.store.Ticks(r.Context(), d.Name, 5); err != nil {
		return body, err
	}
	if err := h.fillQueue(r.Context(), &body); err != nil {
		return body, err
	}
	// An editor is told whatever keeps the edition from being made, such as a mistake
	// in a template: it would keep the real one from going out as well.
	preview, err := h.engine.Preview(r.Context(), d.Name, delivery.PreviewOptions{})
	if err != nil {
		body.Nothing = err.Error()
		return body, nil
	}
	body.Preview = &preview
	return body, nil
}

func (h *Handler) digest(w http.ResponseWriter, r *http.Request, session store.Session) error {
	body, err := h.digestPage(r, session)
	if err != nil {
		return err
	}
	return h.show(w, http.StatusOK, "digest_show", page{Title: body.Title, Nav: "dashboard", Editor: &session.Editor, Notice: notice(r), Body: body})
}

// mail is the mail of a preview, as it stands in its frame.
func (h *Handler) digestMail(w http.ResponseWriter, r *http.Request, _ store.Session) error {
	v, err := h.previewed(r)
	if err != nil {
		return err
	}
	showMail(w, v.HTML)
	return nil
}

// plain is the text part of a preview.
func (h *Handler) digestText(w http.ResponseWriter, r *http.Request, _ store.Session) error {
	v, err := h.previewed(r)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte(v.Text))
	return nil
}

func (h *Handler) previewed(r *http.Request) (digest.Variant, error) {
	d, err := h.wanted(r)
	if err != nil {
		return digest.Variant{}, err
	}
	preview, err := h.engine.Preview(r.Context(), d.Name, delivery.PreviewOptions{})
	if err != nil {
		return digest.Variant{}, conflict("There is nothing to show", err, "/admin/digests/"+d.Name)
	}
	return asSeen(preview.Variant), nil
}

// asSeen fills the holes of a variant with what stands for a reader. The links lead
// nowhere: an editor who tries the button must not unsubscribe anybody.
func asSeen(v digest.Variant) digest.Variant {
	return v.Fill(digest.Placeholders{Name: v.AnonymousName, Address: "reader@example.org", Unsubscribe: "#", Preferences: "#", Web: "#"})
}

// mailPolicy is for mails in frames: no script, no form, no way out, whatever the
// articles hold.
const mailPolicy = "default-src 'none'; style-src 'unsafe-inline'; img-src * data:; frame-ancestors 'self'; sandbox"

func showMail(w http.ResponseWriter, html string) {
	w.Header().Set("Content-Security-Policy", mailPolicy)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write([]byte(html))
}

// test sends the edition to the editor alone, or to the address that they give.
func (h *Handler) testDigest(w http.ResponseWriter, r *http.Request, session store.Session) error {
	d, err := h.wanted(r)
	if err != nil {
		return err
	}
	return h.sendTest(w, r, session, "/admin/digests/"+d.Name, func(to subscriber.Address) error {
		_, err := h.engine.SendTest(r.Context(), d.Name, delivery.PreviewOptions{}, to)
		return err
	})
}

func (h *Handler) sendTest(w http.ResponseWriter, r *http.Request, session store.Session, here string, send func(to subscriber.Address) error) error {
	if !h.testMails.Allow(session.Editor.ID) {
		return &userError{http.StatusTooManyRequests, "Please wait a moment", "That were many test mails in a short time.", here, "Go back"}
	}
	to, err := subscriber.ParseAddress(r.PostFormValue("to"))
	if err == nil {
		err = send(to)
	}
	if err != nil {
		return conflict("No test mail was sent", err, here)
	}
	return redirectWithNotice(w, r, here, "test")
}

// sendPage asks once more, with the number of those whom it goes to.
func (h *Handler) sendPage(w http.ResponseWriter, r *http.Request, session store.Session) error {
	return h.askToSend(w, r, session, nil)
}

// askToSend shows what would be sent, and what changed since it was shown before.
func (h *Handler) askToSend(w http.ResponseWriter, r *http.Request, session store.Session, changes []string) error {
	body, err := h.digestPage(r, session)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if body.Changes = changes; len(changes) > 0 {
		status = http.StatusConflict
	}
	return h.show(w, status, "digest_send", page{Title: "Send " + body.Title + " now?", Nav: "dashboard", Editor: &session.Editor, Body: body})
}

func (h *Handler) send(w http.ResponseWriter, r *http.Request, session store.Session) error {
	d, err := h.wanted(r)
	if err != nil {
		return err
	}
	shown, unread := delivery.ParseFingerprint(r.PostFormValue("shown"))
	if r.PostFormValue("sure") != d.Name || unread != nil {
		http.Redirect(w, r, "/admin/digests/"+d.Name+"/send", http.StatusSeeOther)
		return nil
	}
	e, err := h.engine.Send(longRequest(w, r), d.Name, delivery.SendOptions{By: session.Editor.Email, Expect: &shown})
	var changed *delivery.ChangedError
	if errors.As(err, &changed) {
		return h.askToSend(w, r, session, changed.Differences)
	}
	if err != nil {
		return conflict("Nothing was sent", err, "/admin/digests/"+d.Name)
	}
	h.log.Info("edition sent by hand", "edition", e.ID, "digest", d.Name, "editor", session.Editor.ID)
	http.Redirect(w, r, "/admin/editions/"+e.ID, http.StatusSeeOther)
	return nil
}
