package public

import (
	"net/http"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/feed/serve"
	"github.com/tidings-press/tidings/store"
	"github.com/tidings-press/tidings/web/guard"
)

// searchPage is the articles of a search, or of topics joined to an expression: the
// page that belongs to the feed of the same question.
type searchPage struct {
	searchForm
	Problem  string // what is wrong with the question
	Asked    bool
	Articles []store.Stored
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
	return searchForm{Action: "/" + string(kind), Field: serve.QuestionKey(kind), Question: question, Expression: kind == feed.ByMatch}
}

func (p *Pages) search(w http.ResponseWriter, r *http.Request) error {
	return p.found(w, r, feed.BySearch)
}
func (p *Pages) filter(w http.ResponseWriter, r *http.Request) error {
	return p.found(w, r, feed.ByMatch)
}

// found shows what a question finds. No search engine should keep such a page, and
// each costs more than others, so nobody gets many at once.
func (p *Pages) found(w http.ResponseWriter, r *http.Request, kind feed.Kind) error {
	question := r.URL.Query().Get(serve.QuestionKey(kind))
	body := searchPage{searchForm: searchFor(kind, question)}
	v := page{Title: p.words.say("Search"), NoIndex: true}
	if question == "" {
		v.Body = body
		return p.show(w, r, http.StatusOK, "search", v)
	}
	d, err := serve.Asked(kind, question)
	if err != nil {
		body.Problem = err.Error()
		v.Body = body
		return p.show(w, r, http.StatusUnprocessableEntity, "search", v)
	}
	if !p.searches.Allow(guard.Neighbour(guard.Client(r.Context()))) {
		w.Header().Set("Retry-After", "10")
		return p.tooMany()
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
