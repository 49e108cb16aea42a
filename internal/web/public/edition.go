package public

import (
	"cmp"
	"errors"
	"html"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/copies"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/token"
)

// mailPolicy is the content security policy of editions as pages: inline styles, no scripts.
// Links work.
const mailPolicy = "sandbox allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation; " +
	"default-src 'none'; style-src 'unsafe-inline'; img-src 'self' https: http: data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// edition serves the public page of an edition, once its first mail was sent. The links in mails
// and in the feed of the digest's editions lead to it. It contains no address and no personal
// links.
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

// startedEdition returns the edition in a request's path, if its sending has started.
func (p *Pages) startedEdition(r *http.Request) (store.Edition, error) {
	e, err := p.store.Edition(r.Context(), r.PathValue("edition"))
	if err == nil && e.Started.IsZero() {
		err = store.ErrNotFound
	}
	return e, err
}

// editionPart serves the page of a variant, by its number. It redirects the links in mails of
// earlier versions, whose token led to a personal page, to the page of the same variant.
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

// pathFor returns the path of the public page with the articles of a subscriber's mail.
func (p *Pages) pathFor(r *http.Request, claim token.Claim) (string, error) {
	e, err := p.startedEdition(r)
	if err != nil {
		return "", err
	}
	path := digest.PagePath(e.ID)
	sub, err := p.store.SubscriberByToken(r.Context(), claim.Person)
	if errors.Is(err, store.ErrNotFound) {
		return path, nil
	}
	if err != nil {
		return "", err
	}
	number, v, err := p.store.VariantFor(r.Context(), e.Seq, sub.ID)
	if errors.Is(err, store.ErrNotFound) {
		return path, nil // a test mail has no variant
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
	p.showEdition(w, e, text, false) // all its articles are on the edition's own page
	return nil
}

// renderEdition renders the page from the current articles: with corrections, and without those
// that were withdrawn.
func (p *Pages) renderEdition(r *http.Request, e store.Edition, ids []string, lang string) (string, error) {
	articles, err := p.store.ArticlesByID(r.Context(), ids)
	if err != nil {
		return "", err
	}
	articles = slices.DeleteFunc(articles, func(a article.Article) bool { return a.Status != article.Published })
	if len(articles) < len(ids) {
		e.Subject = "" // it may name a withdrawn article
	}
	pictures, err := copies.ForArticles(r.Context(), p.store, articles)
	if err != nil {
		return "", err
	}
	issue := digest.Input{
		ID: e.ID, Definition: digest.Definition{Name: e.Digest, Title: config.Text(e.Digest)}, Number: e.Number,
		Site: digest.SiteOf(p.config), Articles: articles, Pictures: pictures, Date: e.Created, Subject: e.Subject, Edits: e.Edits,
	}
	if d := p.digest(e.Digest); d != nil {
		issue.Definition = digest.DefinitionOf(d)
	}
	out, err := digest.RenderPage(issue, lang, p.templates)
	if errors.Is(err, digest.ErrEmpty) {
		err = p.removedArticle(r)
	}
	return p.describeEdition(out, e, issue, lang), err
}

// describeEdition adds to the page of an edition what search engines and cards of other sites show.
// Templates of mails have no place for it.
func (p *Pages) describeEdition(text string, e store.Edition, issue digest.Input, lang string) string {
	title, address := cmp.Or(e.Subject, issue.Definition.Title.In(cmp.Or(lang, issue.Definition.Language))), p.config.Site.URL+digest.PagePath(e.ID)
	var titles []string
	for i := range issue.Articles[:min(len(issue.Articles), 5)] {
		titles = append(titles, issue.Articles[i].Title)
	}
	description := strings.Join(titles, " · ")
	tags := `<link rel="canonical" href="` + html.EscapeString(address) + "\">\n"
	for _, tag := range [][3]string{
		{"name", "description", description}, {"property", "og:type", "article"}, {"property", "og:site_name", p.config.Site.Title.In(cmp.Or(lang, issue.Definition.Language))},
		{"property", "og:title", title}, {"property", "og:url", address}, {"property", "og:description", description}, {"name", "twitter:card", "summary"},
	} {
		tags += "<meta " + tag[0] + `="` + tag[1] + `" content="` + html.EscapeString(tag[2]) + "\">\n"
	}
	return strings.Replace(text, "</head>", tags+"</head>", 1)
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
	_, _ = w.Write([]byte(text)) // a client that disconnected needs no response
}
