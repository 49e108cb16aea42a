package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store/sqldb"
)

// Article returns the article with an id, whatever its status.
func (s *Store) Article(ctx context.Context, id string) (article.Article, error) {
	return s.oneArticle(ctx, "article.byID", "article", id)
}

// ArticleBySlug returns the article of a page, whatever its status.
func (s *Store) ArticleBySlug(ctx context.Context, slug string) (article.Article, error) {
	return s.oneArticle(ctx, "article.bySlug", "article with slug", slug)
}

func (s *Store) oneArticle(ctx context.Context, query, what, key string) (article.Article, error) {
	all, err := s.readers.articles(ctx, query, key)
	if err != nil {
		return article.Article{}, err
	}
	if len(all) == 0 {
		return article.Article{}, notFound(what, key)
	}
	return all[0].Article, nil
}

// Appears returns when an article appears in feeds and lists: the later of its own date and the time
// at which it was offered.
func (s *Store) Appears(ctx context.Context, id string) (time.Time, error) {
	all, err := s.readers.articles(ctx, "article.byID", id)
	if err != nil || len(all) == 0 {
		return time.Time{}, cmp.Or(err, notFound("article", id))
	}
	return timeOf(all[0].Position.At), nil
}

// ArticlesByID returns the articles with these ids, in the order of the ids. Ids without an article
// are left out.
func (s *Store) ArticlesByID(ctx context.Context, ids []string) ([]article.Article, error) {
	found, err := s.readers.articles(ctx, "article.byIDs", jsonList(ids))
	if err != nil {
		return nil, err
	}
	byID := make(map[string]*article.Article, len(found))
	for i := range found {
		byID[found[i].ID] = &found[i].Article
	}
	out := make([]article.Article, 0, len(ids))
	for _, id := range ids {
		if a := byID[id]; a != nil {
			out = append(out, *a)
		}
	}
	return out, nil
}

// CountPublished returns how many articles are published. It counts them once for each revision: in a
// large store that takes longer than the rest of the dashboard.
func (s *Store) CountPublished(ctx context.Context) (int64, error) {
	revision, err := s.Revision(ctx)
	if err != nil {
		return 0, err
	}
	if kept := s.published.Load(); kept != nil && kept.revision == revision {
		return kept.n, nil
	}
	counted := publishedCount{revision: revision}
	if _, err := s.readers.One(ctx, "article.count", []any{string(article.Published)}, &counted.n); err != nil {
		return 0, err
	}
	s.published.Store(&counted)
	return counted.n, nil
}

// publishedCount is the number of published articles as of a revision, or counted a little later.
type publishedCount struct{ revision, n int64 }

// manyArticles is the number of articles from which counting those that wait for a digest takes longer
// than a page may.
const manyArticles = 5000

// ManyArticles reports whether the store has had so many articles that counting some of them takes long.
func (s *Store) ManyArticles(ctx context.Context) (bool, error) {
	var last int64
	_, err := s.readers.One(ctx, "article.lastSeq", nil, &last)
	return last > manyArticles, err
}

// StoredArticle is an article with its position in the order of a query.
type StoredArticle struct {
	article.Article
	Position Position
	Revision int64 // of its last change
}

// Position is a place in an order of articles: a time in Unix milliseconds, and
// the insertion number for those that share it.
type Position struct {
	At  int64
	Seq int64
}

// Compare orders positions, the older first.
func (p Position) Compare(q Position) int {
	return cmp.Or(cmp.Compare(p.At, q.At), cmp.Compare(p.Seq, q.Seq))
}

// IsZero reports whether p is the zero value, which is not a position.
func (p Position) IsZero() bool { return p == Position{} }

func (c *conn) articles(ctx context.Context, query string, args ...any) ([]StoredArticle, error) {
	var out []StoredArticle
	err := c.Each(ctx, query, args, func(rows *sql.Rows) error {
		a, err := scanArticle(rows)
		out = append(out, a)
		return err
	})
	return out, err
}

