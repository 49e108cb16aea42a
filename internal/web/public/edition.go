package public

import (
	"errors"
	"net/http"
	"slices"
	"strconv"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/token"
)

// mailPolicy is for an edition as a page: its styles stand in it, and nothing in it
// runs. Links open as usual.
const mailPolicy = "sandbox allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation; " +
	"default-src 'none'; style-src 'unsafe-inline'; img-src 'self' https: http: data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// edition is an edition as everyone may see it, once its first mail went out: the link
// in the mail and the feed of a digest's editions lead here. It holds no address and
// no link of any reader, so it can be passed on.
func (p *Pages) edition(w http.ResponseWriter, r *http.Request) error {
	e, err := p.startedEdition(r)
	if err != nil {
		return err
	}
	text, err := p.renderEdition(r, e, e.Articles, "")
	if err != nil {
		return err
	}
	p.showEdition(w, e, text, p.config.Site.IndexEditions)
	return nil
}

// startedEdition is the edition in a request's path.
func (p *Pages) startedEdition(r *http.Request) (store.Edition, error) {
	e, err := p.store.Edition(r.Context(), r.PathValue("edition"))
	if err == nil && e.Started.IsZero() {
		err = store.ErrNotFound
	}
	return e, err
}

// editionPart is what some readers' mails had of an edition, by its variant's number,
// or the link of a mail of an earlier version, whose token led to a personal page. That
// one leads to the same articles without the reader.
func (p *Pages) editionPart(w http.ResponseWriter, r *http.Request) error {
	if number, err := strconv.Atoi(r.PathValue("part")); err == nil {
		return p.editionVariant(w, r, number)
	}
	claim, err := p.claimOf(r, r.PathValue("part"), token.WebEdition)
	if err != nil {
		return err
	}
	if claim.Edition != r.PathValue("edition") {
		return p.wrongLink(r)
	}
	path, err := p.pathFor(r, claim)
	if err != nil {
		return err
	}
	http.Redirect(w, r, path, http.StatusSeeOther)
	return nil
}

// pathFor is the path of the public page with the articles that a reader's mail had.
func (p *Pages) pathFor(r *http.Request, claim token.Claim) (string, error) {
	e, err := p.startedEdition(r)
	if err != nil {
		return "", err
	}
	path := digest.PagePath(e.ID)
	who, err := p.store.SubscriberByToken(r.Context(), claim.Person)
	if errors.Is(err, store.ErrNotFound) {
		return path, nil
	}
	if err != nil {
		return "", err
	}
	number, v, err := p.store.VariantFor(r.Context(), e.Seq, who.ID)
	if errors.Is(err, store.ErrNotFound) {
		return path, nil // who got a test mail only has none
	}
	return v.PagePath(number), err
}

func (p *Pages) editionVariant(w http.ResponseWriter, r *http.Request, number int) error {
	e, err := p.startedEdition(r)
	if err != nil {
		return err
	}
	v, err := p.store.Variant(r.Context(), e.Seq, number)
	if err != nil {
		return err
	}
	e.Subject = v.Subject
	text, err := p.renderEdition(r, e, v.Articles, v.Language)
	if err != nil {
		return err
	}
	p.showEdition(w, e, text, false) // its articles are all on the page of the edition
	return nil
}

// renderEdition renders the page from the articles as they are now: what was corrected
// is shown corrected, and what was withdrawn is gone.
func (p *Pages) renderEdition(r *http.Request, e store.Edition, ids []string, lang string) (string, error) {
	articles, err := p.store.ArticlesByID(r.Context(), ids)
	if err != nil {
		return "", err
	}
	articles = slices.DeleteFunc(articles, func(a article.Article) bool { return a.Status != article.Published })
	if len(articles) < len(ids) {
		e.Subject = "" // it may name what was withdrawn
	}
	issue := digest.Input{
		ID: e.ID, Definition: digest.Definition{Name: e.Digest, Title: e.Digest}, Number: e.Number,
		Site: digest.SiteOf(p.config), Articles: articles, Date: e.Created, Subject: e.Subject,
	}
	if d := p.digest(e.Digest); d != nil {
		issue.Definition = digest.DefinitionOf(d)
	}
	out, err := digest.RenderPage(issue, lang, p.templates)
	if errors.Is(err, digest.ErrEmpty) {
		err = p.gone(r)
	}
	return out, err
}

// showEdition sends a page of an edition. Its canonical address is that of the whole edition.
func (p *Pages) showEdition(w http.ResponseWriter, e store.Edition, text string, indexed bool) {
	header := w.Header()
	header.Set("Content-Security-Policy", mailPolicy)
	header.Set("Link", "<"+p.config.Site.URL+digest.PagePath(e.ID)+`>; rel="canonical"`)
	if !indexed {
		header.Set("X-Robots-Tag", "noindex, nofollow")
	}
	header.Set("Cache-Control", "public, max-age=60")
	header.Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write([]byte(text)) // a reader who went away needs no answer
}
