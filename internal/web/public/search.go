package public

import (
	"net/http"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/feedserver"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/web/middleware"
)

// searchPage is the data of the page of a search or filter expression. The feed of the same query
// belongs to it.
type searchPage struct {
	searchForm
	Problem  string // error in the query
	Asked    bool
	Articles []store.StoredArticle
	Older    string
	Newest   string // address of the first page; empty on the first page
	Lead     bool   // always false; the shared template uses it
	Feeds    []feedLink
}

// searchForm is the data of a search form.
type searchForm struct {
	Action, Field, Question string
	Expression              bool
}

func searchFor(kind feed.Kind, question string) searchForm {
	return searchForm{Action: "/" + string(kind), Field: feedserver.QueryParameter(kind), Question: question, Expression: kind == feed.ByMatch}
}

// limitSearches is the rate limit of searches per network, which cost more than other pages.
func (p *Pages) limitSearches(w http.ResponseWriter, r *http.Request) error {
	if r.URL.RawQuery == "" || p.searchLimit.Allow(middleware.NarrowNetwork(middleware.Client(r.Context()))) {
		return nil
	}
	w.Header().Set("Retry-After", "10")
	return p.tooMany(r)
}

// searchHandler returns the handler of the search page. Search engines must not index it.
func (p *Pages) searchHandler(kind feed.Kind) handler {
	return func(w http.ResponseWriter, r *http.Request) error { return p.showSearch(w, r, kind) }
}

func (p *Pages) showSearch(w http.ResponseWriter, r *http.Request, kind feed.Kind) error {
	question := r.URL.Query().Get(feedserver.QueryParameter(kind))
	body := searchPage{searchForm: searchFor(kind, question)}
	v := page{Title: p.in(r.Context()).say("Search"), NoIndex: true}
	if question == "" {
		v.Body = body
		return p.show(w, r, http.StatusOK, "search", v)
	}
	d, err := feedserver.QueryFeed(kind, question)
	if err != nil {
		body.Problem = err.Error()
		v.Body = body
		return p.show(w, r, http.StatusUnprocessableEntity, "search", v)
	}
	body.Asked = true
	if r.URL.Query().Get("before") != "" {
		body.Newest = d.Home
	}
	if body.Articles, body.Older, err = p.list(r.Context(), d.Filter, r.URL); err != nil {
		return err
	}
	body.Feeds = p.links(d.Name, d)
	v.Title, v.Feeds, v.Body = d.Name, body.Feeds, body
	return p.show(w, r, http.StatusOK, "search", v)
}
