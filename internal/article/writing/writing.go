// Package writing lets editors write articles in the browser. Articles.Save stores a draft,
// Articles.Publish publishes it now or at a later time, and Articles.Open returns what is stored. Each
// change is a revision; a change that starts from an old revision is refused, so that no editor
// overwrites the work of another.
//
// The text goes through the same parser and sanitizer as that of a file (package ingest), and the
// article through the same store.
package writing

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/article/diff"
	"github.com/tidings-press/tidings/internal/article/ingest"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/store"
)

// SourcePrefix begins the source of every article that was written in the browser.
const SourcePrefix = article.BrowserSource

// Articles writes articles of a site.
type Articles struct {
	store *store.Store
	site  string // address
}

// New returns the articles of a store.
func New(s *store.Store, c *config.Config) *Articles { return &Articles{store: s, site: c.Site.URL} }

// Change is what an editor wants to store.
type Change struct {
	ID      string // empty for a new article
	Base    int64  // revision from which the editor started; 0 for a new article
	Author  string // address of the editor
	Written article.Written
}

// Document is an article as the editor page shows it.
type Document struct {
	Article article.Article // as readers see it, or as a draft
	Head    store.ArticleRevision
	Live    int64 // revision that was published last; 0 before the first publication
}

// Pending reports whether readers see an older revision than the newest.
func (d *Document) Pending() bool {
	return d.Article.Status != article.Draft && d.Live < d.Head.Number && d.Head.Kind != store.RevisionUnpublished
}

// ContentError reports what keeps an article from being published. The draft is stored.
type ContentError struct {
	ID      string
	Problem *ingest.Problem
}

// Error returns what is wrong, where, and how to fix it.
func (e *ContentError) Error() string {
	text := e.Problem.What
	if e.Problem.Line > 0 {
		text = fmt.Sprintf("line %d: %s", e.Problem.Line, text)
	}
	if e.Problem.Fix != "" {
		text += "; " + e.Problem.Fix
	}
	return text
}

// ErrNotWritten is returned for an article from another source, such as a file. It is changed there.
var ErrNotWritten = errors.New("this article was not written in the browser; change it at its source")

// Open returns an article that was written in the browser, or ErrNotWritten.
func (w *Articles) Open(ctx context.Context, id string) (Document, error) {
	a, err := w.store.Article(ctx, id)
	if err != nil {
		return Document{}, err
	}
	d := Document{Article: a}
	d.Head, d.Live, err = w.store.ArticleHead(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		err = ErrNotWritten
	}
	return d, err
}

// Save stores what an editor wrote, without publishing it: readers of a published article go on seeing
// its last published revision. automatic marks a save that the editor did not ask for; several in a row
// become one revision. What is not complete yet is stored too. A *store.RevisionConflictError reports
// that another editor saved meanwhile.
func (w *Articles) Save(ctx context.Context, c Change, automatic bool) (store.ArticleRevision, error) {
	if err := w.keepSeconds(ctx, &c); err != nil {
		return store.ArticleRevision{}, err
	}
	n := newRevision(&c, store.RevisionSaved)
	if automatic {
		n.Kind = store.RevisionAutosaved
	}
	var err error
	if n.As, n.Media, err = w.draftOf(ctx, &c, automatic); err != nil {
		return store.ArticleRevision{}, err
	}
	saved, _, err := w.store.SaveRevision(ctx, n)
	return saved, err
}

// keepSeconds keeps a stored date that the change gives only to the minute, as forms do. Otherwise each
// form would change the date of the article.
func (w *Articles) keepSeconds(ctx context.Context, c *Change) error {
	if c.Base == 0 {
		return nil
	}
	old, err := w.store.ArticleRevision(ctx, c.ID, c.Base)
	if errors.Is(err, store.ErrNotFound) { // a conflict, which the store reports
		return nil
	}
	if at := old.Written.Published; at.Truncate(time.Minute).Equal(c.Written.Published) {
		c.Written.Published = at
	}
	if at := old.Written.Expires; at.Truncate(time.Minute).Equal(c.Written.Expires) {
		c.Written.Expires = at
	}
	return err
}

