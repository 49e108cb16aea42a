package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/google/uuid"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/journal"
	"github.com/tidings-press/tidings/internal/store/sqldb"
)

// ChangeKind is the outcome of PutArticle.
type ChangeKind string

// The outcomes of PutArticle.
const (
	Created   ChangeKind = "created"
	Updated   ChangeKind = "updated"
	Unchanged ChangeKind = "unchanged"
)

// Change is what PutArticle did.
type Change struct {
	Outcome ChangeKind
	ID      string // it never changes after the first import
	Slug    string // the assigned slug, which ends in a number if another article has the requested one
	Removed bool   // the article is, and stays, removed or withdrawn
}

// errUnchanged rolls back a transaction that found nothing to do.
var errUnchanged = errors.New("nothing changed")

// PutArticle stores an imported article. The article with the same ID, or else from the
// same Source, is updated in place when its Hash differs. It keeps its id, the time of
// its first import and, while the import asks for the same slug, its slug; a new slug
// leaves a redirect. An article that was removed or withdrawn stays so while its content
// is the same, and comes back when its content changes.
//
// Redirects without a To lead to the article. Media that exist already are left as they
// are.
func (s *Store) PutArticle(ctx context.Context, a *article.Article, redirects []article.Redirect, media []article.Medium) (Change, error) {
	if a.Source == "" || a.Slug == "" {
		return Change{}, fmt.Errorf("article %q: it has no source or no slug; give it both", a.Title)
	}
	change, same, err := s.unchanged(ctx, a, redirects, media)
	if same || err != nil {
		return change, err
	}
	err = s.write(ctx, func(tx *conn) (err error) {
		change, err = s.putArticle(ctx, tx, a)
		if errors.Is(err, errUnchanged) {
			err = nil
		}
		if err != nil {
			return err
		}
		return s.putAttachments(ctx, tx, change.Slug, redirects, media)
	})
	return change, sqldb.Wrap("put article "+a.Source, err)
}

// PutArticles stores many articles in one transaction, each as PutArticle does. Imports
// of thousands use it.
func (s *Store) PutArticles(ctx context.Context, all []article.Article) ([]Change, error) {
	var changes []Change
	err := s.write(ctx, func(tx *conn) error {
		changes = changes[:0]
		for i := range all {
			change, err := s.putArticle(ctx, tx, &all[i])
			if err != nil && !errors.Is(err, errUnchanged) {
				return sqldb.Wrap("put article "+all[i].Source, err)
			}
			changes = append(changes, change)
		}
		return nil
	})
	return changes, err
}

// storedArticle is the stored state of an article before a put.
type storedArticle struct {
	seq                                   int64
	id, slug, wanted, hash                string
	status                                article.Status
	published, updated, ingested, offered int64
	removed, expires                      int64
	source, guid, content, title          string
	named                                 int64
	asked                                 article.Status
	translation                           string
}

// storedArticle finds an article by its id, if it has one, or else by its source.
func (c *conn) storedArticle(ctx context.Context, a *article.Article) (old storedArticle, found bool, err error) {
	if a.ID != "" {
		if old, found, err = c.storedArticleBy(ctx, "article.storedByID", a.ID); found || err != nil {
			return old, found, err
		}
	}
	return c.storedArticleBy(ctx, "article.storedBySource", a.Source)
}

func (c *conn) storedArticleBy(ctx context.Context, query, key string) (storedArticle, bool, error) {
	var old storedArticle
	found, err := c.One(ctx, query, []any{key}, &old.seq, &old.id, &old.slug, &old.wanted, &old.hash, &old.status,
		&old.published, &old.updated, &old.ingested, &old.offered, &old.removed,
		&old.source, &old.guid, &old.named, &old.content, &old.asked, &old.title, &old.expires, &old.translation)
	return old, found, err
}

// hasIdentity reports whether the stored source and identity are the article's.
func (old storedArticle) hasIdentity(a *article.Article) bool {
	return old.source == a.Source && old.guid == a.GUID && old.named == number(a.Named) && old.content == a.Content && old.asked == a.Status && old.translation == a.Translation
}

// number returns a boolean as the store keeps it.
func number(yes bool) int64 {
	if yes {
		return 1
	}
	return 0
}

// onlyMoved reports whether only the path of the file changed. A new name can give a new
// slug, and so a new hash.
func (old storedArticle) onlyMoved(a *article.Article) bool {
	return old.source != a.Source && old.content != "" && old.content == a.Content && old.title == a.Title && old.asked == a.Status && old.expires == millis(a.Expires)
}

