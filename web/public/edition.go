package public

import (
	"cmp"
	"net/http"
	"slices"

	"github.com/tidings-press/tidings/digest"
	"github.com/tidings-press/tidings/store"
	"github.com/tidings-press/tidings/subscriber"
)

// mailPolicy is for the web edition of a mail: its styles stand in it, and nothing
// in it runs. Links open as usual.
const mailPolicy = "sandbox allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation; " +
	"default-src 'none'; style-src 'unsafe-inline'; img-src 'self' https: http: data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// edition is a mail as a page, for its reader alone.
func (p *Pages) edition(w http.ResponseWriter, r *http.Request) error {
	h, err := p.holder(r, subscriber.WebEdition)
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
		Unsubscribe: site + "/unsubscribe/" + p.keys.Sign(subscriber.Unsubscribe, h.ID, h.Digest, h.Edition),
		Preferences: site + p.preferencesLink(h.ID), Web: site + r.URL.Path,
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
	variants, err := p.store.Variants(r.Context(), e.Seq)
	if err != nil {
		return err
	}
	if len(variants) == 0 {
		return p.gone()
	}
	v := fullest(variants)
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

// variant is the one that the reader's mail was made of: by their wishes as they
// are now, or else the one that has everything.
func (p *Pages) variant(r *http.Request, h holder) (digest.Variant, error) {
	e, err := p.store.Edition(r.Context(), h.Edition)
	if err != nil {
		return digest.Variant{}, err
	}
	variants, err := p.store.Variants(r.Context(), e.Seq)
	if err != nil {
		return digest.Variant{}, err
	}
	d := p.digest(e.Digest)
	if len(variants) == 0 || d == nil {
		return digest.Variant{}, p.gone()
	}
	var topics []string
	if s, err := p.store.Subscription(r.Context(), h.ID, e.Digest); err == nil {
		topics = s.Topics
	}
	key := digest.PreferencesFor(digest.Definition{Name: d.Name, Language: d.Language}, topics, h.Language).Key()
	for _, v := range variants {
		if v.Key == key {
			return v, nil
		}
	}
	return fullest(variants), nil
}

// fullest is the variant with the most articles.
func fullest(variants []digest.Variant) digest.Variant {
	return slices.MaxFunc(variants, func(a, b digest.Variant) int { return cmp.Compare(len(a.Articles), len(b.Articles)) })
}
