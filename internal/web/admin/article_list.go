package admin

import (
	"fmt"
	"net/http"
	"net/url"
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
	Search   string // words of title and text
	Match    string // filter expression
	Problem  string // error in the search or filter
	Articles []store.StoredArticle
	Older    string // address of the next page; empty on the last
	Removed  string // id of the article that was just removed
	Now      time.Time
}

// articles lists the articles that contain all words of a search and match a filter.
func (h *Handler) articles(w http.ResponseWriter, r *http.Request, session store.Session) error {
	query := r.URL.Query()
	body := articleListPage{
		Search: strings.TrimSpace(truncate(query.Get("q"), 500)), Match: strings.TrimSpace(truncate(query.Get("match"), 500)),
		Removed: truncate(query.Get("removed"), 100), Now: h.store.Now(),
	}
	search := store.Query{
		Order: store.ByDate, Limit: pageSize + 1,
		Statuses: []article.Status{article.Published, article.Unlisted, article.Draft, article.Removed, article.Withdrawn},
	}
	var err error
	if search.Filter, err = articleFilter(body.Search, body.Match); err != nil {
		body.Problem = err.Error()
	}
	if before := query.Get("before"); before != "" {
		if _, err := fmt.Sscanf(before, "%d.%d", &search.Before.At, &search.Before.Seq); err != nil {
			return store.ErrNotFound
		}
	}
	if body.Problem == "" {
		if body.Articles, err = h.store.Articles(r.Context(), search); err != nil {
			return err
		}
	}
	if len(body.Articles) > pageSize {
		body.Articles = body.Articles[:pageSize]
		last := body.Articles[pageSize-1].Position
		body.Older = "/admin/articles?" + url.Values{"q": {body.Search}, "match": {body.Match}, "before": {fmt.Sprintf("%d.%d", last.At, last.Seq)}}.Encode()
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
	if err := h.store.RemoveArticle(r.Context(), id); err != nil {
		return err
	}
	h.log.Info("article removed", "article", id, "editor", session.Editor.ID)
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
	if err := h.store.RestoreArticle(r.Context(), r.PathValue("id")); err != nil {
		return err
	}
	h.log.Info("article restored", "article", r.PathValue("id"), "editor", session.Editor.ID)
	return redirectWithFlash(w, r, "/admin/articles", "restored")
}
