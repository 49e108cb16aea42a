package admin

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/words"
)

// previewPage is the data of the page that shows the mails of an edition as recipients see them.
type previewPage struct {
	delivery.VariantPreview
	Title   string // of the digest
	Subject string
	At      string // path of the digest or the edition
	View    string // phone, desktop or text
	Key     string // of the chosen variant
	As      string // address of a subscriber, as it was typed
	Dark    bool
	Images  bool
	MayAs   bool // the editor may see subscribers
	MayTest bool
	Error   error // why there is no preview
}

// previewFunc returns a variant of an edition as a recipient gets it.
type previewFunc func(ctx context.Context, o delivery.VariantPreviewOptions) (delivery.VariantPreview, error)

func (h *Handler) digestPreview(w http.ResponseWriter, r *http.Request, session store.Session) error {
	d, err := h.requestedDigest(r)
	if err != nil {
		return err
	}
	return h.showPreview(w, r, session, "/admin/digests/"+d.Name, d.Title.String(), h.nextVariants(d.Name))
}

func (h *Handler) digestFrame(w http.ResponseWriter, r *http.Request, session store.Session) error {
	d, err := h.requestedDigest(r)
	if err != nil {
		return err
	}
	return h.showFrame(w, r, session, h.nextVariants(d.Name))
}

func (h *Handler) editionPreview(w http.ResponseWriter, r *http.Request, session store.Session) error {
	edition, err := h.store.Edition(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	return h.showPreview(w, r, session, "/admin/editions/"+edition.ID, h.digestTitle(edition.Digest), h.editionVariants(edition.ID))
}

func (h *Handler) editionFrame(w http.ResponseWriter, r *http.Request, session store.Session) error {
	if _, err := h.store.Edition(r.Context(), r.PathValue("id")); err != nil {
		return err
	}
	return h.showFrame(w, r, session, h.editionVariants(r.PathValue("id")))
}

func (h *Handler) nextVariants(name string) previewFunc {
	return func(ctx context.Context, o delivery.VariantPreviewOptions) (delivery.VariantPreview, error) {
		return h.engine.PreviewNextVariant(ctx, name, o)
	}
}

func (h *Handler) editionVariants(id string) previewFunc {
	return func(ctx context.Context, o delivery.VariantPreviewOptions) (delivery.VariantPreview, error) {
		return h.engine.PreviewEditionVariant(ctx, id, o)
	}
}

// previewOptions returns what a request asks to see. An editor who may not see subscribers cannot see their mails.
func (h *Handler) previewOptions(r *http.Request, session store.Session) (delivery.VariantPreviewOptions, error) {
	o := delivery.VariantPreviewOptions{Variant: truncate(r.FormValue("variant"), 1000)}
	as := strings.TrimSpace(r.FormValue("as"))
	if as == "" {
		return o, nil
	}
	if may, err := h.maySeeSubscribers(session); err != nil || !may {
		return o, errors.Join(err, words.Errorf("your role does not let you see the mail of a subscriber"))
	}
	var err error
	o.As, err = subscriber.ParseAddress(as)
	return o, err
}

func (h *Handler) maySeeSubscribers(session store.Session) (bool, error) {
	return h.can(&session.Editor, "GET /admin/subscribers/{id}")
}

// showPreview shows the page with one frame.
func (h *Handler) showPreview(w http.ResponseWriter, r *http.Request, session store.Session, at, title string, preview previewFunc) error {
	q := r.URL.Query()
	body := previewPage{At: at, Title: title, View: q.Get("view"), As: truncate(q.Get("as"), 254), Key: q.Get("variant"), Dark: q.Get("dark") == "yes", Images: q.Get("images") != "off"}
	if body.View != "phone" && body.View != "text" {
		body.View = "desktop"
	}
	var err error
	if body.MayAs, err = h.maySeeSubscribers(session); err == nil {
		body.MayTest, err = h.can(&session.Editor, "POST /admin/editions/{id}/test")
	}
	if err != nil {
		return err
	}
	o, err := h.previewOptions(r, session)
	if err == nil {
		body.VariantPreview, err = preview(r.Context(), o)
	}
	if store.OfEngine(err) {
		return err
	}
	if err != nil { // such as a template error, or a subscriber who would be skipped
		body.Error = err
	} else {
		body.Subject = filledFor(body.VariantPreview).Subject
	}
	return h.show(w, http.StatusOK, "preview_show", page{Title: "Preview", Nav: "digests", Editor: &session.Editor, Flash: flash(r), Body: body})
}

// FramePath returns the path of the frame.
func (p previewPage) FramePath() string {
	q := url.Values{"view": {p.View}}
	for name, value := range map[string]string{"variant": p.Key, "as": p.As, "dark": yes(p.Dark), "images": map[bool]string{false: "off"}[p.Images]} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return p.At + "/frame?" + q.Encode()
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}

// showFrame serves one variant for a frame.
func (h *Handler) showFrame(w http.ResponseWriter, r *http.Request, session store.Session, preview previewFunc) error {
	o, err := h.previewOptions(r, session)
	if err != nil {
		return conflict("No preview", err, "/admin/")
	}
	o.Unchecked = true
	shown, err := preview(r.Context(), o)
	if err != nil {
		return conflict("No preview", err, "/admin/")
	}
	v, q := filledFor(shown), r.URL.Query()
	if q.Get("view") == "text" {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'self'; sandbox")
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte(v.Text))
		return nil
	}
	html := v.HTML
	if q.Get("dark") == "yes" {
		html = darkMail.Replace(html)
	}
	writeMail(w, html, q.Get("images") != "off")
	return nil
}

// darkMail makes the rules of a mail for dark screens apply on every screen.
var darkMail = strings.NewReplacer("(prefers-color-scheme: dark)", "all", "(prefers-color-scheme:dark)", "all")

// filledFor fills the placeholders of a variant: with the name and address of the subscriber whose mail
// it is, or with samples. Its personal links are dead.
func filledFor(l delivery.VariantPreview) digest.Variant {
	if l.Subscriber.Address.IsZero() {
		return withSampleRecipient(l.Variant)
	}
	name := l.Subscriber.Name
	if name == "" {
		name = l.AnonymousName
	}
	return l.Fill(digest.Placeholders{Name: name, Address: l.Subscriber.Address.String(), Unsubscribe: "#", Preferences: "#", Web: "#"})
}

// sendTestVariants sends the variants that a form names to one address: the one that is shown, or all.
func (h *Handler) sendTestVariants(ctx context.Context, r *http.Request, session store.Session, preview previewFunc, send func(v digest.Variant) error) error {
	o, err := h.previewOptions(r, session)
	if err != nil {
		return err
	}
	o.Unchecked, o.Test = true, true
	shown, err := preview(ctx, o)
	if err != nil {
		return err
	}
	if r.FormValue("all") != "yes" {
		return send(shown.Variant)
	}
	for _, v := range shown.All {
		if err := send(v); err != nil {
			return err
		}
	}
	return nil
}
