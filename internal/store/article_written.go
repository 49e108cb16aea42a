package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store/sqldb"
)

// RevisionKind is how a revision of an article came about.
type RevisionKind string

// The kinds of revisions.
const (
	RevisionAutosaved   RevisionKind = "autosaved"
	RevisionSaved       RevisionKind = "saved"
	RevisionPublished   RevisionKind = "published" // at once, or for a later time
	RevisionUnpublished RevisionKind = "unpublished"
	RevisionRestored    RevisionKind = "restored" // an older revision became the newest one
)

// ArticleRevision is what an editor wrote at one time.
type ArticleRevision struct {
	Article string
	Number  int64 // from 1; there are gaps where automatic saves were replaced
	Kind    RevisionKind
	Author  string // address of the editor
	Began   time.Time
	Saved   time.Time
	Written article.Written
}

// RevisionConflictError reports that someone saved the article after the revision that an editor
// started from. Nothing was stored.
type RevisionConflictError struct {
	Head ArticleRevision
}

// Error implements error.
func (e *RevisionConflictError) Error() string {
	return fmt.Sprintf("%s saved this article at %s, after you opened it; compare both versions and save again", e.Head.Author, e.Head.Saved.Format(time.RFC3339))
}

// NewRevision is a revision to store, and the article that is made from it.
type NewRevision struct {
	Article string // id
	Base    int64  // number of the revision that the editor started from; 0 for a new article
	Kind    RevisionKind
	Author  string
	Written article.Written
	// As is stored in the same transaction; nil to leave the article as it is. It has the same id.
	As    *article.Article
	Media []article.Medium
}

// replacedWithin is how long the automatic saves of one editor become one revision.
const replacedWithin = 10 * time.Minute

// SaveRevision stores a revision and the article that is made from it, in one transaction. If the
// newest revision is not Base, it returns a *RevisionConflictError and stores nothing. Change is
// empty if As is nil.
func (s *Store) SaveRevision(ctx context.Context, n NewRevision) (ArticleRevision, Change, error) {
	var saved ArticleRevision
	var change Change
	err := s.write(ctx, func(tx *conn) error {
		saved = ArticleRevision{Article: n.Article, Number: n.Base + 1, Kind: n.Kind, Author: n.Author, Saved: timeOf(millis(s.Now())), Written: n.Written}
		if err := tx.addRevision(ctx, n.Base, &saved); err != nil {
			return err
		}
		noteAudit(ctx, func(e *AuditEntry) {
			e.Object, e.Detail = saved.Article, fmt.Sprintf("revision %d %s", saved.Number, e.Detail)
		})
		if n.As == nil {
			return s.putAttachments(ctx, tx, "", nil, n.Media)
		}
		var err error
		if change, err = s.putWritten(ctx, tx, n); err == nil {
			err = s.putAttachments(ctx, tx, change.Slug, nil, n.Media)
		}
		if err == nil && n.Kind == RevisionPublished {
			_, err = tx.Exec(ctx, "written.setLive", n.Article, saved.Number)
		}
		return err
	})
	var conflict *RevisionConflictError
	if errors.As(err, &conflict) || errors.Is(err, ErrNotFound) {
		return saved, change, err
	}
	return saved, change, sqldb.Wrap("save article "+n.Article, err)
}

// addRevision advances the head from base and inserts the revision. It replaces the head if that is
// an automatic save of the same editor from the last minutes.
func (c *conn) addRevision(ctx context.Context, base int64, r *ArticleRevision) error {
	query, args := "written.advance", []any{r.Article, base}
	if base == 0 {
		query, args = "written.create", args[:1]
	}
	n, err := c.Exec(ctx, query, args...)
	if err == nil && n == 0 {
		err = c.revisionConflict(ctx, r.Article)
	}
	if err != nil {
		return err
	}
	began := millis(r.Saved)
	since := millis(r.Saved.Add(-replacedWithin))
	if _, err := c.One(ctx, "written.began", []any{r.Article, base, r.Author, since}, &began); err != nil {
		return err
	}
	if _, err := c.Exec(ctx, "written.drop", r.Article, base, r.Author, since); err != nil {
		return err
	}
	r.Began = timeOf(began)
	fields := r.Written
	fields.Text = ""
	_, err = c.Exec(ctx, "written.insert", r.Article, r.Number, string(r.Kind), r.Author, began, millis(r.Saved), jsonText(fields, false), r.Written.Text)
	if err == nil {
		err = c.touchMedia(ctx, jsonText(fields, false), r.Written.Text)
	}
	return err
}

