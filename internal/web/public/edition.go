package public

import (
	"cmp"
	"context"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/templates"
)

// editionsMaxAge is how long pages with editions are cached: the content version counts changes of
// articles only, and a new edition changes lists and the links between editions.
const editionsMaxAge = time.Minute

// publicEdition is an edition as pages show it.
type publicEdition struct {
	store.Edition
	Title    string
	Path     string
	Articles []article.Article // those that are still published, in the edition's order
}

// publicEdition returns an edition with its articles, as ArticlesByID or EditionContents return
// them. If one of them was withdrawn, the title and the path have only the edition's number,
// since the subject may name that article.
func (p *Pages) publicEdition(ctx context.Context, e store.Edition, articles []article.Article) publicEdition {
	var current []article.Article
	e.Edition, current = e.Public(articles, p.store.Now())
	return publicEdition{
		Edition: e, Articles: current, Path: e.PagePath(),
		Title: cmp.Or(e.Subject, p.digestTitle(ctx, e.Digest)+", "+p.editionNumber(ctx, e.Number)),
	}
}

// shown reports whether the edition has a page: an edition of a digest needs an article.
func (e *publicEdition) shown() bool { return len(e.Articles) > 0 || e.IsMessage() }

// editionNumber returns the number of an edition for people, such as "No. 42".
func (p *Pages) editionNumber(ctx context.Context, number int) string {
	text, err := p.layout(ctx).frame.Phrase("edition", strconv.Itoa(number))
	if err != nil {
		return strconv.Itoa(number)
	}
	return text
}

// editionPage is the data of the page of an edition.
type editionPage struct {
	publicEdition
	Of       string // title of the digest
	List     string // path of the page of all its editions
	Label    string // the edition's number for people
	Whole    string // path of the page with all articles; empty on that page itself
	Sections []editionSection
	Intro    template.HTML // what an editor wrote before the articles; may be empty
	Outro    template.HTML // the same, after the articles
	Sponsor  *templates.Sponsor
	Notice   string // what marks the sponsor as one
	language string // of a variant; empty on the page of the whole edition

	Previous, Next *publicEdition // nil at the ends
	Form           subscribeForm
}

// editionSection is a part of an edition. The first one may have no heading.
type editionSection struct {
	Heading  string
	Articles []editionArticle
}

// editionArticle is an article of an edition.
type editionArticle struct {
	card
	Lead bool          // it is shown first and largest
	Text string        // its summary or the beginning of its text; empty for a title alone
	Body template.HTML // the whole article; empty for a part of it
}

// edition serves the public page of an edition, once its first mail was sent. It contains no address
// and no personal links.
func (p *Pages) edition(w http.ResponseWriter, r *http.Request) error {
	e, err := p.requestedEdition(r)
	if err != nil {
		return err
	}
	return p.showEdition(w, p.withLanguage(r, p.digestLanguage(e.Digest)), e, nil)
}

// variantPage is the variant of an edition that a page shows.
type variantPage struct {
	digest.Variant
	number int
}

// editionPart serves the page with the articles of a variant, by its number.
func (p *Pages) editionPart(w http.ResponseWriter, r *http.Request) error {
	e, err := p.requestedEdition(r)
	if err != nil {
		return err
	}
	number, err := strconv.ParseInt(r.PathValue("part"), 10, 32)
	if err != nil {
		return store.ErrNotFound
	}
	v, err := p.store.Variant(r.Context(), e.Seq, int(number))
	if err != nil {
		return err
	}
	return p.showEdition(w, p.withLanguage(r, v.Language), e, &variantPage{v, int(number)})
}

// requestedEdition returns the edition whose number is in a request's path, if its sending has
// started.
func (p *Pages) requestedEdition(r *http.Request) (store.Edition, error) {
	text, _, _ := strings.Cut(r.PathValue("edition"), "-")
	number, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return store.Edition{}, store.ErrNotFound
	}
	return p.store.StartedEdition(r.Context(), r.PathValue("digest"), int(number))
}

