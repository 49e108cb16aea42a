package public

import (
	"net/http"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/feedserver"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/web/middleware"
)

// searchPage is the articles of a search, or of topics joined to an expression: the
// page that belongs to the feed of the same question.
type searchPage struct {
	searchForm
	Problem  string // what is wrong with the question
	Asked    bool
	Articles []store.StoredArticle
	Older    string
	Newest   string // address of the first page; empty on it
	Lead     bool   // never: all are shown alike
	Feeds    []feedLink
}

// searchForm is where people ask.
type searchForm struct {
	Action, Field, Question string
	Expression              bool
}

func searchFor(kind feed.Kind, question string) searchForm {
	return searchForm{Action: "/" + string(kind), Field: feedserver.QueryParameter(kind), Question: question, Expression: kind == feed.ByMatch}
}

// limitSearches bounds how many searches one network may have made: each costs more than
// other pages do.
func (p *Pages) limitSearches(w http.ResponseWriter, r *http.Request) error {
	if r.URL.RawQuery == "" || p.searches.Allow(middleware.NarrowNetwork(middleware.Client(r.Context()))) {
		return nil
	}
	w.Header().Set("Retry-After", "10")
	return p.tooMany(r)
}

// found makes the page that shows what a question finds. No search engine should keep it.
func (p *Pages) found(kind feed.Kind) handler {
	return func(w http.ResponseWriter, r *http.Request) error { return p.showFound(w, r, kind) }
}

func (p *Pages) showFound(w http.ResponseWriter, r *http.Request, kind feed.Kind) error {
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
