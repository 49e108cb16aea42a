package delivery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
)

// Composition is a draft while an editor composes it. Engine.Composition reads it, its methods and
// fields change it, and Engine.Compose stores the changes.
type Composition struct {
	Edition          store.Edition // as it is stored
	Revision         string        // identifies what was read; Compose refuses an outdated one
	Layout           digest.Layout
	AutomaticSubject string
	Subject          string // written by an editor; empty for AutomaticSubject
	Edits            digest.Edits
	Articles         []article.Article // those in the draft, in the digest's order
	Withdrawn        []article.Article // those that an approval would leave out
	Excluded         []article.Article // those that editors took out

	by       string
	now      time.Time
	language string // of the headings
}

// Composition reads a draft for an editor. revision is that of an earlier Composition on which the
// editor's change is based: if the draft has changed since, Composition returns a *ChangedError.
// With an empty revision it does not check. It returns a *store.StateError for an edition that is
// not a draft.
func (e *Engine) Composition(ctx context.Context, id, by, revision string) (*Composition, error) {
	edition, err := e.Store.Edition(ctx, id)
	if err != nil {
		return nil, err
	}
	if edition.State != digest.Draft {
		return nil, &store.StateError{Edition: id, Have: edition.State, Want: digest.Draft}
	}
	if edition.IsMessage() {
		return nil, fmt.Errorf("edition %s is a message; change it with \"tidings message edit %s\"", id, id)
	}
	input, err := e.inputOf(ctx, edition)
	if err != nil {
		return nil, err
	}
	c := &Composition{
		Edition: edition, Revision: revisionOf(edition), Layout: input.Layout, Subject: input.Subject, Edits: cloneEdits(edition.Edits),
		Articles: input.Articles, by: by, now: e.Store.Now().UTC().Truncate(time.Millisecond), language: e.mailLanguage(input),
	}
	if revision != "" && revision != c.Revision {
		return nil, e.changedDraft(edition)
	}
	if c.Withdrawn, err = e.withdrawnFrom(ctx, edition, input); err != nil {
		return nil, err
	}
	var out []string
	for _, x := range edition.Edits.Excluded {
		out = append(out, x.Article)
	}
	if c.Excluded, err = e.Store.ArticlesByID(ctx, out); err != nil {
		return nil, err
	}
	input.Subject = ""
	made, err := digest.Compose(input, e.Templates)
	c.AutomaticSubject = made.Subject
	return c, err
}

// mailLanguage returns the language of an edition's mails to subscribers without preferences.
func (e *Engine) mailLanguage(input digest.Input) string {
	for _, tag := range []string{input.Definition.Language, e.Site.Language} {
		if tag != "" {
			return tag
		}
	}
	return "en"
}

// revisionOf returns a hash of all that editors and later ticks can change in a draft.
func revisionOf(e store.Edition) string {
	return hashOf([]any{e.Created.UnixMilli(), e.Subject, e.Articles, e.Edits})[:16]
}

// changedDraft returns the error for a change of a draft that someone else has changed meanwhile.
func (e *Engine) changedDraft(is store.Edition) error {
	difference := "its subject or its articles changed"
	if by := is.Edits.By; by != "" && !is.Edits.At.Before(is.Created) {
		difference = fmt.Sprintf("%s changed it at %s", by, is.Edits.At.UTC().Format("15:04 UTC on 2 January 2006"))
	}
	return &ChangedError{Differences: []string{difference}}
}

// Compose stores what an editor changed in a draft. It returns EditProblems if the changes cannot
// be used, a *ChangedError if the draft has changed since it was read, and a *store.StateError if it
// has been approved meanwhile. In each case nothing is stored.
func (e *Engine) Compose(ctx context.Context, c *Composition) error {
	c.clean()
	if problems := c.problems(); len(problems) > 0 {
		return problems
	}
	next := c.Edition
	c.Edits.By, c.Edits.At = c.by, e.Store.Now().UTC().Truncate(time.Millisecond)
	next.Edits, next.Articles = c.Edits, nil
	all := append(slices.Clone(c.Articles), c.Withdrawn...)
	for _, id := range c.Edition.Articles { // as they were; those that were added go where their date belongs
		if slices.ContainsFunc(all, func(a article.Article) bool { return a.ID == id }) {
			next.Articles = append(next.Articles, id)
		}
	}
	for i := range c.Articles {
		if id := c.Articles[i].ID; !slices.Contains(next.Articles, id) {
			next.Articles = slices.Insert(next.Articles, min(i, len(next.Articles)), id)
		}
	}
	var err error
	if next.Subject, err = e.composedSubject(ctx, c, next); err != nil {
		return err
	}
	err = e.Store.EditDraft(ctx, c.Edition, next)
	switch {
	case errors.Is(err, store.ErrDraftChanged):
		is, readErr := e.Store.Edition(ctx, c.Edition.ID)
		if readErr != nil {
			return readErr
		}
		return e.changedDraft(is)
	case errors.Is(err, store.ErrTaken):
		return EditProblems{{Key: "add", What: "another edition of this digest has taken the article meanwhile", Fix: "leave it out"}}
	case err != nil:
		return err
	}
	e.Log.Info("draft edited", "digest", next.Digest, "edition", next.ID, "by", c.by)
	return nil
}