// scanArticle reads seq, a position, the revision and columns(article).
func scanArticle(rows *sql.Rows) (StoredArticle, error) {
	var out StoredArticle
	a := &out.Article
	var authors, tags, image, enclosures, origin, episode string
	var published, updated, ingested, removed, expires int64
	err := rows.Scan(&out.Position.Seq, &out.Position.At, &out.Revision, &a.ID, &a.Source, &a.Slug, &a.URL, &a.Title,
		&a.Summary, &a.HTML, &a.Language, &authors, &tags, &image, &enclosures, &origin, &published, &updated,
		&ingested, &removed, &a.Status, &a.Hash, &expires, &episode, &a.Weight)
	if err != nil {
		return out, err
	}
	a.Published = time.UnixMilli(published).UTC() // every row has a date, and 0 is a valid one: 1970-01-01
	a.Updated, a.Ingested, a.Removed = timeOf(updated), timeOf(ingested), timeOf(removed)
	if updated == 0 {
		a.Updated = a.Published
	}
	a.Expires = timeOf(expires)
	for _, field := range []struct {
		text string
		into any
	}{{authors, &a.Authors}, {tags, &a.Tags}, {image, &a.Image}, {enclosures, &a.Enclosure}, {origin, &a.Origin}, {episode, &a.Episode}} {
		if field.text == "" {
			continue
		}
		if err := json.Unmarshal([]byte(field.text), field.into); err != nil {
			return out, fmt.Errorf("article %s: %w", a.ID, err)
		}
	}
	return out, nil
}

// articleValues returns the values of columns(article).
func articleValues(a *article.Article, row *articleRow) []any {
	return []any{row.id, a.Source, row.slug, a.URL, a.Title, a.Summary, a.HTML, a.Language, jsonText(a.Authors, a.Authors == nil),
		jsonText(a.Tags, a.Tags == nil), jsonText(a.Image, a.Image == nil), jsonText(a.Enclosure, a.Enclosure == nil),
		jsonText(a.Origin, a.Origin == nil), row.published, row.updated, row.ingested, row.removed, string(row.status), a.Hash, row.expires,
		jsonText(a.Episode, a.Episode == nil), a.Weight}
}

// scanArticleID reads seq, a position, the revision and the id of an article.
func scanArticleID(rows *sql.Rows) (StoredArticle, error) {
	var out StoredArticle
	err := rows.Scan(&out.Position.Seq, &out.Position.At, &out.Revision, &out.ID)
	return out, err
}

func scanArticleTitle(rows *sql.Rows) (StoredArticle, error) {
	var out StoredArticle
	err := rows.Scan(&out.Position.Seq, &out.Position.At, &out.Revision, &out.ID, &out.Title)
	return out, err
}

// jsonList returns a list of strings or numbers as the queries take it.
func jsonList[T ~string | ~int64](values []T) string {
	out := make([]T, len(values))
	for i, value := range values {
		if text, ok := any(value).(string); ok { // JSON would carry a NUL through as \u0000
			value, _ = any(sqldb.CleanText(text)).(T)
		}
		out[i] = value
	}
	data, err := json.Marshal(out)
	if err != nil {
		return "[]" // strings and numbers always marshal
	}
	return string(data)
}

// jsonText returns a value as JSON, and an absent one as an empty text.
func jsonText[T any](value T, absent bool) string {
	if absent {
		return ""
	}
	data, err := json.Marshal(value)
	if err != nil {
		return "" // plain structs of strings and numbers always marshal
	}
	return string(data)
}

// ArticleIdentity identifies a stored article whose file was moved.
type ArticleIdentity struct {
	ID, Source string
	Slug       string // the slug that the file asked for
	Named      bool   // the file itself gives the slug; otherwise it follows from the file's name
	GUID       string
	Title      string
	Content    string // empty for an article that was imported before fingerprints were kept
	Published  time.Time
	Language   string
}

// IdentitiesFrom returns the articles that came from some sources.
func (s *Store) IdentitiesFrom(ctx context.Context, sources ...string) ([]ArticleIdentity, error) {
	return s.articleIdentities(ctx, "article.identitiesFrom", jsonList(sources))
}

// SimilarIdentities returns the articles that may be an earlier version of an article:
// those with its id, slug, title, text or date, up to 50 of each.
func (s *Store) SimilarIdentities(ctx context.Context, a *article.Article) ([]ArticleIdentity, error) {
	return s.articleIdentities(ctx, "article.similarIdentities", a.GUID, a.Slug, a.Title, a.Content, millis(a.Published))
}

