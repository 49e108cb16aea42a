package admin

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/article/writing"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/words"
)

// articleEditPage is the data of the page on which editors write an article.
type articleEditPage struct {
	Form     articleForm
	State    articleState
	Checks   articleChecks
	Error    error // why the last change was not stored or published
	Conflict *articleConflict
	Known    articleSuggestions
}

// Action returns the path to which the form is posted.
func (p articleEditPage) Action() string {
	if p.Form.ID == "" {
		return "/admin/articles/" + newArticle
	}
	return "/admin/articles/" + p.Form.ID
}

// articleConflict is what another editor saved after this one opened the article.
type articleConflict struct {
	Head        store.ArticleRevision
	Differences []writing.Difference // from their version to the one in the form
}

// articleState is what the bar of the editor shows.
type articleState struct {
	Badge   string    // as articleBadge returns it; empty for a new article
	Appears time.Time // of a scheduled article
	Saved   time.Time
	Author  string // who saved it
	Pending bool   // readers see an older version
	Path    string // of the public page
	Public  bool   // readers can open that page
}

// articleBadge returns the state of an article for people: draft, scheduled, published, unlisted, expired
// or removed.
func articleBadge(a *article.Article, now time.Time) string {
	switch status := a.StatusAt(now); {
	case status != article.Withdrawn:
		return string(status)
	case !a.Expires.IsZero() && !a.Expires.After(now):
		return "expired"
	}
	return "removed"
}

// articleSuggestions are what fields offer for completion.
type articleSuggestions struct {
	Tags, Authors []store.LabelCount
	Languages     []string
}

// Most tags and authors that fields offer: the most frequent ones.
const mostSuggestions = 300

func (h *Handler) articleSuggestions(r *http.Request) (s articleSuggestions, err error) {
	if s.Tags, err = h.store.TopTags(r.Context(), mostSuggestions); err == nil {
		s.Authors, err = h.store.TopAuthors(r.Context(), mostSuggestions)
	}
	if err == nil {
		s.Languages, err = h.store.LanguageKeys(r.Context())
	}
	return s, err
}

func (h *Handler) newArticlePage(w http.ResponseWriter, r *http.Request, session store.Session) error {
	form := articleForm{}
	if name := session.Editor.Name; name != "" {
		form.AuthorText, form.Authors = name, []string{name}
	}
	return h.showArticleEditor(w, r, session, http.StatusOK, articleEditPage{Form: form})
}

// articlePage shows the editor, or for an article from another source the page that says where it is
// changed.
func (h *Handler) articlePage(w http.ResponseWriter, r *http.Request, session store.Session) error {
	d, err := h.writing.Open(r.Context(), r.PathValue("id"))
	if errors.Is(err, writing.ErrNotWritten) {
		return h.showReadOnly(w, r, session, d.Article)
	}
	if err != nil {
		return err
	}
	if !session.Editor.Role.Includes(store.WriterRole) {
		return h.showReadOnly(w, r, session, d.Article)
	}
	return h.showArticleEditor(w, r, session, http.StatusOK, articleEditPage{Form: h.formOf(r.Context(), d.Article.ID, d.Head)})
}

// showArticleEditor shows the form as it is, with the stored state of the article.
func (h *Handler) showArticleEditor(w http.ResponseWriter, r *http.Request, session store.Session, status int, body articleEditPage) (err error) {
	var title any = "New article"
	if body.Form.ID != "" {
		d, err := h.writing.Open(r.Context(), body.Form.ID)
		if err != nil {
			return err
		}
		body.State = h.articleStateOf(&d)
		if title = words.Verbatim(body.Form.Title); body.Form.Title == "" {
			title = "Untitled"
		}
	}
	body.Checks = h.checkArticle(body.Form.Written)
	if body.Known, err = h.articleSuggestions(r); err != nil {
		return err
	}
	return h.show(w, status, "article_edit", page{Title: title, Nav: "articles", Editor: &session.Editor, Flash: flash(r), Script: "editor.js", Body: body})
}

func (h *Handler) articleStateOf(d *writing.Document) articleState {
	a := &d.Article
	return articleState{
		Badge: articleBadge(a, h.store.Now()), Appears: a.Published, Saved: d.Head.Saved, Author: d.Head.Author,
		Pending: d.Pending(), Path: a.Path(), Public: a.Readable(h.store.Now()),
	}
}

// changeOf returns the change that a form asks for.
func changeOf(f *articleForm, session store.Session) writing.Change {
	return writing.Change{ID: f.ID, Base: f.Base, Author: session.Editor.Email, Written: f.Written}
}

// saveArticle stores a draft. What cannot be stored is shown again with the reason.
func (h *Handler) saveArticle(w http.ResponseWriter, r *http.Request, session store.Session) error {
	return h.storeArticle(w, r, session, "draft-saved", func(f *articleForm) (store.ArticleRevision, error) {
		return h.writing.Save(h.auditing(r.Context(), session.Editor, "article.save", "article", f.ID, ""), changeOf(f, session), false)
	})
}

// publishArticle stores and publishes an article.
func (h *Handler) publishArticle(w http.ResponseWriter, r *http.Request, session store.Session) error {
	return h.storeArticle(w, r, session, "published", func(f *articleForm) (store.ArticleRevision, error) {
		saved, err := h.writing.Publish(h.auditing(r.Context(), session.Editor, "article.publish", "article", f.ID, ""), changeOf(f, session))
		if err == nil {
			h.log.InfoContext(r.Context(), "article published", "article", saved.Article, "editor", session.Editor.ID)
		}
		return saved, err
	})
}

