package admin

import (
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store"
)

// onPage is how many rows a list shows at once.
const onPage = 50

// articlesPage lists articles.
type articlesPage struct {
	Match    string // filter, as the editor wrote it
	Wrong    string // what is wrong with it
	Articles []store.StoredArticle
	Older    string // address of the next page; empty on the last
	Now      time.Time
}

func (h *Handler) articles(w http.ResponseWriter, r *http.Request, session store.Session) error {
	body := articlesPage{Match: truncate(r.URL.Query().Get("match"), 500), Now: h.store.Now()}
	filter, err := article.ParseFilter(body.Match)
	if err != nil {
		body.Wrong = err.Error()
	}
	q := store.Query{
		Filter: filter, Order: store.ByDate, Limit: onPage + 1,
		Statuses: []article.Status{article.Published, article.Unlisted, article.Draft, article.Removed, article.Withdrawn},
	}
	if before := r.URL.Query().Get("before"); before != "" {
		if _, err := fmt.Sscanf(before, "%d.%d", &q.Before.At, &q.Before.Seq); err != nil {
			return store.ErrNotFound
		}
	}
	if body.Wrong == "" {
		if body.Articles, err = h.store.Articles(r.Context(), q); err != nil {
			return err
		}
	}
	if len(body.Articles) > onPage {
		body.Articles = body.Articles[:onPage]
		last := body.Articles[onPage-1].Position
		body.Older = "/admin/articles?" + url.Values{"match": {body.Match}, "before": {fmt.Sprintf("%d.%d", last.At, last.Seq)}}.Encode()
	}
	return h.show(w, http.StatusOK, "article_list", page{Title: "Articles", Nav: "articles", Editor: &session.Editor, Notice: notice(r), Body: body})
}

func (h *Handler) removeArticle(w http.ResponseWriter, r *http.Request, session store.Session) error {
	if err := h.store.RemoveArticle(r.Context(), r.PathValue("id")); err != nil {
		return err
	}
	h.log.Info("article removed", "article", r.PathValue("id"), "editor", session.Editor.ID)
	// An edition under way still holds it: its page says so and offers to hold the edition.
	held, err := h.store.EditionsUnderWay(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	if len(held) > 0 {
		return redirectWithNotice(w, r, "/admin/editions/"+held[0], "held")
	}
	return redirectWithNotice(w, r, "/admin/articles", "removed")
}

func (h *Handler) restoreArticle(w http.ResponseWriter, r *http.Request, session store.Session) error {
	if err := h.store.RestoreArticle(r.Context(), r.PathValue("id")); err != nil {
		return err
	}
	h.log.Info("article restored", "article", r.PathValue("id"), "editor", session.Editor.ID)
	return redirectWithNotice(w, r, "/admin/articles", "restored")
}
