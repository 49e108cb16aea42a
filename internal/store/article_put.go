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

// ChangeKind is what a put did.
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
	ID      string // kept for ever from the first import on
	Slug    string // as given out; it has a number when another article has the one asked for
	Removed bool   // the article is removed or withdrawn and stays so
}

// errUnchanged rolls a transaction back that found nothing to do.
var errUnchanged = errors.New("nothing changed")

// PutArticle keeps an article as its import gives it. The article with the same ID, or
// else from the same Source, is updated in place when its Hash differs and keeps its id, its first
// ingestion and, as long as the import asks for the same one, its slug; a new
// slug leaves a redirect. An article that was removed or withdrawn stays so when its
// content is the same, and comes back when it is not.
//
// Redirects without a To lead to the article. Media that are there are kept.
func (s *Store) PutArticle(ctx context.Context, a *article.Article, redirects []article.Redirect, media []article.Medium) (Change, error) {
	if a.Source == "" || a.Slug == "" {
		return Change{}, fmt.Errorf("article %q: it has no source or no slug; right would be both", a.Title)
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
		return s.putCompany(ctx, tx, change.Slug, redirects, media)
	})
	return change, sqldb.Wrap("put article "+a.Source, err)
}

// PutArticles keeps many articles in one transaction, as PutArticle does each:
// for imports of thousands.
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

// known is what the store knows of an article before a put.
type known struct {
	seq                                     int64
	id, slug, wanted, hash                  string
	status                                  article.Status
	published, updated, ingested, offeredAt int64
	removed, expires                        int64
	source, guid, content, title            string
	named                                   int64
	asked                                   article.Status
}

// known finds an article by the id that it was recognised by, else by its source.
func (c *conn) known(ctx context.Context, a *article.Article) (k known, found bool, err error) {
	if a.ID != "" {
		if k, found, err = c.knownBy(ctx, "article.knownByID", a.ID); found || err != nil {
			return k, found, err
		}
	}
	return c.knownBy(ctx, "article.known", a.Source)
}

func (c *conn) knownBy(ctx context.Context, query, key string) (known, bool, error) {
	var k known
	found, err := c.One(ctx, query, []any{key}, &k.seq, &k.id, &k.slug, &k.wanted, &k.hash, &k.status,
		&k.published, &k.updated, &k.ingested, &k.offeredAt, &k.removed,
		&k.source, &k.guid, &k.named, &k.content, &k.asked, &k.title, &k.expires)
	return k, found, err
}

// settled reports whether the store knows where the article's file is, and what it is
// recognised by.
func (k known) settled(a *article.Article) bool {
	return k.source == a.Source && k.guid == a.GUID && k.named == number(a.Named) && k.content == a.Content && k.asked == a.Status
}

func number(yes bool) int64 {
	if yes {
		return 1
	}
	return 0
}

// onlyMoved reports whether nothing but the place of a file has changed. A new name can
// mean a new slug, and so a new hash.
func (k known) onlyMoved(a *article.Article) bool {
	return k.source != a.Source && k.content != "" && k.content == a.Content && k.title == a.Title && k.asked == a.Status && k.expires == millis(a.Expires)
}

func (k known) change(outcome ChangeKind) Change {
	return Change{Outcome: outcome, ID: k.id, Slug: k.slug, Removed: away(k.status)}
}