// showEdition shows the current articles of an edition, or those of one of its variants: with
// corrections, and without those that were withdrawn. Other addresses of the same page redirect
// to it.
func (p *Pages) showEdition(w http.ResponseWriter, r *http.Request, e store.Edition, v *variantPage) error {
	articles, err := p.store.ArticlesByID(r.Context(), e.Articles)
	if err != nil {
		return err
	}
	body := editionPage{publicEdition: p.publicEdition(r.Context(), e, articles), Form: p.formFor(r.Context(), e.Digest)}
	whole, noIndex := body.Path, !p.indexed(e.Digest)
	if v != nil && v.Key != "" {
		body.showVariant(v)
		body.Whole, noIndex = whole, true // all its articles are on the edition's own page
	}
	if r.URL.EscapedPath() != body.Path {
		return redirectEdition(w, r, body.Path)
	}
	if len(body.Articles) == 0 && !e.IsMessage() {
		return p.removedArticle(r)
	}
	if err := p.fillEdition(r.Context(), &body); err != nil {
		return err
	}
	description := cmp.Or(summaryOf(body.Articles), describe(&article.Article{HTML: string(body.Intro)}))
	limitCaching(w, editionsMaxAge)
	return p.show(w, r, http.StatusOK, "edition", page{
		Title: body.Title, Description: description, Canonical: p.config.Site.URL + whole, NoIndex: noIndex,
		Feeds: p.editionFeeds(r.Context(), e.Digest), Metadata: p.editionMetadata(r.Context(), &body, p.config.Site.URL+whole, description), Body: body,
	})
}

// showVariant replaces the articles by those of a variant.
func (e *editionPage) showVariant(v *variantPage) {
	if e.Subject != "" {
		e.Title = v.Subject
	}
	e.Path, e.language = e.VariantPath(v.Variant, v.number), v.Language
	e.Articles = slices.DeleteFunc(e.Articles, func(a article.Article) bool { return !slices.Contains(v.Articles, a.ID) })
}

// redirectEdition redirects to the current address of an edition. Browsers may keep that only as
// long as a page: the address changes back when a withdrawn article returns.
func redirectEdition(w http.ResponseWriter, r *http.Request, path string) error {
	w.Header().Set("Cache-Control", "public, max-age=60")
	http.Redirect(w, r, path, http.StatusMovedPermanently)
	return nil
}

// fillEdition adds what the page shows besides the articles themselves.
func (p *Pages) fillEdition(ctx context.Context, body *editionPage) error {
	body.Of, body.List, body.Label = p.digestTitle(ctx, body.Digest), digest.ListPath(body.Digest), p.editionNumber(ctx, body.Number)
	if err := p.arrangeEdition(ctx, body); err != nil {
		return err
	}
	before, after, err := p.store.StartedBeside(ctx, body.Digest, body.Number)
	if err != nil {
		return err
	}
	body.Previous, err = p.beside(ctx, before)
	if err == nil {
		body.Next, err = p.beside(ctx, after)
	}
	return err
}

// arrangeEdition puts the articles into their sections, and adds what editors wrote.
func (p *Pages) arrangeEdition(ctx context.Context, body *editionPage) error {
	input, err := digest.PublicInput(p.config, body.Edition.Edition, body.Articles)
	if err != nil {
		return err
	}
	input.Edits, input.Audience = body.Edits, body.Audience
	var names []string
	for i := range body.Articles {
		names = append(names, body.Articles[i].MediaNames()...)
	}
	if input.Pictures, _, err = p.store.Pictures(ctx, names); err != nil {
		return err
	}
	contents, err := digest.ContentsOf(input, cmp.Or(body.language, p.layout(ctx).language), p.templates)
	if err != nil {
		return err
	}
	body.Intro, body.Outro, body.Sponsor = contents.Intro, contents.Outro, contents.Sponsor
	if body.Sponsor != nil {
		if body.Notice = body.Sponsor.Label; body.Notice == "" {
			body.Notice, err = p.layout(ctx).frame.Phrase("sponsor")
		}
	}
	body.Articles = body.Articles[:0:0]
	for _, s := range contents.Sections {
		body.Sections = append(body.Sections, editionSection{s.Heading, pageArticles(input.Pictures, s.Articles)})
	}
	if len(body.Sections) > 0 {
		first := &body.Sections[0].Articles[0]
		first.Lead = first.Image != nil && first.Text != ""
	}
	for _, s := range body.Sections { // the order that is shown, with the sizes of images
		for _, a := range s.Articles {
			body.Articles = append(body.Articles, *a.Article)
		}
	}
	return err
}

