package public

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/token"
)

// editionListPage is the data of the page that lists the editions of a digest.
type editionListPage struct {
	Of          string // title of the digest
	Description string
	List        string // its path
	Question    string // of a search; empty without one
	Editions    []editionItem
	Newest      string // address of the first page; empty on it
	Older       string // address of the next page; empty on the last
	Feeds       []feedLink
	Form        subscribeForm
}

// editionItem is an edition in a list.
type editionItem struct {
	publicEdition
	Label    string // its number for people
	Image    *article.Image
	Srcset   string
	Marked   []article.Segment // the title
	Contents []article.Segment // the titles of its articles
}

const (
	// maxSearched is how many editions a request searches. Older ones follow on the next page.
	maxSearched = 500
	// maxQuestion is the maximum length of a search in bytes.
	maxQuestion = 500
)

// editionList shows the editions of a digest whose sending has started, the newest first, or those
// of them with the words of a search in the subject or in the titles of the articles.
func (p *Pages) editionList(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("digest")
	r = p.withLanguage(r, p.digestLanguage(name))
	body := editionListPage{Of: p.digestTitle(r.Context(), name), List: digest.ListPath(name), Question: strings.TrimSpace(r.URL.Query().Get("q")), Feeds: p.editionFeeds(r.Context(), name), Form: p.formFor(r.Context(), name)}
	before, err := editionCursor(r.URL.Query().Get("before"))
	if err != nil || len(body.Question) > maxQuestion {
		return store.ErrNotFound
	}
	found, err := p.listEditions(r.Context(), name, &body, before)
	if err != nil {
		return err
	}
	if p.digest(name) == nil && found == 0 {
		return store.ErrNotFound
	}
	if r.URL.EscapedPath() != body.List {
		return redirectEdition(w, r, body.List)
	}
	first := before == maxNumber
	if !first {
		body.Newest = body.address(0)
	}
	if d := p.digest(name); d != nil {
		body.Description = p.text(r.Context(), d.Description)
	}
	limitCaching(w, editionsMaxAge)
	v := page{
		Title: body.Of, Description: cmp.Or(body.Description, p.layout(r.Context()).Say("All editions of {0}.", body.Of)), Feeds: body.Feeds,
		Canonical: p.config.Site.URL + body.List, NoIndex: !first || body.Question != "" || !p.indexed(name), Body: body,
	}
	v.Metadata = p.listMetadata(r.Context(), &v, body.Editions)
	return p.show(w, r, http.StatusOK, "editions", v)
}

// listMetadata returns the metadata of the list with the picture of its newest edition that has one.
func (p *Pages) listMetadata(ctx context.Context, v *page, editions []editionItem) *metadata {
	m := p.metadataOf(v, p.layout(ctx).language)
	for i := range editions {
		if image := p.pictureOf(editions[i].Articles); image != nil {
			m.setImage(image)
			break
		}
	}
	return m
}

// maxNumber is above the number of every edition.
const maxNumber = 1 << 31

// editionCursor returns the number below which a list begins.
func editionCursor(text string) (int, error) {
	if text == "" {
		return maxNumber, nil
	}
	number, err := strconv.ParseUint(text, 10, 31)
	return int(number), err
}

// address returns the address of the list below a number; 0 is the first page.
func (l *editionListPage) address(before int) string {
	query := url.Values{}
	if l.Question != "" {
		query.Set("q", l.Question)
	}
	if before > 0 {
		query.Set("before", strconv.Itoa(before))
	}
	if len(query) == 0 {
		return l.List
	}
	return l.List + "?" + query.Encode()
}

// listEditions fills in a page of the editions below a number. It returns how many editions it has read.
func (p *Pages) listEditions(ctx context.Context, name string, body *editionListPage, before int) (read int, err error) {
	limit := pageSize + 1
	if body.Question != "" {
		limit = maxSearched
	}
	started, err := p.store.StartedEditions(ctx, name, before, limit)
	if err != nil {
		return 0, err
	}
	editions, err := p.publicEditions(ctx, started)
	if err != nil {
		return 0, err
	}
	phrases := phrasesOf(body.Question)
	shown := editions[:0:0]
	for _, e := range editions {
		if e.shown() && article.CountPhrases(e.Title+" · "+titlesOf(e.Articles), phrases) == len(phrases) {
			shown = append(shown, e)
		}
		if len(shown) > pageSize {
			break
		}
	}
	switch {
	case len(shown) > pageSize:
		shown = shown[:pageSize]
		body.Older = body.address(shown[pageSize-1].Number)
	case len(started) == limit:
		body.Older = body.address(started[limit-1].Number)
	}
	body.Editions, err = p.editionItems(ctx, shown, phrases)
	return len(started), err
}