// composedSubject returns the subject of a draft as it is stored. It also checks that the draft can
// be rendered.
func (e *Engine) composedSubject(ctx context.Context, c *Composition, next store.Edition) (string, error) {
	next.Subject = c.Subject
	input, err := e.inputOf(ctx, next)
	if err != nil {
		return "", err
	}
	input.Subject = c.Subject
	if _, err := digest.Render(input, digest.Preferences{}, e.Templates); err != nil {
		return "", &renderError{err}
	}
	if c.Subject != "" {
		return c.Subject, nil
	}
	// As in inputOf, which recognizes the automatic subject, with the withdrawn articles.
	if input.Articles, err = e.Store.ArticlesByID(ctx, next.Articles); err != nil {
		return "", err
	}
	made, err := digest.Compose(input, e.Templates)
	return made.Subject, err
}

// Addable returns the newest published articles that an editor can add to a draft: those that are
// in no edition of its digest.
func (e *Engine) Addable(ctx context.Context, c *Composition, limit int) ([]article.Article, error) {
	found, err := e.Store.Articles(ctx, store.Query{Statuses: []article.Status{article.Published}, AsOf: c.now, Order: store.ByDate, Limit: 4 * limit})
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(found))
	for i := range found {
		ids[i] = found[i].ID
	}
	taken, err := e.Store.EditionsWith(ctx, c.Edition.Digest, ids)
	if err != nil {
		return nil, err
	}
	var out []article.Article
	for i := range found {
		if a := found[i].Article; taken[a.ID] == "" && a.Listed(c.now) && len(out) < limit {
			out = append(out, a)
		}
	}
	return out, nil
}

// Add puts an article into a draft that the digest's filter left out, that did not fit, or that an
// editor excluded before. name is its id, its slug, the address of its page here, or its whole title if no
// other published article has it. The error is EditProblems if it cannot be added.
func (e *Engine) Add(ctx context.Context, c *Composition, name string) error {
	refused := func(what, fix string) error { return EditProblems{{Key: "add", What: what, Fix: fix}} }
	a, err := e.findArticle(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		return refused(fmt.Sprintf("unknown article %q", name), "use an id or a slug, which \"tidings article list\" shows")
	}
	if errors.Is(err, errSeveralArticles) {
		return refused(fmt.Sprintf("several articles have the title “%s”", strings.TrimSpace(name)), "use the id or the slug of one of them, which \"tidings article list\" shows")
	}
	if err != nil {
		return err
	}
	if !a.Listed(c.now) {
		return refused(fmt.Sprintf("“%s” is %s", a.Title, a.StatusAt(c.now)), "publish it first")
	}
	if c.index(a.ID) >= 0 {
		return refused(fmt.Sprintf("“%s” is in this draft already", a.Title), "remove it from the list of articles to add")
	}
	taken, err := e.Store.EditionsWith(ctx, c.Edition.Digest, []string{a.ID})
	if err != nil {
		return err
	}
	if in := taken[a.ID]; in != "" && in != c.Edition.ID {
		return refused(fmt.Sprintf("“%s” is in edition %s of this digest", a.Title, in), "leave it out: an article is in one edition only")
	}
	c.include(a)
	return nil
}

func (e *Engine) findArticle(ctx context.Context, name string) (article.Article, error) {
	name = strings.TrimSpace(name)
	if path, ours := strings.CutPrefix(name, strings.TrimSuffix(e.Site.URL, "/")+"/articles/"); ours {
		name = strings.TrimSuffix(path, "/")
	}
	a, err := e.Store.ArticleBySlug(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		a, err = e.Store.Article(ctx, name)
	}
	if errors.Is(err, store.ErrNotFound) {
		a, err = e.articleByTitle(ctx, name)
	}
	return a, err
}

// errSeveralArticles reports that a title does not name one article.
var errSeveralArticles = errors.New("several articles have this title")

// titleMatches bounds how many articles with the words of a title are compared with it.
const titleMatches = 500

// articleByTitle returns the only published article with a title, in upper or lower case. It returns
// store.ErrNotFound if there is none, and errSeveralArticles if there are more.
func (e *Engine) articleByTitle(ctx context.Context, title string) (article.Article, error) {
	var words article.Filter // the index finds the articles that have them all
	for _, word := range article.Words(title) {
		words = words.And(article.Filter{Expr: article.Word{Text: word}})
	}
	if words.Expr == nil {
		return article.Article{}, store.ErrNotFound
	}
	found, err := e.Store.Articles(ctx, store.Query{Filter: words, Titles: true, Order: store.ByDate, AsOf: e.Store.Now(), Limit: titleMatches})
	if err != nil {
		return article.Article{}, err
	}
	same := slices.DeleteFunc(found, func(a store.StoredArticle) bool { return !strings.EqualFold(a.Title, title) })
	switch len(same) {
	case 0:
		return article.Article{}, store.ErrNotFound
	case 1:
		return e.Store.Article(ctx, same[0].ID)
	}
	return article.Article{}, errSeveralArticles
}
