package admin

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/article/ingest"
	"github.com/tidings-press/tidings/internal/feedserver"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/words"
)

// Limits of the requests of the article editor, in bytes.
const (
	maxArticleForm = 4 << 20
	maxImageForm   = ingest.MaxMedium + maxArticleForm
)

// LargestBody returns how many bytes the body of a request may have if that is more than usual: forms
// with a long text, and uploads of images and lists.
func LargestBody(r *http.Request) int64 {
	rest, found := strings.CutPrefix(r.URL.Path, "/admin/articles/")
	switch {
	case r.Method == http.MethodPost && r.URL.Path == "/admin/settings/appearance": // with a logo
		return maxImageForm
	case r.Method == http.MethodPost && r.URL.Path == "/admin/subscribers/import":
		return store.MaxUploadBytes + 1<<20 // the page says what is too large
	case r.Method != http.MethodPost || !found:
		return 0
	case strings.HasSuffix(rest, "/images"):
		return maxImageForm
	}
	return maxArticleForm
}

// formTime is how browsers write the value of a field of type datetime-local.
const formTime = "2006-01-02T15:04"

// articleForm is the state of the editor's fields.
type articleForm struct {
	article.Written
	ID   string // empty for a new article
	Base int64  // revision from which the editor started

	// The fields as they are typed.
	TagText, AuthorText, PublishedText, ExpiresText, TranslationText string
}

// formOf returns the fields for what was written.
func (h *Handler) formOf(ctx context.Context, id string, r store.ArticleRevision) articleForm {
	f := articleForm{Written: r.Written, ID: id, Base: r.Number}
	f.TagText, f.AuthorText = strings.Join(r.Written.Tags, ", "), strings.Join(r.Written.Authors, ", ")
	f.PublishedText, f.ExpiresText = h.timeField(r.Written.Published), h.timeField(r.Written.Expires)
	if of := r.Written.TranslationOf; of != "" {
		if a, err := h.store.Article(ctx, of); err == nil {
			f.TranslationText = a.Path()
		}
	}
	return f
}

func (h *Handler) timeField(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(h.zone).Format(formTime)
}

// articleFormOf reads the editor's form. The error says which field cannot be read; the form is
// complete as typed all the same.
func (h *Handler) articleFormOf(r *http.Request) (articleForm, error) {
	f := articleForm{ID: r.PathValue("id"), TagText: r.PostFormValue("tags"), AuthorText: r.PostFormValue("authors"),
		PublishedText: r.PostFormValue("published"), ExpiresText: r.PostFormValue("expires"), TranslationText: r.PostFormValue("translation")}
	if f.ID == newArticle {
		f.ID = ""
	}
	f.Base, _ = strconv.ParseInt(r.PostFormValue("base"), 10, 64) // 0 for a new article
	f.Written = article.Written{
		Title: article.CleanLine(r.PostFormValue("title")), Slug: article.Slugify(r.PostFormValue("slug")), Summary: article.CleanLine(r.PostFormValue("summary")),
		Image: strings.TrimSpace(r.PostFormValue("image")), ImageAlt: article.CleanLine(r.PostFormValue("image_alt")),
		Tags: splitNames(f.TagText), Authors: splitNames(f.AuthorText), Language: strings.TrimSpace(r.PostFormValue("language")),
		Unlisted: r.PostFormValue("unlisted") == "yes", Text: strings.ReplaceAll(r.PostFormValue("text"), "\r\n", "\n"),
	}
	published, dateErr := h.readTime(f.PublishedText)
	expires, expiryErr := h.readTime(f.ExpiresText)
	of, translationErr := h.findTranslation(r.Context(), f.ID, f.TranslationText)
	f.Published, f.Expires, f.TranslationOf = published, expires, of
	return f, cmp.Or(dateErr, expiryErr, translationErr)
}

// newArticle stands for the id of an article that is not stored yet, in the paths of its pages.
const newArticle = "new"

// splitNames returns the names in a list with commas.
func splitNames(text string) []string {
	var out []string
	for _, name := range strings.Split(text, ",") {
		if name = article.CleanLine(name); name != "" {
			out = append(out, name)
		}
	}
	return out
}

// readTime reads the value of a field of type datetime-local, in the site's timezone.
func (h *Handler) readTime(text string) (time.Time, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{formTime, formTime + ":05", "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, text, h.zone); err == nil && t.Year() > 1 && t.Year() < 10000 {
			return t.UTC(), nil
		}
	}
	return time.Time{}, &fieldError{words.T("“{0}” is not a date and time. Write one such as 2026-01-31 08:00.", text)}
}

// fieldError reports a field that cannot be read.
type fieldError struct{ text words.Text }

// Error implements error.
func (e *fieldError) Error() string { return e.text.String() }

// Text is for translations.
func (e *fieldError) Text() words.Text { return e.text }

// findTranslation returns the id of the article that an editor means: by its address, or by words of its
// title if no other article contains them.
func (h *Handler) findTranslation(ctx context.Context, own, text string) (string, error) {
	text = strings.TrimSpace(truncate(text, 500))
	if text == "" {
		return "", nil
	}
	if u, err := url.Parse(text); err == nil && strings.HasPrefix(u.Path, article.PathFor("")) {
		if a, err := h.store.ArticleBySlug(ctx, path.Base(u.Path)); err == nil && a.ID != own {
			return a.ID, nil
		}
	}
	search, err := feedserver.QueryFeed(feed.BySearch, text)
	if err != nil {
		return "", &fieldError{words.T("No article to translate was found for “{0}”. Write its address, or words of its title.", text)}
	}
	found, err := h.store.Search(ctx, store.Query{Filter: search.Filter, Limit: 3, Titles: true, Statuses: []article.Status{article.Published, article.Unlisted, article.Draft}})
	if err != nil {
		return "", err
	}
	id := ""
	for _, a := range found.Articles {
		switch {
		case a.ID == own:
		case strings.EqualFold(a.Title, text):
			return a.ID, nil
		case id == "":
			id = a.ID
		default:
			return "", &fieldError{words.T("Several articles contain “{0}”. Write the address of the one that this article translates.", text)}
		}
	}
	if id == "" {
		return "", &fieldError{words.T("No article to translate was found for “{0}”. Write its address, or words of its title.", text)}
	}
	return id, nil
}
