package public

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/cpulimit"
	"github.com/tidings-press/tidings/internal/store"
)

// feedPage is the data of the page that shows a feed in a browser.
type feedPage struct {
	Name    string
	Address string
	Feeds   []feedLink
	Home    string
	Private bool
	Items   []feedPageItem
}

// feedPageItem is an entry of a feed.
type feedPageItem struct {
	Title, Path, Summary, Language, Direction string
	Date                                      time.Time
}

// FeedPage answers browsers that open a feed with a page: browsers show feeds as raw text, and
// their support for XSLT is being removed.
func (p *Pages) FeedPage(w http.ResponseWriter, r *http.Request, d feed.Definition) {
	r = p.withLayout(r)
	w.Header().Set("Content-Security-Policy", policy)
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("Vary", "Sec-Fetch-Mode, Sec-Fetch-Dest, Accept, Accept-Encoding")
	err := p.cpuLimiter.Render(r.Context(), cpulimit.Cacheable, func() {
		if err := p.showFeedPage(w, r, d); err != nil {
			p.fail(w, r, err)
		}
	})
	if err != nil {
		p.fail(w, r, err)
	}
}

func (p *Pages) showFeedPage(w http.ResponseWriter, r *http.Request, d feed.Definition) (err error) {
	body := feedPage{
		Name: cmp.Or(p.feedTitle(r.Context(), d), d.Name, p.text(r.Context(), p.config.Site.Title)), Address: p.config.Site.URL + r.URL.RequestURI(),
		Home: cmp.Or(d.Home, "/"), Private: d.Kind == feed.Private,
	}
	if body.Private {
		body.Name = cmp.Or(d.Title, p.text(r.Context(), p.config.Site.Title)) // the name of a private feed is its token
	} else {
		body.Feeds = p.links(body.Name, d)
	}
	if body.Items, err = p.itemsOf(r.Context(), d); err != nil {
		return err
	}
	// Nothing of what people see here may take the place of the feed in a cache.
	return p.show(w, r, http.StatusOK, "feed_page", page{Title: body.Name, NoIndex: true, Script: true, Body: body, Feeds: body.Feeds})
}

// feedTitle returns the title of a feed; that of a digest's feed in the language of the page.
func (p *Pages) feedTitle(ctx context.Context, d feed.Definition) string {
	if at := p.digest(d.Name); d.Kind == feed.ByDigest && at != nil {
		return p.text(ctx, at.Title)
	}
	return d.Title
}

// itemsOf are the newest entries of a feed: its articles, or the editions of a digest.
func (p *Pages) itemsOf(ctx context.Context, d feed.Definition) ([]feedPageItem, error) {
	var out []feedPageItem
	if d.Kind == feed.ByDigest {
		started, err := p.store.StartedEditions(ctx, d.Name, maxNumber, pageSize)
		if err != nil {
			return nil, err
		}
		editions, err := p.publicEditions(ctx, started)
		for _, e := range editions {
			if e.shown() {
				out = append(out, feedPageItem{Title: e.Title, Path: e.Path, Summary: summaryOf(e.Articles), Direction: "auto", Date: e.Started})
			}
		}
		return out, err
	}
	found, err := p.store.Search(ctx, store.Query{Filter: d.Filter, Limit: pageSize, AsOf: p.store.Now(), HTMLBudget: store.WithoutHTML})
	for i := range found.Articles {
		a := &found.Articles[i].Article
		out = append(out, feedPageItem{Title: a.Title, Path: a.Path(), Summary: a.Summary, Language: a.Language, Direction: a.Direction(), Date: a.Published})
	}
	return out, err
}