func titlesOf(articles []article.Article) string {
	titles := make([]string, len(articles))
	for i := range articles {
		titles[i] = articles[i].Title
	}
	return strings.Join(titles, " · ")
}

// editionItems returns editions for a list, each with the first image of its articles.
func (p *Pages) editionItems(ctx context.Context, editions []publicEdition, phrases [][]string) ([]editionItem, error) {
	leads := make([]article.Article, len(editions))
	for i, e := range editions {
		if at := slices.IndexFunc(e.Articles, func(a article.Article) bool { return a.Image != nil }); at >= 0 {
			leads[i].Image = e.Articles[at].Image
		}
	}
	cards, err := p.cards(ctx, leads)
	if err != nil {
		return nil, err
	}
	var out []editionItem
	for i, e := range editions {
		titles := titlesOf(e.Articles)
		item := editionItem{publicEdition: e, Label: p.editionNumber(ctx, e.Number), Image: cards[i].Image, Srcset: cards[i].Srcset, Marked: article.Mark(e.Title, phrases)}
		if item.Contents = article.Excerpt(titles, phrases, excerptLength); item.Contents == nil {
			item.Contents = []article.Segment{{Text: titles}}
		}
		out = append(out, item)
	}
	return out, nil
}

// formerEdition redirects the address that the page of an edition had in earlier versions.
func (p *Pages) formerEdition(w http.ResponseWriter, r *http.Request) error {
	e, err := p.startedEdition(r)
	if err != nil {
		return err
	}
	return p.redirectFormerEdition(w, r, e, nil)
}

// formerEditionPart redirects the addresses that the pages of variants had: by the variant's
// number, or by a token in mails of even earlier versions.
func (p *Pages) formerEditionPart(w http.ResponseWriter, r *http.Request) error {
	number, err := strconv.ParseInt(r.PathValue("part"), 10, 32)
	if err != nil {
		return p.formerPersonalEdition(w, r)
	}
	e, err := p.startedEdition(r)
	if err != nil {
		return err
	}
	v, err := p.store.Variant(r.Context(), e.Seq, int(number))
	if err != nil {
		return err
	}
	return p.redirectFormerEdition(w, r, e, &variantPage{v, int(number)})
}

// formerPersonalEdition redirects the link of a subscriber to the page with the articles of their
// mail.
func (p *Pages) formerPersonalEdition(w http.ResponseWriter, r *http.Request) error {
	claim, err := p.claimOf(r, r.PathValue("part"), token.WebEdition)
	if err != nil {
		return err
	}
	if claim.Edition != r.PathValue("edition") {
		return p.wrongLink(r)
	}
	e, err := p.startedEdition(r)
	if err != nil {
		return err
	}
	v, err := p.variantOf(r.Context(), e, claim)
	if err != nil {
		return err
	}
	return p.redirectFormerEdition(w, r, e, v)
}

// variantOf returns the variant that a subscriber got, or nil if they got none.
func (p *Pages) variantOf(ctx context.Context, e store.Edition, claim token.Claim) (*variantPage, error) {
	sub, err := p.store.SubscriberByToken(ctx, claim.Person)
	if err == nil {
		var v digest.Variant
		var number int
		if number, v, err = p.store.VariantFor(ctx, e.Seq, sub.ID); err == nil {
			return &variantPage{v, number}, nil
		}
	}
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil // erased, or the link of a test mail
	}
	return nil, err
}

// startedEdition returns the edition whose id is in a request's path, if everyone may read it.
func (p *Pages) startedEdition(r *http.Request) (store.Edition, error) {
	e, err := p.store.Edition(r.Context(), r.PathValue("edition"))
	if err == nil && !e.IsPublic(e.Audience) {
		err = store.ErrNotFound
	}
	return e, err
}

// redirectFormerEdition redirects permanently to the page of an edition, or of one of its variants.
func (p *Pages) redirectFormerEdition(w http.ResponseWriter, r *http.Request, e store.Edition, v *variantPage) error {
	shown, err := p.publicEditions(r.Context(), []store.Edition{e})
	if err != nil {
		return err
	}
	path := shown[0].Path
	if v != nil {
		path = shown[0].VariantPath(v.Variant, v.number)
	}
	return redirectEdition(w, r, path)
}