// storeArticle reads the form, stores it by one of the functions above, and shows the article.
func (h *Handler) storeArticle(w http.ResponseWriter, r *http.Request, session store.Session, done string, put func(*articleForm) (store.ArticleRevision, error)) error {
	form, err := h.articleFormOf(r)
	if err == nil {
		err = h.storeUploads(r, session.Editor, &form)
	}
	if store.OfEngine(err) {
		return err
	}
	if err != nil {
		return h.showArticleEditor(w, r, session, http.StatusUnprocessableEntity, articleEditPage{Form: form, Error: err})
	}
	saved, err := put(&form)
	var conflict *store.RevisionConflictError
	var content *writing.ContentError
	switch {
	case errors.As(err, &conflict):
		body := articleEditPage{Form: form, Conflict: &articleConflict{conflict.Head, writing.Differences(conflict.Head.Written, form.Written, h.zone)}}
		body.Form.Base = conflict.Head.Number
		return h.showArticleEditor(w, r, session, http.StatusConflict, body)
	case errors.As(err, &content):
		form.ID, form.Base = saved.Article, saved.Number
		return h.showArticleEditor(w, r, session, http.StatusUnprocessableEntity, articleEditPage{Form: form, Error: content})
	case err != nil:
		return h.revisionError(err, form.ID)
	}
	if saved.Kind == store.RevisionPublished && saved.Written.Published.After(h.store.Now()) {
		done = "scheduled"
	}
	return redirectWithFlash(w, r, "/admin/articles/"+saved.Article, done)
}

// savedArticle is the answer to an automatic save.
type savedArticle struct {
	ID       string `json:"id,omitempty"`
	Revision int64  `json:"revision,omitempty"`
	State    string `json:"state,omitempty"`  // HTML of the bar's state
	Checks   string `json:"checks,omitempty"` // HTML
	Problem  string `json:"problem,omitempty"`
	Conflict bool   `json:"conflict,omitempty"`
}

// autosaveArticle stores a draft that the page's script saves by itself, and answers with JSON.
func (h *Handler) autosaveArticle(w http.ResponseWriter, r *http.Request, session store.Session) error {
	unchanged(r) // the history of the article has every automatic save, with its author
	form, err := h.articleFormOf(r)
	var saved store.ArticleRevision
	if err == nil {
		saved, err = h.writing.Save(r.Context(), changeOf(&form, session), true)
	}
	var conflict *store.RevisionConflictError
	var field *fieldError
	switch {
	case errors.As(err, &conflict):
		return writeJSON(w, http.StatusConflict, savedArticle{Conflict: true})
	case errors.As(err, &field):
		return writeJSON(w, http.StatusUnprocessableEntity, savedArticle{Problem: h.words(w).Translate(err)})
	case err != nil:
		return err
	}
	d, err := h.writing.Open(r.Context(), saved.Article)
	if err != nil {
		return err
	}
	answer := savedArticle{ID: saved.Article, Revision: saved.Number}
	for part, into := range map[string]*string{"article-state": &answer.State, "article-checks": &answer.Checks} {
		var data any = h.articleStateOf(&d)
		if part == "article-checks" {
			data = h.checkArticle(form.Written)
		}
		html, err := h.part(w, part, data)
		if err != nil {
			return err
		}
		*into = string(bytes.TrimSpace(html))
	}
	return writeJSON(w, http.StatusOK, answer)
}

// writeJSON answers a request of a script.
func writeJSON(w http.ResponseWriter, status int, answer any) error {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	return json.NewEncoder(w).Encode(answer)
}

// unpublishArticle makes a draft of an article.
func (h *Handler) unpublishArticle(w http.ResponseWriter, r *http.Request, session store.Session) error {
	form, _ := h.articleFormOf(r) // only the revision matters
	ctx := h.auditing(r.Context(), session.Editor, "article.unpublish", "article", r.PathValue("id"), "")
	saved, err := h.writing.Unpublish(ctx, r.PathValue("id"), form.Base, session.Editor.Email)
	if err != nil {
		return h.revisionError(err, r.PathValue("id"))
	}
	h.log.InfoContext(r.Context(), "article unpublished", "article", saved.Article, "editor", session.Editor.ID)
	return redirectWithFlash(w, r, "/admin/articles/"+saved.Article, "unpublished")
}

// revisionError returns the page for a change that another editor came before.
func (h *Handler) revisionError(err error, id string) error {
	var found *store.RevisionConflictError
	var content *writing.ContentError
	if errors.As(err, &found) || errors.As(err, &content) || errors.Is(err, writing.ErrNotWritten) {
		return conflict("Nothing was changed", err, "/admin/articles/"+id)
	}
	return err
}

// importedArticlePage is the data of the page of an article that the editor cannot change here: it comes
// from another source, or the editor's role does not permit it.
type importedArticlePage struct {
	*article.Article
	Badge   string
	File    string // from which it was imported; empty for other sources
	Written bool   // in the browser; the editor may not change it
	Public  bool
}

func (h *Handler) showReadOnly(w http.ResponseWriter, r *http.Request, session store.Session, a article.Article) error {
	body := importedArticlePage{Article: &a, Written: strings.HasPrefix(a.Source, writing.SourcePrefix), Badge: articleBadge(&a, h.store.Now()), Public: a.Readable(h.store.Now())}
	if strings.HasPrefix(a.Source, "/") || len(a.Source) > 2 && a.Source[1] == ':' {
		body.File = a.Source
	}
	return h.show(w, http.StatusOK, "article_imported", page{Title: words.Verbatim(a.Title), Nav: "articles", Editor: &session.Editor, Flash: flash(r), Body: body})
}
