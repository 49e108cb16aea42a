package admin

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/tidings-press/tidings/internal/article/writing"
	"github.com/tidings-press/tidings/internal/store"
)

// articleHistoryPage is the data of the page with the revisions of an article.
type articleHistoryPage struct {
	ID          string
	Title       string
	Head, Live  int64
	Revisions   []store.ArticleRevision
	Older       string // address of the next page; empty on the last
	Shown       *store.ArticleRevision
	Before      *store.ArticleRevision // with which Shown is compared; nil for the first
	Differences []writing.Difference
}

// articleHistory lists the revisions of an article and shows what one of them changed.
func (h *Handler) articleHistory(w http.ResponseWriter, r *http.Request, session store.Session) error {
	d, err := h.writing.Open(r.Context(), r.PathValue("id"))
	if err != nil {
		return h.revisionError(err, r.PathValue("id"))
	}
	query := r.URL.Query()
	below, _ := strconv.ParseInt(query.Get("before"), 10, 64) // 0 is the first page
	body := articleHistoryPage{ID: d.Article.ID, Title: d.Head.Written.Title, Head: d.Head.Number, Live: d.Live}
	if body.Revisions, err = h.store.ArticleRevisions(r.Context(), body.ID, below, pageSize+1); err != nil {
		return err
	}
	if len(body.Revisions) > pageSize {
		body.Revisions = body.Revisions[:pageSize]
		body.Older = "?" + url.Values{"before": {strconv.FormatInt(body.Revisions[pageSize-1].Number, 10)}}.Encode()
	}
	if err := h.compareRevisions(r, &body); err != nil {
		return err
	}
	return h.show(w, http.StatusOK, "article_history", page{Title: "History", Nav: "articles", Editor: &session.Editor, Flash: flash(r), Body: body})
}

// compareRevisions compares the requested revision, or the newest one, with the one before it or with
// the one in the query.
func (h *Handler) compareRevisions(r *http.Request, body *articleHistoryPage) error {
	number := body.Head
	if text := r.URL.Query().Get("show"); text != "" {
		number, _ = strconv.ParseInt(text, 10, 64)
	}
	shown, err := h.store.ArticleRevision(r.Context(), body.ID, number)
	if err != nil {
		return err
	}
	body.Shown = &shown
	with, _ := strconv.ParseInt(r.URL.Query().Get("with"), 10, 64)
	if with == 0 {
		earlier, err := h.store.ArticleRevisions(r.Context(), body.ID, number, 1)
		if err != nil {
			return err
		}
		if len(earlier) > 0 {
			with = earlier[0].Number
		}
	}
	before := store.ArticleRevision{}
	if with > 0 {
		if before, err = h.store.ArticleRevision(r.Context(), body.ID, with); err != nil {
			return err
		}
		body.Before = &before
	}
	body.Differences = writing.Differences(before.Written, shown.Written, h.zone)
	return nil
}

// restoreRevision makes an older revision the newest one.
func (h *Handler) restoreRevision(w http.ResponseWriter, r *http.Request, session store.Session) error {
	id := r.PathValue("id")
	number, _ := strconv.ParseInt(r.PostFormValue("revision"), 10, 64)
	base, _ := strconv.ParseInt(r.PostFormValue("base"), 10, 64)
	ctx := h.auditing(r.Context(), session.Editor, "article.restore-revision", "article", id, fmt.Sprintf("from revision %d", number))
	if _, err := h.writing.RestoreRevision(ctx, id, number, base, session.Editor.Email); err != nil {
		return h.revisionError(err, id)
	}
	h.log.InfoContext(r.Context(), "revision restored", "article", id, "revision", number, "editor", session.Editor.ID)
	return redirectWithFlash(w, r, "/admin/articles/"+id, "older-version")
}