// newRevision returns the revision of a change, and gives a new article its id.
func newRevision(c *Change, kind store.RevisionKind) store.NewRevision {
	if c.ID != "" && c.Base == 0 {
		c.Base = -1 // the change of a stored article without its revision is refused: none has this number
	}
	c.ID = cmp.Or(c.ID, uuid.NewString())
	return store.NewRevision{Article: c.ID, Base: c.Base, Kind: kind, Author: c.Author, Written: c.Written}
}

// draftOf returns the draft to store under an article that readers do not see. It is nil for other
// articles, and for automatic saves that change nothing in lists.
func (w *Articles) draftOf(ctx context.Context, c *Change, automatic bool) (*article.Article, []article.Medium, error) {
	var old article.Article
	if c.Base > 0 {
		var err error
		if old, err = w.store.Article(ctx, c.ID); err != nil {
			return nil, nil, err
		}
		if old.Status != article.Draft {
			return nil, nil, nil
		}
	}
	made, problem := ingest.FromWritten(c.Written, true, cmp.Or(old.Ingested, w.store.Now()), w.options())
	if problem != nil { // the text is not complete; what lists show is kept
		made = ingest.Imported{Article: &article.Article{Title: article.CleanLine(c.Written.Title), Slug: cmp.Or(article.Slugify(c.Written.Title), "draft"), Status: article.Draft}}
		made.Article.Hash = made.Article.ContentHash()
	}
	if automatic && c.Base > 0 && made.Article.Title == old.Title {
		return nil, made.Media, nil
	}
	return made.Article, made.Media, w.identify(ctx, made.Article, c)
}

// Parse returns the article that would be published, without storing it. Written.Published must be set.
func (w *Articles) Parse(written article.Written) (ingest.Imported, *ingest.Problem) {
	return ingest.FromWritten(written, false, w.store.Now(), w.options())
}

// options returns the options of the parser.
func (w *Articles) options() ingest.Options { return ingest.Options{Site: w.site} }

// identify gives an article the id of the change, its source, its picture's size and what it shares with its
// translations.
func (w *Articles) identify(ctx context.Context, a *article.Article, c *Change) error {
	a.ID, a.Source = c.ID, SourcePrefix+c.ID
	a.Translation = "article:" + c.ID
	if of := c.Written.TranslationOf; of != "" && of != c.ID {
		key, err := w.store.TranslationKey(ctx, of)
		switch {
		case errors.Is(err, store.ErrNotFound): // it was chosen from a list, but does not exist any more
		case err != nil:
			return err
		case key != "":
			a.Translation = key
		}
	}
	if err := w.keepSlug(ctx, a, c); err != nil || a.Image == nil {
		return err
	}
	pictures, _, err := w.store.Pictures(ctx, a.MediaNames())
	if picture, stored := pictures.At(a.Image.URL, w.site); stored {
		a.Image.Type, a.Image.Bytes, a.Image.Width, a.Image.Height = picture.Type, picture.Bytes, picture.Width, picture.Height
		a.Hash = a.ContentHash()
	}
	return err
}

// keepSlug keeps the slug of an article that was published before, unless the change gives another one: a
// new title does not change its address.
func (w *Articles) keepSlug(ctx context.Context, a *article.Article, c *Change) error {
	if c.Base <= 0 || c.Written.Slug != "" {
		return nil
	}
	d, err := w.Open(ctx, c.ID)
	if err != nil || d.Live == 0 {
		return err
	}
	a.Slug = d.Article.Slug
	a.Hash = a.ContentHash()
	return nil
}