// unchanged says without writing whether there is nothing to put: the usual case
// when a folder is imported again.
func (s *Store) unchanged(ctx context.Context, a *article.Article, redirects []article.Redirect, media []article.Medium) (Change, bool, error) {
	old, found, err := s.readers.known(ctx, a)
	if err != nil || !found || old.hash != a.Hash || !old.settled(a) {
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

// putArticle takes the revision first: its row's lock puts all writers of
// articles in a row, so what is read after it cannot change before the commit.
func (s *Store) putArticle(ctx context.Context, tx *conn, a *article.Article) (Change, error) {
	var revision int64
	old, found, err := tx.known(ctx, a)
	if err != nil {
		return Change{}, err
	}
	if found && old.same(a) {
		return tx.relocate(ctx, a, old)
	}
	if _, err := tx.One(ctx, "revision.raise", nil, &revision); err != nil {
		return Change{}, err
	}
	if old, found, err = tx.known(ctx, a); err != nil { // again, behind the lock
		return Change{}, err
	}
	if found && old.same(a) {
		return tx.relocate(ctx, a, old)
	}
	if found && old.source != a.Source {
		if _, err := tx.Exec(ctx, "article.vacate", a.Source, old.id); err != nil {
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
		_, err = tx.Exec(ctx, "article.relocate", row.seq, a.Source, a.GUID, number(a.Named), a.Content, string(a.Status))
	}
	if err == nil && row.slug != old.slug { // the page is there now, whatever led elsewhere from its address
		_, err = tx.Exec(ctx, "redirect.drop", plainPath(article.PathFor(row.slug)))
	}
	if err == nil {
		err = tx.index(ctx, a, row, !found)
	}
	return Change{Outcome: outcome, ID: row.id, Slug: row.slug, Removed: away(row.status)}, err
}

// same reports whether readers would see no difference. One that was removed stays so
// when only its file has moved.
func (k known) same(a *article.Article) bool {
	return k.hash == a.Hash || away(k.status) && k.onlyMoved(a)
}

// relocate keeps where an unchanged article's file is by now.
func (c *conn) relocate(ctx context.Context, a *article.Article, old known) (Change, error) {
	change := old.change(Unchanged)
	if old.settled(a) {
		return change, errUnchanged
	}
	if _, err := c.Exec(ctx, "article.vacate", a.Source, old.id); err != nil {
		return change, err
	}
	_, err := c.Exec(ctx, "article.relocate", old.seq, a.Source, a.GUID, number(a.Named), a.Content, string(a.Status))
	return change, err
}

// articleRow is what the store adds to an article.
type articleRow struct {
	seq, revision                                int64
	id, slug                                     string
	status, former                               article.Status
	published, updated, ingested, offer, appears int64
	removed, expires                             int64
}

// rowOf settles the times. An article appears when it is offered or when its date
// comes, whichever is later; that place never moves for edits that keep the
// date. A draft, or an unlisted article, is offered when it stops being one.
func (s *Store) rowOf(a *article.Article, old known, found bool, revision int64) articleRow {
	now := millis(s.Now())
	row := articleRow{seq: old.seq, revision: revision, id: old.id, published: millis(a.Published),
		updated: millis(a.Updated), ingested: old.ingested, offer: old.offeredAt, expires: millis(a.Expires)}
	row.status, row.former, row.removed = standingOf(a, old, now)
	if row.published == 0 {
		row.published = now
	}
	switch {
	case !found:
		row.ingested, row.offer = now, now
		if row.id = a.ID; row.id == "" {
			row.id = uuid.NewString()
		}
	case unseen(old.status):
		row.offer = now
	}
	if found && row.updated <= old.updated {
		row.updated = now // it did change, whatever the file says
	}
	// Nothing changed in the future, whatever the file says: readers could not tell a
	// later change from this one.
	row.updated = min(max(row.updated, min(row.published, now)), max(row.published, now))
	row.appears = max(row.offer, row.published)
	return row
}

// standingOf says as what an article comes in. One that its author has withdrawn, or
// whose time has run out, is removed if readers saw it: its page answers 410.
func standingOf(a *article.Article, old known, now int64) (status, former article.Status, removed int64) {
	expired := !a.Expires.IsZero() && millis(a.Expires) <= now
	switch {
	case a.Status == article.Draft:
		return article.Draft, "", 0
	case !expired && (a.Status == article.Unlisted || a.Status == article.Published):
		return a.Status, "", 0
	case old.status == article.Removed:
		return article.Removed, "", old.removed
	case old.status == article.Published && max(old.offeredAt, old.published) <= now:
		return article.Removed, "", now
	}
	if former = a.Status; former != article.Published && former != article.Unlisted {
		former = article.Draft
	}
	return article.Withdrawn, former, now
}

// freeSlug keeps the slug of an article that asks for the same as before, and
// else finds one that no other article has or had.
func (c *conn) freeSlug(ctx context.Context, wanted string, old known) (string, error) {
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
		if n > 50 { // a source of many untitled pieces: do not count through them all
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
	c.record(journal.Article(row.id, sourceHash(a.Source)))
	_, err := c.One(ctx, "article.insert", []any{row.id, a.Source, row.slug, a.Slug, a.URL, a.Title, a.Summary, a.HTML,
		a.Language, jsonText(a.Authors, a.Authors == nil), jsonText(a.Tags, a.Tags == nil), jsonText(a.Image, a.Image == nil),
		jsonText(a.Enclosure, a.Enclosure == nil), jsonText(a.Origin, a.Origin == nil), row.published, row.updated,
		row.ingested, row.removed, string(row.status), a.Hash, row.offer, row.appears, row.revision, string(row.former), row.expires}, &row.seq)
	if err != nil {
		return err
	}
	_, err = c.Exec(ctx, "quarantine.inGap", row.id, row.published)
	return err
}

func (s *Store) updateArticle(ctx context.Context, tx *conn, a *article.Article, row *articleRow, old known) error {
	if row.slug != old.slug {
		left := plainPath(article.PathFor(old.slug))
		if _, err := tx.Exec(ctx, "redirect.put", left, row.seq, "", millis(s.Now())); err != nil {
			return err
		}
	}
	if err := s.leaveFeeds(ctx, tx, row, old); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, "article.update", row.seq, row.slug, a.Slug, a.URL, a.Title, a.Summary, a.HTML, a.Language,
		jsonText(a.Authors, a.Authors == nil), jsonText(a.Tags, a.Tags == nil), jsonText(a.Image, a.Image == nil),
		jsonText(a.Enclosure, a.Enclosure == nil), jsonText(a.Origin, a.Origin == nil), row.published, row.updated, row.removed,
		string(row.status), a.Hash, row.offer, row.appears, row.revision, string(row.former), row.expires)
	if err != nil || unseen(old.status) && unseen(row.status) { // no feed had it
		return err
	}
	return s.depart(ctx, tx)
}
