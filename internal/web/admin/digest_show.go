package admin

import (
	"net/http"
	"strings"

	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/schedule"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/words"
)

// digestPage is the data of the page of a digest, and of the confirmation page for sending it.
type digestPage struct {
	config.Digest
	Times       words.Text // its schedule; none without one
	Next        []schedule.Tick
	Subscribers int64
	Skipped     []store.SkipCount // number of skipped subscribers by reason
	Preview     *delivery.Preview // nil if there is nothing to send
	Nothing     error             // why there is nothing to send
	Backlog     delivery.Backlog  // the article queue
	Ticks       []store.Tick      // the last ones
	Editions    editionTable      // the last ones
	Draft       string            // id of the digest's newest draft; empty for none
	FirstDay    string            // articles from this day on belong to the digest; empty for any
}

// requestedDigest returns the digest in a request's path.
func (h *Handler) requestedDigest(r *http.Request) (config.Digest, error) {
	d, ok := h.configuredDigest(r.PathValue("name"))
	if !ok {
		return d, store.ErrNotFound
	}
	if d.Title == "" {
		d.Title = config.Text(d.Name)
	}
	return d, nil
}

func (h *Handler) digestPage(r *http.Request) (digestPage, error) {
	d, err := h.requestedDigest(r)
	if err != nil {
		return digestPage{}, err
	}
	body := digestPage{Digest: d, Times: describedSchedule(d), Next: h.engine.NextTicks(d.Name, 3)}
	if body.Ticks, err = h.store.Ticks(r.Context(), d.Name, 5); err != nil {
		return body, err
	}
	if err := h.fillQueue(r.Context(), &body); err != nil {
		return body, err
	}
	// The page shows any error, such as one in a template, since the scheduled edition would
	// fail for the same reason.
	preview, err := h.engine.Preview(r.Context(), d.Name, delivery.PreviewOptions{})
	recipients := preview.Recipients
	if err != nil {
		body.Nothing = err
		recipients, err = h.engine.NextRecipients(r.Context(), d.Name)
	} else {
		body.Preview = &preview
	}
	body.Subscribers, body.Skipped = recipients.Count, recipients.Skipped
	return body, err
}

// describedSchedule describes the schedule of a digest, such as "every Friday at 08:00". It returns no text
// without a schedule.
func describedSchedule(d config.Digest) words.Text {
	if d.Schedule == "" {
		return words.Text{}
	}
	times, err := schedule.Parse(d.Schedule, d.Timezone)
	if err != nil { // a check of the configuration reports it
		return words.Text{}
	}
	return times.Describe()
}

// editionTable is the data of a table of editions.
type editionTable struct {
	Editor *store.Editor
	Rows   []editionRow
}

func (h *Handler) digest(w http.ResponseWriter, r *http.Request, session store.Session) error {
	body, err := h.digestPage(r)
	if err != nil {
		return err
	}
	last, err := h.engine.Results(r.Context(), body.Name, recentEditions)
	if err != nil {
		return err
	}
	draft, _, err := h.store.NewestDraft(r.Context(), body.Name)
	if err != nil {
		return err
	}
	body.Draft, body.Editions.Editor = draft.ID, &session.Editor
	for _, one := range last {
		body.Editions.Rows = append(body.Editions.Rows, h.editionRow(one))
	}
	return h.show(w, http.StatusOK, "digest_show", page{Title: words.Verbatim(body.Title.String()), Nav: "digests", Editor: &session.Editor, Flash: flash(r), Body: body})
}

// digestMail serves the HTML part of the preview, for the page's frames.
func (h *Handler) digestMail(w http.ResponseWriter, r *http.Request, _ store.Session) error {
	v, err := h.previewVariant(r)
	if err != nil {
		return err
	}
	writeMail(w, v.HTML, true)
	return nil
}

// digestText serves the text part of the preview.
func (h *Handler) digestText(w http.ResponseWriter, r *http.Request, _ store.Session) error {
	v, err := h.previewVariant(r)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte(v.Text))
	return nil
}

func (h *Handler) previewVariant(r *http.Request) (digest.Variant, error) {
	d, err := h.requestedDigest(r)
	if err != nil {
		return digest.Variant{}, err
	}
	preview, err := h.engine.PreviewNextVariant(r.Context(), d.Name, delivery.VariantPreviewOptions{Unchecked: true})
	if err != nil {
		return digest.Variant{}, conflict("No preview", err, "/admin/digests/"+d.Name)
	}
	return withSampleRecipient(preview.Variant), nil
}

// withSampleRecipient fills in the placeholders of a variant for a preview. Its personal links
// are dead, so that an editor who clicks them unsubscribes no one.
func withSampleRecipient(v digest.Variant) digest.Variant {
	return v.Fill(digest.Placeholders{Name: v.AnonymousName, Address: "subscriber@example.org", Unsubscribe: "#", Preferences: "#", Web: "#"})
}

// mailPolicy is the content security policy of mails in frames: no script, no form, and
// no navigation, whatever the articles contain.
const mailPolicy = "default-src 'none'; style-src 'unsafe-inline'; img-src * data:; frame-ancestors 'self'; sandbox"

// writeMail serves the HTML of a mail for a frame, with or without its images.
func writeMail(w http.ResponseWriter, html string, images bool) {
	policy := mailPolicy
	if !images {
		policy = strings.Replace(policy, "img-src * data:", "img-src 'none'", 1)
	}
	w.Header().Set("Content-Security-Policy", policy)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write([]byte(html))
}

// testDigest sends the preview to one address.
func (h *Handler) testDigest(w http.ResponseWriter, r *http.Request, session store.Session) error {
	d, err := h.requestedDigest(r)
	if err != nil {
		return err
	}
	return h.sendTest(w, r, session, "digest", d.Name, func(to subscriber.Address) error {
		return h.sendTestVariants(r.Context(), r, session, h.nextVariants(d.Name), func(v digest.Variant) error {
			return h.engine.SendNextTest(r.Context(), d.Name, v, to)
		})
	})
}

// sendTest sends a test mail of an object, a digest or an edition, to the address in the form, and
// redirects back to its page. The audit log does not get the address.
func (h *Handler) sendTest(w http.ResponseWriter, r *http.Request, session store.Session, kind, id string, send func(to subscriber.Address) error) error {
	back := auditKinds[kind] + id
	if !h.testMails.Allow(session.Editor.ID) {
		return &userError{Status: http.StatusTooManyRequests, Title: "Too many test emails", Text: "You sent many test emails in a short time. Try again in a minute.", Link: back}
	}
	to, err := subscriber.ParseAddress(r.PostFormValue("to"))
	if err == nil {
		err = send(to)
	}
	if err != nil {
		return conflict("No test email was sent", err, back)
	}
	h.audit(r, session.Editor, kind+".test", kind, id, "")
	return redirectWithFlash(w, r, back, "test")
}
