package public

import (
	"cmp"
	"errors"
	"net/http"

	"github.com/tidings-press/tidings/digest"
	"github.com/tidings-press/tidings/internal/token"
	"github.com/tidings-press/tidings/store"
)

// mailPolicy is for the web edition of a mail: its styles stand in it, and nothing
// in it runs. Links open as usual.
const mailPolicy = "sandbox allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation; " +
	"default-src 'none'; style-src 'unsafe-inline'; img-src 'self' https: http: data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// edition is a mail as a page, for its reader alone.
func (p *Pages) edition(w http.ResponseWriter, r *http.Request) error {
	h, err := p.holder(r, token.WebEdition)
	if err != nil {
		return err
	}
	if h.Edition != r.PathValue("edition") {
		return p.wrongLink()
	}
	v, err := p.variant(r, h)
	if err != nil {
		return err
	}
	site := p.config.Site.URL
	sendMail(w, v, digest.Holes{
		Name: cmp.Or(h.Name, v.Nobody), Address: h.Address.String(),
		Unsubscribe: site + "/unsubscribe/" + p.keys.Sign(token.Unsubscribe, h.UID, h.Digest, h.Edition),
		Preferences: site + p.preferencesLink(h.UID), Web: site + r.URL.Path,
	})
	return nil
}

// openEdition is an edition as everyone may see it, once its first mail went out:
// the feed of a digest's editions leads here.
func (p *Pages) openEdition(w http.ResponseWriter, r *http.Request) error {
	e, err := p.store.Edition(r.Context(), r.PathValue("edition"))
	if err != nil {
		return err
	}
	if e.Started.IsZero() {
		return store.ErrNotFound
	}
	v, err := p.store.FullVariant(r.Context(), e.Seq)
	if errors.Is(err, store.ErrNotFound) {
		return p.gone()
	}
	if err != nil {
		return err
	}
	site := p.config.Site.URL
	sendMail(w, v, digest.Holes{
		Name: v.Nobody, Address: p.config.Site.Title, Unsubscribe: site + "/subscribe", Preferences: site + "/subscribe", Web: site + r.URL.Path,
	})
	return nil
}

// sendMail shows a mail as a page.
func sendMail(w http.ResponseWriter, v digest.Variant, values digest.Holes) {
	v = v.Fill(values)
	header := w.Header()
	header.Set("Content-Security-Policy", mailPolicy)
	header.Set("X-Robots-Tag", "noindex, nofollow")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cache-Control", "private, no-store")
	header.Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write([]byte(cmp.Or(v.Page, v.HTML)))
}

// variant is the one that the reader's mail was made of. Who got a test mail only has
// none, and sees the fullest.
func (p *Pages) variant(r *http.Request, h holder) (digest.Variant, error) {
	e, err := p.store.Edition(r.Context(), h.Edition)
	if err != nil {
		return digest.Variant{}, err
	}
	v, err := p.store.VariantFor(r.Context(), e.Seq, h.ID)
	if errors.Is(err, store.ErrNotFound) {
		v, err = p.store.FullVariant(r.Context(), e.Seq)
	}
	if errors.Is(err, store.ErrNotFound) {
		err = p.gone()
	}
	return v, err
}