// revisionConflict returns the error for a revision that starts from an old one.
func (c *conn) revisionConflict(ctx context.Context, id string) error {
	var head, live int64
	found, err := c.One(ctx, "written.head", []any{id}, &head, &live)
	if err != nil {
		return err
	}
	if !found {
		return notFound("written article", id)
	}
	newest, err := c.revision(ctx, id, head)
	if err != nil {
		return err
	}
	return &RevisionConflictError{Head: newest}
}

// putWritten stores the article of a revision. An article that was never published leaves no redirect
// when its slug changes.
func (s *Store) putWritten(ctx context.Context, tx *conn, n NewRevision) (Change, error) {
	old, found, err := tx.storedArticle(ctx, n.As)
	if err != nil {
		return Change{}, err
	}
	change, err := s.putArticle(ctx, tx, n.As)
	if errors.Is(err, errUnchanged) {
		err = nil
	}
	if err != nil || !found || old.slug == change.Slug {
		return change, err
	}
	var head, live int64
	if _, err = tx.One(ctx, "written.head", []any{n.Article}, &head, &live); err == nil && live == 0 {
		_, err = tx.Exec(ctx, "redirect.drop", plainPath(article.PathFor(old.slug)))
	}
	return change, err
}

// ArticleHead returns the newest revision of an article that was written in the browser, and the
// number of the last published one, which is 0 before the first publication. ErrNotFound reports an
// article from another source.
func (s *Store) ArticleHead(ctx context.Context, id string) (newest ArticleRevision, live int64, err error) {
	var head int64
	found, err := s.readers.One(ctx, "written.head", []any{id}, &head, &live)
	if err == nil && !found {
		err = notFound("written article", id)
	}
	if err != nil {
		return ArticleRevision{}, 0, err
	}
	newest, err = s.readers.revision(ctx, id, head)
	return newest, live, err
}

// ArticleRevision returns a revision of an article.
func (s *Store) ArticleRevision(ctx context.Context, id string, number int64) (ArticleRevision, error) {
	return s.readers.revision(ctx, id, number)
}

func (c *conn) revision(ctx context.Context, id string, number int64) (ArticleRevision, error) {
	found, err := c.revisions(ctx, "written.revision", id, number)
	if err == nil && len(found) == 0 {
		err = notFound(fmt.Sprintf("revision %d of article", number), id)
	}
	if err != nil {
		return ArticleRevision{}, err
	}
	return found[0], nil
}

// ArticleRevisions returns at most limit revisions with a number below before, the newest first,
// without what was written. With before 0 it begins with the newest.
func (s *Store) ArticleRevisions(ctx context.Context, id string, before int64, limit int) ([]ArticleRevision, error) {
	if before <= 0 {
		before = 1 << 62
	}
	return s.readers.revisions(ctx, "written.list", id, before, limit)
}

func (c *conn) revisions(ctx context.Context, query string, args ...any) ([]ArticleRevision, error) {
	var out []ArticleRevision
	err := c.Each(ctx, query, args, func(rows *sql.Rows) error {
		var r ArticleRevision
		var began, saved int64
		var fields, text string
		if err := rows.Scan(&r.Article, &r.Number, &r.Kind, &r.Author, &began, &saved, &fields, &text); err != nil {
			return err
		}
		if fields != "" {
			if err := json.Unmarshal([]byte(fields), &r.Written); err != nil {
				return fmt.Errorf("revision %d of article %s: %w", r.Number, r.Article, err)
			}
		}
		r.Written.Text, r.Began, r.Saved = text, timeOf(began), timeOf(saved)
		out = append(out, r)
		return nil
	})
	return out, sqldb.Wrap("revisions of an article", err)
}

// TranslationKey returns what the translations of an article have in common; empty for none.
func (s *Store) TranslationKey(ctx context.Context, id string) (string, error) {
	var key string
	found, err := s.readers.One(ctx, "written.translation", []any{id}, &key)
	if err == nil && !found {
		err = notFound("article", id)
	}
	return key, err
}