// Publish stores what an editor wrote and publishes it: at once, or if Written.Published is in the
// future, at that time. The article goes into feeds, pages and digests like one from a file. If it
// cannot be published, it is saved as Save does and a *ContentError is returned.
func (w *Articles) Publish(ctx context.Context, c Change) (store.ArticleRevision, error) {
	if err := w.keepSeconds(ctx, &c); err != nil {
		return store.ArticleRevision{}, err
	}
	now := w.store.Now().UTC().Truncate(time.Millisecond)
	asked := c.Written.Published
	if asked.IsZero() {
		c.Written.Published = now
	}
	made, problem := ingest.FromWritten(c.Written, false, now, w.options())
	if problem == nil && !c.Written.Expires.IsZero() && !c.Written.Expires.After(later(now, c.Written.Published)) {
		problem = &ingest.Problem{What: "the expiry date is not after the date of publication", Fix: "choose a later one, or none"}
	}
	if problem != nil {
		c.Written.Published = asked
		saved, err := w.Save(store.WithoutAudit(ctx), c, false) // it is not published
		if err == nil {
			err = &ContentError{ID: saved.Article, Problem: problem}
		}
		return saved, err
	}
	n := newRevision(&c, store.RevisionPublished)
	n.As, n.Media = made.Article, made.Media
	if c.Base > 0 {
		n.As.Updated = now
		n.As.Hash = n.As.ContentHash()
	}
	if err := w.identify(ctx, n.As, &c); err != nil {
		return store.ArticleRevision{}, err
	}
	saved, change, err := w.store.SaveRevision(ctx, n)
	if err == nil && change.Removed { // the same content as before its removal
		err = w.store.RestoreArticle(ctx, c.ID)
	}
	return saved, err
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Unpublish makes a draft of an article: it leaves pages, feeds and searches, and no edition takes it.
// It keeps its id, so that no digest sends it twice.
func (w *Articles) Unpublish(ctx context.Context, id string, base int64, author string) (store.ArticleRevision, error) {
	d, err := w.Open(ctx, id)
	if err != nil {
		return store.ArticleRevision{}, err
	}
	c := Change{ID: id, Base: base, Author: author, Written: d.Head.Written}
	n := newRevision(&c, store.RevisionUnpublished)
	made, problem := ingest.FromWritten(c.Written, true, d.Article.Published, w.options())
	if problem != nil {
		return store.ArticleRevision{}, &ContentError{ID: id, Problem: problem}
	}
	n.As, n.Media = made.Article, made.Media
	if err := w.identify(ctx, n.As, &c); err != nil {
		return store.ArticleRevision{}, err
	}
	saved, _, err := w.store.SaveRevision(ctx, n)
	return saved, err
}

// RestoreRevision makes an older revision the newest one. It is not published by that.
func (w *Articles) RestoreRevision(ctx context.Context, id string, number, base int64, author string) (store.ArticleRevision, error) {
	old, err := w.store.ArticleRevision(ctx, id, number)
	if err != nil {
		return store.ArticleRevision{}, err
	}
	c := Change{ID: id, Base: base, Author: author, Written: old.Written}
	n := newRevision(&c, store.RevisionRestored)
	if n.As, n.Media, err = w.draftOf(ctx, &c, false); err != nil {
		return store.ArticleRevision{}, err
	}
	saved, _, err := w.store.SaveRevision(ctx, n)
	return saved, err
}

// Upload stores an image and returns it. Its content determines its type. Warnings tell what readers
// will not see. A *ingest.Problem reports data that are not an image, or an image that is too large.
func (w *Articles) Upload(ctx context.Context, name string, data []byte) (article.Medium, []*ingest.Problem, error) {
	m, warnings, problem := ingest.ImageOf(name, data)
	if problem != nil {
		return m, nil, problem
	}
	return m, warnings, w.store.PutMedia(ctx, []article.Medium{m})
}

// Difference is a field that differs between two revisions.
type Difference struct {
	Field string // such as title or text
	Lines []diff.Line
}

// Differences compares what was written, field by field. It returns nothing if there is no difference.
func Differences(before, after article.Written, zone *time.Location) []Difference {
	var out []Difference
	old, new := fieldsOf(before, zone), fieldsOf(after, zone)
	for i, field := range old {
		if lines := diff.Lines(field[1], new[i][1]); lines != nil {
			out = append(out, Difference{field[0], lines})
		}
	}
	return out
}

// fieldsOf returns names and values of what was written, in the order of the page.
func fieldsOf(w article.Written, zone *time.Location) [][2]string {
	date := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.In(zone).Format("2006-01-02 15:04")
	}
	unlisted := ""
	if w.Unlisted {
		unlisted = "yes"
	}
	return [][2]string{
		{"title", w.Title}, {"text", w.Text}, {"summary", w.Summary}, {"slug", w.Slug}, {"image", w.Image}, {"image_alt", w.ImageAlt},
		{"tags", joined(w.Tags)}, {"authors", joined(w.Authors)}, {"language", w.Language}, {"translation_of", w.TranslationOf},
		{"published", date(w.Published)}, {"expires", date(w.Expires)}, {"unlisted", unlisted},
	}
}

// joined returns a list of names, one a line.
func joined(names []string) string {
	var out string
	for _, name := range slices.Compact(slices.Clone(names)) {
		out += name + "\n"
	}
	return out
}
