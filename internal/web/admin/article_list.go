package admin

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/feedserver"
	"github.com/tidings-press/tidings/internal/store"
)

// pageSize is the number of rows on a page of a list.
const pageSize = 50

// articleListPage is the data of the list of articles.
type articleListPage struct {
	articleSearch
	Problem  error // in the search or the filter
	Articles []articleRow
	Older    string // address of the next page; empty on the last
	Removed  string // id of the article that was just removed
	Known    articleSuggestions
	Sources  []string
}

// articleRow is an article in the list.
type articleRow struct {
	store.StoredArticle
	Badge  string // as articleBadge returns it
	Public bool
}

// articleSearch is what the fields above the list ask for; empty fields ask for nothing.
type articleSearch struct {
	Words    string // of title and text
	State    string // one of articleStates
	Tag      string
	Author   string
	Language string
	Source   string // as article.SourceKey returns it
	Match    string // filter expression
}

// articleStates are the states that the list can be restricted to. Removed includes expired articles.
var articleStates = []string{"draft", "scheduled", "published", "unlisted", "removed"}

// States returns the states to choose from.
func (s articleSearch) States() []string { return articleStates }

// Any reports whether the list is restricted.
func (s articleSearch) Any() bool { return s != (articleSearch{}) }

// Narrowed counts the fields that are not always visible and restrict the list.
func (s articleSearch) Narrowed() (n int) {
	for _, field := range []string{s.Tag, s.Author, s.Language, s.Source, s.Match} {
		if field != "" {
			n++
		}
	}
	return n
}

func readArticleSearch(query url.Values) articleSearch {
	get := func(key string) string { return strings.TrimSpace(truncate(query.Get(key), 500)) }
	return articleSearch{Words: get("q"), State: get("state"), Tag: get("tag"), Author: get("author"), Language: get("language"), Source: get("source"), Match: get("match")}
}

// values returns the search as the query of an address.
func (s articleSearch) values() url.Values {
	v := url.Values{}
	for key, value := range map[string]string{"q": s.Words, "state": s.State, "tag": s.Tag, "author": s.Author, "language": s.Language, "source": s.Source, "match": s.Match} {
		if value != "" {
			v.Set(key, value)
		}
	}
	return v
}

// query returns the query for the store.
func (s articleSearch) query(now time.Time) (store.Query, error) {
	q := store.Query{Order: store.ByDate, HTMLBudget: store.WithoutHTML}
	switch s.State {
	case "draft":
		q.Statuses = []article.Status{article.Draft}
	case "scheduled":
		q.Statuses, q.NotBefore = []article.Status{article.Published, article.Unlisted}, now
	case "published":
		q.Statuses, q.AsOf = []article.Status{article.Published}, now
	case "unlisted":
		q.Statuses, q.AsOf = []article.Status{article.Unlisted}, now
	case "removed":
		q.Statuses = []article.Status{article.Removed, article.Withdrawn}
	default:
		q.Statuses = []article.Status{article.Published, article.Unlisted, article.Draft, article.Removed, article.Withdrawn}
	}
	var err error
	q.Filter, err = articleFilter(s.Words, s.Match)
	if key := article.TagKey(s.Tag); key != "" {
		q.Filter = q.Filter.And(article.Filter{Expr: article.Tag{Key: key}})
	}
	if key := article.AuthorKey(s.Author); key != "" {
		q.Filter = q.Filter.And(article.Filter{Expr: article.By{Key: key}})
	}
	if s.Language != "" {
		q.Filter = q.Filter.And(article.Filter{Expr: article.Language{Tag: strings.ToLower(s.Language)}})
	}
	if s.Source != "" {
		q.Filter = q.Filter.And(article.Filter{Expr: article.From{Key: s.Source}})
	}
	return q, err
}

// mostSources bounds the sources that the list offers: those of most articles.
const mostSources = 200