func (old storedArticle) change(outcome ChangeKind) Change {
	return Change{Outcome: outcome, ID: old.id, Slug: old.slug, Removed: isWithdrawn(old.status)}
}

// unchanged reports whether there is nothing to put, without writing: the usual case when
// a folder is imported again.
func (s *Store) unchanged(ctx context.Context, a *article.Article, redirects []article.Redirect, media []article.Medium) (Change, bool, error) {
	old, found, err := s.readers.storedArticle(ctx, a)
	if err != nil || !found || old.hash != a.Hash || !old.hasIdentity(a) {
		return Change{}, false, err
	}
	for _, m := range media {
		var bytes int64
		if has, err := s.readers.One(ctx, "medium.has", []any{m.Name}, &bytes); err != nil || !has {
			return Change{}, false, err
		}
	}
	for _, r := range redirects {
		var slug, target string
		if has, err := s.readers.One(ctx, "redirect.get", []any{plainPath(r.From)}, &slug, &target); err != nil || !has {
			return Change{}, false, err
		}
	}
	return old.change(Unchanged), true, nil
}

// putArticle takes the revision first: the lock of its row makes writers of articles
// wait for each other, so that what is read after it cannot change before the commit.
func (s *Store) putArticle(ctx context.Context, tx *conn, a *article.Article) (Change, error) {
	var revision int64
	old, found, err := tx.storedArticle(ctx, a)
	if err != nil {
		return Change{}, err
	}
	if found && old.same(a) {
		return tx.setIdentity(ctx, a, old)
	}
	if _, err := tx.One(ctx, "revision.raise", nil, &revision); err != nil {
		return Change{}, err
	}
	if old, found, err = tx.storedArticle(ctx, a); err != nil { // again, now under the lock
		return Change{}, err
	}
	if found && old.same(a) {
		return tx.setIdentity(ctx, a, old)
	}
	if found && old.source != a.Source {
		if _, err := tx.Exec(ctx, "article.releaseSource", a.Source, old.id); err != nil {
			return Change{}, err
		}
	}
	row := s.rowOf(a, old, found, revision)
	if row.slug, err = tx.freeSlug(ctx, a.Slug, old); err != nil {
		return Change{}, err
	}
	outcome := Created
	if found {
		outcome = Updated
		err = s.updateArticle(ctx, tx, a, &row, old)
	} else {
		err = tx.insertArticle(ctx, a, &row)
	}
	if err == nil {
		_, err = tx.Exec(ctx, "article.setIdentity", row.seq, a.Source, a.GUID, number(a.Named), a.Content, string(a.Status), a.Translation)
	}
	if err == nil {
		err = tx.touchTranslations(ctx, row.seq, revision, old.translation, a.Translation)
	}
	if err == nil && row.slug != old.slug { // the page exists now, so a redirect from its address would hide it
		_, err = tx.Exec(ctx, "redirect.drop", plainPath(article.PathFor(row.slug)))
	}
	if err == nil {
		err = tx.indexArticle(ctx, a, row, !found)
	}
	if err == nil {
		err = tx.touchMedia(ctx, a.HTML, jsonText(a.Image, false), jsonText(a.Authors, false), jsonText(a.Enclosure, false))
	}
	return Change{Outcome: outcome, ID: row.id, Slug: row.slug, Removed: isWithdrawn(row.status)}, err
}

// same reports whether readers would see no difference. A removed article stays removed
// when only its file was moved.
func (old storedArticle) same(a *article.Article) bool {
	return old.hash == a.Hash || isWithdrawn(old.status) && old.onlyMoved(a)
}

// setIdentity stores the source and identity of an article whose content is unchanged.
func (c *conn) setIdentity(ctx context.Context, a *article.Article, old storedArticle) (Change, error) {
	change := old.change(Unchanged)
	if old.hasIdentity(a) {
		return change, errUnchanged
	}
	if _, err := c.Exec(ctx, "article.releaseSource", a.Source, old.id); err != nil {
		return change, err
	}
	if old.translation != a.Translation { // pages and feeds link to translations
		var revision int64
		if _, err := c.One(ctx, "revision.raise", nil, &revision); err != nil {
			return change, err
		}
		if err := c.touchTranslations(ctx, 0, revision, old.translation, a.Translation); err != nil {
			return change, err
		}
	}
	_, err := c.Exec(ctx, "article.setIdentity", old.seq, a.Source, a.GUID, number(a.Named), a.Content, string(a.Status), a.Translation)
	return change, err
}

