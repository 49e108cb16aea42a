package public

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/tidings-press/tidings/article"
	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/store"
)

// onPage is how many articles a list shows at once.
const onPage = 20

// frontPage is the first page of the site.
type frontPage struct {
	Articles  []store.Stored
	Older     string // address of the next page; empty on the last
	First     bool   // nothing newer stands before
	Lead      bool   // the first article is shown large
	Digests   []digestView
	Form      subscribeForm
	Tags      []store.Count
	Languages []store.Count
}

func (p *Pages) front(w http.ResponseWriter, r *http.Request) error {
	body := frontPage{First: r.URL.Query().Get("before") == "", Digests: p.digests(nil), Form: p.emptyForm()}
	body.Lead = body.First
	var err error
	if body.Articles, body.Older, err = p.list(r.Context(), article.Filter{}, r.URL); err != nil {
		return err
	}
	if body.Tags, err = p.topTags(r.Context(), 24); err != nil {
		return err
	}
	if body.Languages, err = p.spoken(r.Context()); err != nil {
		return err
	}
	v := page{Description: p.config.Site.Description, Canonical: p.config.Site.URL + "/", Body: body, Feeds: p.allLinks(), NoIndex: !body.First}
	return p.show(w, r, http.StatusOK, "front", v)
}

// allLinks are the feed of everything and the configured ones.
func (p *Pages) allLinks() []feedLink {
	links := p.links(p.config.Site.Title, feed.Definition{Kind: feed.Everything})
	if p.feeds == nil {
		return links
	}
	for _, d := range p.feeds.Definitions() {
		if d.Kind == feed.Named {
			links = append(links, p.links(d.Title, d)[0])
		}
	}
	return links
}

// list is a page of the newest articles, and where the next one is.
func (p *Pages) list(ctx context.Context, filter article.Filter, at *url.URL) ([]store.Stored, string, error) {
	q := store.Query{Filter: filter, Order: store.ByDate, Limit: onPage + 1, AsOf: p.store.Now()}
	if before := at.Query().Get("before"); before != "" {
		if _, err := fmt.Sscanf(before, "%d.%d", &q.Before.At, &q.Before.Seq); err != nil {
			return nil, "", store.ErrNotFound
		}
	}
	found, err := p.store.Articles(ctx, q)
	if err != nil || len(found) <= onPage {
		return found, "", err
	}
	found = found[:onPage]
	last := found[onPage-1].Position
	return found, fmt.Sprintf("%s?before=%d.%d", at.EscapedPath(), last.At, last.Seq), nil
}
