package store

import (
	"context"
	"database/sql"
	"strings"

	"github.com/tidings-press/tidings/article"
)

// Count is a tag, author or language and how many published articles have it.
type Count struct {
	Key      string // as compared
	Name     string // as written
	Articles int64
}

// Tags are all tags of published articles, by key.
func (s *Store) Tags(ctx context.Context) ([]Count, error) { return s.labels(ctx, tagLabel) }

// Authors are all authors of published articles, by key.
func (s *Store) Authors(ctx context.Context) ([]Count, error) { return s.labels(ctx, authorLabel) }

// Languages are all languages of published articles. One with a region counts for
// the language alone as well.
func (s *Store) Languages(ctx context.Context) ([]Count, error) { return s.labels(ctx, languageLabel) }

// LanguageKeys are the languages that articles have or had, in lower case, with those
// that stand for them without a region. Articles are not counted, so that asking
// costs as little for many.
func (s *Store) LanguageKeys(ctx context.Context) ([]string, error) {
	var out []string
	err := s.readers.each(ctx, "label.keys", []any{languageLabel}, func(rows *sql.Rows) error {
		var key string
		err := rows.Scan(&key)
		out = append(out, key)
		return err
	})
	return out, err
}

func (s *Store) labels(ctx context.Context, kind string) ([]Count, error) {
	var out []Count
	err := s.readers.each(ctx, "label.list", []any{kind, millis(s.Now())}, func(rows *sql.Rows) error {
		var c Count
		err := rows.Scan(&c.Key, &c.Name, &c.Articles)
		out = append(out, c)
		return err
	})
	return out, err
}

// TagSpelling is how the newest article that ever had a tag writes it;
// ErrNotFound says that none did.
func (s *Store) TagSpelling(ctx context.Context, tag string) (string, error) {
	return s.spelling(ctx, tagLabel, article.TagKey(tag))
}

// AuthorSpelling is TagSpelling for authors.
func (s *Store) AuthorSpelling(ctx context.Context, name string) (string, error) {
	return s.spelling(ctx, authorLabel, article.AuthorKey(name))
}

// LanguageSpelling is TagSpelling for languages.
func (s *Store) LanguageSpelling(ctx context.Context, tag string) (string, error) {
	return s.spelling(ctx, languageLabel, strings.ToLower(tag))
}

func (s *Store) spelling(ctx context.Context, kind, key string) (string, error) {
	var name string
	found, err := s.readers.one(ctx, "label.spelling", []any{kind, key}, &name)
	if err == nil && !found {
		err = notFound(kind, key)
	}
	return name, err
}
