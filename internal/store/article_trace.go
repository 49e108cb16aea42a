package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store/sqldb"
)

// ArticleIdentity is what a stored article is recognised by when its file has moved.
type ArticleIdentity struct {
	ID, Source string
	Slug       string // that the file asked for
	Named      bool   // the file gave it
	GUID       string
	Title      string
	Content    string // empty for an article that was imported before fingerprints were kept
	Published  time.Time
	Language   string
}

// IdentitiesFrom returns the articles that came from some sources.
func (s *Store) IdentitiesFrom(ctx context.Context, sources ...string) ([]ArticleIdentity, error) {
	return s.traces(ctx, "article.tracesAt", jsonList(sources))
}

// SimilarIdentities returns the articles that the file of an article may have been the file of:
// those with its id, slug, title, text or date, up to 50 of each.
func (s *Store) SimilarIdentities(ctx context.Context, a *article.Article) ([]ArticleIdentity, error) {
	return s.traces(ctx, "article.traces", a.GUID, a.Slug, a.Title, a.Content, millis(a.Published))
}

func (s *Store) traces(ctx context.Context, query string, args ...any) ([]ArticleIdentity, error) {
	var out []ArticleIdentity
	err := s.readers.Each(ctx, query, args, func(rows *sql.Rows) error {
		var t ArticleIdentity
		var named, published int64
		err := rows.Scan(&t.ID, &t.Source, &t.Slug, &named, &t.GUID, &t.Title, &t.Content, &published, &t.Language)
		t.Named, t.Published = named == 1, timeOf(published)
		out = append(out, t)
		return err
	})
	return out, sqldb.Wrap("traces of articles", err)
}

// ReleaseSource takes a source from the article that has it: its file holds another
// article by now.
func (s *Store) ReleaseSource(ctx context.Context, source string) error {
	return s.write(ctx, func(tx *conn) error {
		_, err := tx.Exec(ctx, "article.vacate", source, "")
		return err
	})
}