func (s *Store) articleIdentities(ctx context.Context, query string, args ...any) ([]ArticleIdentity, error) {
	var out []ArticleIdentity
	err := s.readers.Each(ctx, query, args, func(rows *sql.Rows) error {
		var t ArticleIdentity
		var named, published int64
		err := rows.Scan(&t.ID, &t.Source, &t.Slug, &named, &t.GUID, &t.Title, &t.Content, &published, &t.Language)
		t.Named, t.Published = named == 1, time.UnixMilli(published).UTC()
		out = append(out, t)
		return err
	})
	return out, sqldb.Wrap("identities of articles", err)
}

// ReleaseSource removes a source from its article, because the file at that source contains another
// article now.
func (s *Store) ReleaseSource(ctx context.Context, source string) error {
	return s.write(ctx, func(tx *conn) error {
		_, err := tx.Exec(ctx, "article.releaseSource", source, "")
		return err
	})
}

// maxHops bounds how far redirects are followed, since they may form a loop.
const maxHops = 10

// plainPath returns a path as redirects are stored and found: without %-escapes, since
// clients escape differently.
func plainPath(path string) string {
	if plain, err := url.PathUnescape(path); err == nil {
		return plain
	}
	return path
}

// Redirect returns the target of an old path: a path on this site or an absolute URL. It
// follows redirects to redirects, so that clients take one hop. ErrNotFound reports that
// the path is not a redirect, or leads to an article that is not published yet: its path has
// words of its title.
func (s *Store) Redirect(ctx context.Context, path string) (string, error) {
	target, err := s.followRedirects(ctx, path)
	if err != nil {
		return "", err
	}
	inPath, _, _ := strings.Cut(target, "?")
	inPath, _, _ = strings.Cut(inPath, "#")
	slug, ofArticle := strings.CutPrefix(inPath, article.PathFor(""))
	if !ofArticle {
		return target, nil
	}
	var one int64
	keptBack, err := s.readers.One(ctx, "redirect.keptBack", []any{plainPath(slug), millis(s.Now())}, &one)
	if err == nil && keptBack {
		err = notFound("redirect from", path)
	}
	if err != nil {
		return "", err
	}
	return target, nil
}

func (s *Store) followRedirects(ctx context.Context, path string) (string, error) {
	target := path
	for range maxHops {
		var slug, next string
		found, err := s.readers.One(ctx, "redirect.get", []any{plainPath(target)}, &slug, &next)
		switch {
		case err != nil:
			return "", err
		case !found && target == path:
			return "", notFound("redirect from", path)
		case !found:
			return target, nil
		case slug != "":
			return article.PathFor(slug), nil
		}
		if target = next; !strings.HasPrefix(target, "/") {
			return target, nil
		}
	}
	return "", fmt.Errorf("redirect from %s: it is part of a loop: %w", path, ErrNotFound)
}

// PutRedirects stores redirects that came without an article. A redirect from the page of
// an existing article is left out.
func (s *Store) PutRedirects(ctx context.Context, redirects []article.Redirect) error {
	return s.write(ctx, func(tx *conn) error {
		return s.putAttachments(ctx, tx, "", redirects, nil)
	})
}

// putAttachments stores the redirects and media of an article.
func (s *Store) putAttachments(ctx context.Context, tx *conn, slug string, redirects []article.Redirect, media []article.Medium) error {
	for _, m := range media {
		if err := tx.putMedium(ctx, m, !strings.HasPrefix(m.Type, "image/")); err != nil {
			return err
		}
	}
	for _, r := range redirects {
		if r.To == "" {
			r.To = article.PathFor(slug)
		}
		if err := s.putRedirect(ctx, tx, r); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) putRedirect(ctx context.Context, tx *conn, r article.Redirect) error {
	from := plainPath(r.From)
	if from == plainPath(r.To) {
		return nil
	}
	if slug, isPage := strings.CutPrefix(from, article.PathFor("")); isPage {
		var taken int64
		if _, err := tx.One(ctx, "article.slugTaken", []any{slug, 0, ""}, &taken); err != nil || taken > 0 {
			return err
		}
	}
	_, err := tx.Exec(ctx, "redirect.put", from, nil, r.To, millis(s.Now()))
	return err
}
