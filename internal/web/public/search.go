package public

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/connlimit"
	"github.com/tidings-press/tidings/internal/feedserver"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/web/middleware"
)

// searchPage is the data of the page of a search or filter expression. The feed of the same query
// belongs to it.
type searchPage struct {
	searchForm
	Problem string // error in the query
	Asked   bool
	Hits    []hit
	Count   string // of all hits; empty if it is not known
	Newer   string // address of the page before; empty on the first page
	Older   string
	Feeds   []feedLink
}

// hit is an article with the words of the search marked.
type hit struct {
	card
	Marked  []article.Segment // the title
	Excerpt []article.Segment
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
	if r.URL.RawQuery == "" || p.searchLimit.Allow(connlimit.Network32or64(middleware.Client(r.Context()))) {
		return nil
	}
	w.Header().Set("Retry-After", "10")
	return p.tooMany(r)
}

// limitQuestions is limitSearches for a list that can be searched.
func (p *Pages) limitQuestions(w http.ResponseWriter, r *http.Request) error {
	if r.URL.Query().Get("q") == "" {
		return nil
	}
	return p.limitSearches(w, r)
}

// searchHandler returns the handler of the search page. Search engines must not index it.
func (p *Pages) searchHandler(kind feed.Kind) handler {
	return func(w http.ResponseWriter, r *http.Request) error { return p.showSearch(w, r, kind) }
}

func (p *Pages) showSearch(w http.ResponseWriter, r *http.Request, kind feed.Kind) error {
	question := r.URL.Query().Get(feedserver.QueryParameter(kind))
	body := searchPage{searchForm: searchFor(kind, question)}
	v := page{Title: p.layout(r.Context()).Say("Search"), NoIndex: true}
	if kind == feed.BySearch {
		v.Question = question
	}
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
	body.Asked, body.Feeds = true, p.links(d.Name, d)
	var phrases [][]string
	if kind == feed.BySearch {
		phrases = phrasesOf(question)
	}
	if r.URL.Query().Get("before") != "" {
		err = p.listHits(r, &body, d, phrases)
	} else {
		err = p.rankHits(r, &body, d, phrases)
	}
	if err != nil {
		return err
	}
	v.Title, v.Feeds, v.Body = d.Name, body.Feeds, body
	return p.show(w, r, http.StatusOK, "search", v)
}

// phrasesOf returns the phrases of a search: each of its words, as Words divides it.
func phrasesOf(question string) [][]string {
	var out [][]string
	for _, word := range strings.Fields(question) {
		if words := article.Words(word); len(words) > 0 {
			out = append(out, words)
		}
	}
	return out
}

// mostRanked is how many hits are ranked and counted: the newest ones. Older hits follow by date.
const mostRanked = 500

// rankHits fills in a page of the hits, those with the words in the title first, and the newest
// first among equals.
func (p *Pages) rankHits(r *http.Request, body *searchPage, d feed.Definition, phrases [][]string) error {
	number := 1
	if text := r.URL.Query().Get("page"); text != "" {
		var err error
		if number, err = strconv.Atoi(text); err != nil || number < 1 || number > mostRanked/pageSize {
			return store.ErrNotFound
		}
	}
	found, err := p.store.Search(r.Context(), store.Query{Filter: d.Filter, Order: store.ByDate, Limit: mostRanked + 1, AsOf: p.store.Now(), Titles: true})
	if err != nil {
		return err
	}
	all, further := found.Articles, found.Until
	if len(all) > mostRanked {
		all = all[:mostRanked]
		further = all[mostRanked-1].Position
	}
	body.count(p.layout(r.Context()), len(all), !further.IsZero())
	rankByTitle(all, phrases)
	from, to := min((number-1)*pageSize, len(all)), min(number*pageSize, len(all))
	switch {
	case to < len(all):
		body.Older = searchAddress(d, number+1)
	case !further.IsZero():
		body.Older = older(r.URL, further)
	}
	if number > 1 {
		body.Newer = searchAddress(d, number-1)
	}
	var ids []string
	for _, a := range all[from:to] {
		ids = append(ids, a.ID)
	}
	articles, err := p.store.ArticlesByID(r.Context(), ids)
	if err != nil {
		return err
	}
	cards, err := p.cards(r.Context(), articles)
	for _, c := range cards {
		body.Hits = append(body.Hits, newHit(c, phrases))
	}
	return err
}

func (s *searchPage) count(c *layout, n int, more bool) {
	switch {
	case more && n > 0:
		s.Count = c.Say("Articles found: at least {0}", strconv.Itoa(n))
	case n > 0:
		s.Count = c.Say("Articles found: {0}", strconv.Itoa(n))
	}
}

// rankByTitle sorts hits by how many phrases are in their titles, and keeps their order otherwise.
func rankByTitle(all []store.StoredArticle, phrases [][]string) {
	rank := make(map[string]int, len(all))
	for _, a := range all {
		rank[a.ID] = article.CountPhrases(a.Title, phrases)
	}
	slices.SortStableFunc(all, func(a, b store.StoredArticle) int { return cmp.Compare(rank[b.ID], rank[a.ID]) })
}

// searchAddress returns the address of a page of ranked hits.
func searchAddress(d feed.Definition, number int) string {
	if number == 1 {
		return d.Home
	}
	return d.Home + "&page=" + strconv.Itoa(number)
}

// listHits fills in the hits before a date, the newest first.
func (p *Pages) listHits(r *http.Request, body *searchPage, d feed.Definition, phrases [][]string) error {
	cards, next, err := p.list(r.Context(), d.Filter, r.URL)
	body.Newer, body.Older = d.Home, next
	for _, c := range cards {
		body.Hits = append(body.Hits, newHit(c, phrases))
	}
	return err
}

// excerptLength is the length of an excerpt, in bytes.
const excerptLength = 260

// newHit marks the phrases in an article's title and summary, or in an excerpt of its text if the
// summary has none.
func newHit(a card, phrases [][]string) hit {
	h := hit{card: a, Marked: article.Mark(a.Title, phrases)}
	if h.Excerpt = article.Excerpt(a.Summary, phrases, 2*excerptLength); h.Excerpt == nil {
		h.Excerpt = article.Excerpt(article.PlainText(a.HTML), phrases, excerptLength)
	}
	if h.Excerpt == nil && a.Summary != "" {
		h.Excerpt = []article.Segment{{Text: a.Summary}}
	}
	return h
}