// articleRow holds the columns that the store determines for an article.
type articleRow struct {
	seq, revision                                  int64
	id, slug                                       string
	status, former                                 article.Status
	published, updated, ingested, offered, appears int64
	removed, expires                               int64
}

// rowOf determines the times of an article. It appears when it is offered or when its
// date comes, whichever is later; an edit that keeps the date never moves it. A draft or
// an unlisted article is offered when it stops being one.
func (s *Store) rowOf(a *article.Article, old storedArticle, found bool, revision int64) articleRow {
	now := millis(s.Now())
	row := articleRow{seq: old.seq, revision: revision, id: old.id, published: millis(a.Published),
		updated: millis(a.Updated), ingested: old.ingested, offered: old.offered, expires: millis(a.Expires)}
	row.status, row.former, row.removed = visibilityOf(a, old, now)
	if a.Published.IsZero() {
		row.published = now
	}
	switch {
	case !found:
		row.ingested, row.offered = now, now
		if row.id = a.ID; row.id == "" {
			row.id = uuid.NewString()
		}
	case hiddenFromFeeds(old.status):
		row.offered = now
	}
	if found && row.updated <= old.updated {
		row.updated = now // the content changed, even if the file has the old date
	}
	// A change in the future would hide later changes from feed readers.
	row.updated = min(max(row.updated, min(row.published, now)), max(row.published, now))
	row.appears = max(row.offered, row.published)
	return row
}

// visibilityOf returns the status with which an article is stored. One that its author
// withdrew or that has expired is removed if readers saw it: its page answers 410.
func visibilityOf(a *article.Article, old storedArticle, now int64) (status, former article.Status, removed int64) {
	expired := !a.Expires.IsZero() && millis(a.Expires) <= now
	switch {
	case a.Status == article.Draft:
		return article.Draft, "", 0
	case !expired && (a.Status == article.Unlisted || a.Status == article.Published):
		return a.Status, "", 0
	case old.status == article.Removed:
		return article.Removed, "", old.removed
	case old.status == article.Published && max(old.offered, old.published) <= now:
		return article.Removed, "", now
	}
	if former = a.Status; former != article.Published && former != article.Unlisted {
		former = article.Draft
	}
	return article.Withdrawn, former, now
}

// freeSlug returns the slug for an article: its current one if the import asks for the same
// slug as before, else one that no other article has or had.
func (c *conn) freeSlug(ctx context.Context, wanted string, old storedArticle) (string, error) {
	if old.wanted == wanted {
		return old.slug, nil
	}
	slug := wanted
	for n := 2; ; n++ {
		var taken int64
		if _, err := c.One(ctx, "article.slugTaken", []any{slug, old.seq, plainPath(article.PathFor(slug))}, &taken); err != nil || taken == 0 {
			return slug, err
		}
		slug = wanted + "-" + strconv.Itoa(n)
		if n > 50 { // a source of many untitled articles; do not try all their numbers
			slug = wanted + "-" + uuid.NewString()[:8]
		}
	}
}

func (c *conn) insertArticle(ctx context.Context, a *article.Article, row *articleRow) error {
	if a.ID == "" {
		var err error
		if row.id, err = c.articleID(ctx, a.Source, row.id); err != nil {
			return err
		}
	}
	c.record(journal.ArticleStored(row.id, sourceHash(a.Source)))
	if _, err := c.One(ctx, "article.insert", row.values(a), &row.seq); err != nil {
		return err
	}
	_, err := c.Exec(ctx, "quarantine.inGap", row.id, row.published)
	return err
}

// values returns the parameters of article.insert.
func (row *articleRow) values(a *article.Article) []any {
	return append([]any{a.Slug, row.offered, row.appears, row.revision, string(row.former)}, articleValues(a, row)...)
}

func (s *Store) updateArticle(ctx context.Context, tx *conn, a *article.Article, row *articleRow, old storedArticle) error {
	if row.slug != old.slug {
		oldPath := plainPath(article.PathFor(old.slug))
		if _, err := tx.Exec(ctx, "redirect.put", oldPath, row.seq, "", millis(s.Now())); err != nil {
			return err
		}
	}
	if err := s.recordDeparture(ctx, tx, row, old); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, "article.update", append(row.values(a), row.seq)...)
	if err != nil || hiddenFromFeeds(old.status) && hiddenFromFeeds(row.status) {
		return err
	}
	return s.noteRemoval(ctx, tx)
}
