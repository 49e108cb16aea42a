package public

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store"
)

// pageSize is the number of articles on a page of a list.
const pageSize = 20

// homePage is the data of the front page.
type homePage struct {
	Articles  []card
	Older     string // address of the next page; empty on the last
	First     bool   // this is the first page
	Lead      bool   // the first article is shown large
	Digests   []digestView
	Form      subscribeForm
	Tags      []store.LabelCount
	Languages []store.LabelCount
}

func (p *Pages) home(w http.ResponseWriter, r *http.Request) error {
	body := homePage{First: r.URL.Query().Get("before") == "", Digests: p.digests(r.Context(), nil), Form: p.emptyForm(r.Context())}
	body.Lead = body.First
	var err error
	if body.Articles, body.Older, err = p.list(r.Context(), article.Filter{}, r.URL); err != nil {
		return err
	}
	if body.Tags, err = p.store.TopTags(r.Context(), 24); err != nil {
		return err
	}
	if body.Languages, err = p.articleLanguages(r.Context()); err != nil {
		return err
	}
	v := page{Description: p.text(r.Context(), p.config.Site.Description), Canonical: p.config.Site.URL + canonicalPath(r, "/"), Body: body, Feeds: p.allLinks(r.Context()), NoIndex: !body.First}
	return p.show(w, r, http.StatusOK, "home", v)
}

// allLinks returns links to the feed of everything and to the configured feeds.
func (p *Pages) allLinks(ctx context.Context) []feedLink {
	site := p.text(ctx, p.config.Site.Title)
	links := p.links(site, feed.Definition{Kind: feed.Everything})
	if p.feeds == nil {
		return links
	}
	for _, d := range p.feeds.Definitions() {
		if d.Kind == feed.Named {
			title := cmp.Or(d.Title, site+": "+d.Name)  // the site's title alone is that of the feed of everything
			links = append(links, p.links(title, d)[1]) // Atom
		}
	}
	return links
}

// list returns a page of the newest articles and the address of the next page. If few articles
// match the filter, the page may be short or empty although there is a next one.
func (p *Pages) list(ctx context.Context, filter article.Filter, at *url.URL) ([]card, string, error) {
	q := store.Query{Filter: filter, Order: store.ByDate, Limit: pageSize + 1, AsOf: p.store.Now(), HTMLBudget: store.WithoutHTML}
	if before := at.Query().Get("before"); before != "" {
		var err error
		if q.Before.At, q.Before.Seq, err = parsePosition(before); err != nil {
			return nil, "", store.ErrNotFound
		}
	}
	found, err := p.store.Search(ctx, q)
	if err != nil {
		return nil, "", err
	}
	next := found.Until
	if len(found.Articles) > pageSize {
		found.Articles = found.Articles[:pageSize]
		next = found.Articles[pageSize-1].Position
	}
	articles := make([]article.Article, len(found.Articles))
	for i := range found.Articles {
		articles[i] = found.Articles[i].Article
	}
	cards, err := p.cards(ctx, articles)
	if err != nil || next.IsZero() {
		return cards, "", err
	}
	return cards, older(at, next), nil
}

// parsePosition reads a position as older writes it, and nothing else: each address of a page would be
// rendered and cached by itself.
func parsePosition(text string) (at, seq int64, err error) {
	first, second, _ := strings.Cut(text, ".")
	at, err = strconv.ParseInt(first, 10, 64)
	if err == nil {
		seq, err = strconv.ParseInt(second, 10, 64)
	}
	if err == nil && fmt.Sprintf("%d.%d", at, seq) != text {
		err = strconv.ErrSyntax
	}
	return at, seq, err
}

// older returns the address of the page below a position.
func older(at *url.URL, from store.Position) string {
	query := url.Values{"before": {fmt.Sprintf("%d.%d", from.At, from.Seq)}}
	for _, kept := range []string{"q", "match"} {
		if question := at.Query().Get(kept); question != "" {
			query.Set(kept, question)
		}
	}
	return at.EscapedPath() + "?" + query.Encode()
}