// articleSources returns the sources to choose from, the chosen one included.
func (h *Handler) articleSources(ctx context.Context, chosen string) ([]string, error) {
	found, err := h.store.TopSources(ctx, mostSources)
	out := []string{article.FromBrowser, article.FromFiles}
	for _, one := range found {
		out = append(out, one.Key)
	}
	if chosen != "" {
		out = append(out, chosen)
	}
	slices.Sort(out[2:])
	for i := len(out) - 1; i > 0; i-- {
		if slices.Contains(out[:i], out[i]) {
			out = slices.Delete(out, i, i+1)
		}
	}
	return out, err
}

// articles lists the articles that a search finds, the newest first.
func (h *Handler) articles(w http.ResponseWriter, r *http.Request, session store.Session) error {
	now, query := h.store.Now(), r.URL.Query()
	body := articleListPage{articleSearch: readArticleSearch(query), Removed: truncate(query.Get("removed"), 100)}
	search, err := body.query(now)
	if err != nil {
		body.Problem = err
	}
	search.Limit = pageSize + 1
	if before := query.Get("before"); before != "" {
		if _, err := fmt.Sscanf(before, "%d.%d", &search.Before.At, &search.Before.Seq); err != nil {
			return store.ErrNotFound
		}
	}
	if body.Problem == nil {
		found, err := h.store.Articles(r.Context(), search)
		if err != nil {
			return err
		}
		if len(found) > pageSize {
			found = found[:pageSize]
			last, v := found[pageSize-1].Position, body.values()
			v.Set("before", fmt.Sprintf("%d.%d", last.At, last.Seq))
			body.Older = "/admin/articles?" + v.Encode()
		}
		for _, a := range found {
			body.Articles = append(body.Articles, articleRow{a, articleBadge(&a.Article, now), a.Readable(now)})
		}
	}
	if body.Known, err = h.articleSuggestions(r); err != nil {
		return err
	}
	if body.Sources, err = h.articleSources(r.Context(), body.Source); err != nil {
		return err
	}
	return h.show(w, http.StatusOK, "article_list", page{Title: "Articles", Nav: "articles", Editor: &session.Editor, Flash: flash(r), Body: body})
}

// articleFilter returns the filter for the words of a search and an expression; either
// may be empty.
func articleFilter(search, match string) (article.Filter, error) {
	filter, err := article.ParseFilter(match)
	if err != nil || search == "" {
		return filter, err
	}
	words, err := feedserver.QueryFeed(feed.BySearch, search)
	return filter.And(words.Filter), err
}

// removeArticle removes an article. If an edition in progress contains it, the response
// redirects to that edition, which can be paused there.
func (h *Handler) removeArticle(w http.ResponseWriter, r *http.Request, session store.Session) error {
	id := r.PathValue("id")
	if err := h.store.RemoveArticle(h.auditing(r.Context(), session.Editor, "article.remove", "article", id, ""), id); err != nil {
		return err
	}
	h.log.InfoContext(r.Context(), "article removed", "article", id, "editor", session.Editor.ID)
	editions, err := h.store.EditionsUnderWay(r.Context(), id)
	if err != nil {
		return err
	}
	if len(editions) > 0 {
		return redirectWithFlash(w, r, "/admin/editions/"+editions[0], "held")
	}
	http.Redirect(w, r, "/admin/articles?"+url.Values{"done": {"removed"}, "removed": {id}}.Encode(), http.StatusSeeOther)
	return nil
}

func (h *Handler) restoreArticle(w http.ResponseWriter, r *http.Request, session store.Session) error {
	ctx := h.auditing(r.Context(), session.Editor, "article.restore", "article", r.PathValue("id"), "")
	if err := h.store.RestoreArticle(ctx, r.PathValue("id")); err != nil {
		return err
	}
	h.log.InfoContext(r.Context(), "article restored", "article", r.PathValue("id"), "editor", session.Editor.ID)
	return redirectWithFlash(w, r, "/admin/articles", "restored")
}