// pageArticles returns the articles of a section in the forms that they have there.
func pageArticles(pictures article.Pictures, section []digest.ContentArticle) []editionArticle {
	articles := make([]article.Article, len(section))
	for i := range section {
		articles[i] = section[i].Article
	}
	out := make([]editionArticle, len(section))
	for i, c := range cardsWith(pictures, articles) {
		out[i].card = c
		switch section[i].Form {
		case digest.TitleForm:
			out[i].Image = nil
		case digest.FullForm:
			out[i].Text, out[i].Body = c.Summary, template.HTML(pictures.PageHTML(c.HTML, imageSizes)) //nolint:gosec // sanitized at import
			if !hasLeadImage(c.Article) {
				out[i].Image = nil
			}
		default:
			out[i].Text = describe(c.Article)
		}
	}
	return out
}

// beside returns a neighbouring edition as pages show it, or nil.
func (p *Pages) beside(ctx context.Context, e *store.Edition) (*publicEdition, error) {
	if e == nil {
		return nil, nil
	}
	found, err := p.publicEditions(ctx, []store.Edition{*e})
	if err != nil {
		return nil, err
	}
	return &found[0], nil
}

// publicEditions returns editions as lists show them.
func (p *Pages) publicEditions(ctx context.Context, editions []store.Edition) ([]publicEdition, error) {
	numbers := make([]int64, len(editions))
	for i := range editions {
		numbers[i] = editions[i].Seq
	}
	contents, err := p.store.EditionContents(ctx, numbers)
	if err != nil {
		return nil, err
	}
	out := make([]publicEdition, len(editions))
	for i, e := range editions {
		out[i] = p.publicEdition(ctx, e, contents[e.Seq])
	}
	return out, nil
}

// summaryOf returns the titles of the first articles, as the description of an edition.
func summaryOf(articles []article.Article) string {
	const most = 5
	var titles []string
	for i := range articles[:min(len(articles), most)] {
		titles = append(titles, articles[i].Title)
	}
	return strings.Join(titles, " · ")
}

// editionMetadata returns the metadata of an edition for search engines and cards of other sites.
func (p *Pages) editionMetadata(ctx context.Context, e *editionPage, address, description string) *metadata {
	m := &metadata{
		Type: "article", Title: e.Title, Description: description, URL: address, Locale: locale(p.layout(ctx).language),
		Published: e.Started.UTC().Format(time.RFC3339),
	}
	m.Data = map[string]any{
		"@context": "https://schema.org", "@type": "PublicationIssue", "name": e.Title, "issueNumber": e.Number, "url": address, "datePublished": m.Published,
		"description": description, "isPartOf": map[string]string{"@type": "Periodical", "name": e.Of, "url": p.config.Site.URL + e.List},
		"publisher": map[string]string{"@type": "Organization", "name": p.text(ctx, p.config.Site.Title), "url": p.config.Site.URL + "/"},
	}
	m.setImage(cmp.Or(p.pictureOf(e.Articles), p.siteImage()))
	return m
}

// pictureOf returns the first image of some articles that cards of other sites can show, with an
// absolute address, or nil.
func (p *Pages) pictureOf(articles []article.Article) *article.Image {
	for i := range articles {
		if image := articles[i].Image; image != nil && !isDrawing(image) {
			own := *image
			own.URL = article.Absolute(own.URL, p.config.Site.URL)
			return &own
		}
	}
	return nil
}
