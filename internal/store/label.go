package store

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/tidings-press/tidings/internal/article"
)

// LabelCount is a tag, author or language and how many published articles have it.
type LabelCount struct {
	Key      string // as compared
	Name     string // as written
	Articles int64
}

// Tags are all tags of published articles, by key.
func (s *Store) Tags(ctx context.Context) ([]LabelCount, error) { return s.labels(ctx, tagLabel, 0) }

// TopTags are the tags that most published articles have, at most limit, by key.
func (s *Store) TopTags(ctx context.Context, limit int) ([]LabelCount, error) {
	return s.labels(ctx, tagLabel, limit)
}

// Authors are all authors of published articles, by key.
func (s *Store) Authors(ctx context.Context) ([]LabelCount, error) {
	return s.labels(ctx, authorLabel, 0)
}

// TopAuthors are the authors of most published articles, at most limit, by key.
func (s *Store) TopAuthors(ctx context.Context, limit int) ([]LabelCount, error) {
	return s.labels(ctx, authorLabel, limit)
}

// Languages are all languages of published articles. One with a region counts for
// the language alone as well.
func (s *Store) Languages(ctx context.Context) ([]LabelCount, error) {
	return s.labels(ctx, languageLabel, 0)
}

// LanguageKeys are the languages that articles have or had, in lower case, with those
// that stand for them without a region. Articles are not counted, so that asking
// costs as little for many.
func (s *Store) LanguageKeys(ctx context.Context) ([]string, error) {
	var out []string
	err := s.readers.Each(ctx, "label.keys", []any{languageLabel}, func(rows *sql.Rows) error {
		var key string
		err := rows.Scan(&key)
		out = append(out, key)
		return err
	})
	return out, err
}

// labels reads the counts of a kind of label: of all, or of the most frequent ones when there
// is a limit. Articles with a date to come are counted in the table, and taken off here.
func (s *Store) labels(ctx context.Context, kind string, limit int) ([]LabelCount, error) {
	future := map[string]int64{}
	err := s.readers.Each(ctx, "label.future", []any{kind, millis(s.Now())}, func(rows *sql.Rows) error {
		var key string
		var n int64
		err := rows.Scan(&key, &n)
		future[key] = n
		return err
	})
	if err != nil {
		return nil, err
	}
	query, args := "label.list", []any{kind}
	if limit > 0 {
		query, args = "label.top", []any{kind, limit + len(future)}
	}
	var out []LabelCount
	err = s.readers.Each(ctx, query, args, func(rows *sql.Rows) error {
		var c LabelCount
		err := rows.Scan(&c.Key, &c.Name, &c.Articles)
		if c.Articles -= future[c.Key]; c.Articles > 0 {
			out = append(out, c)
		}
		return err
	})
	if limit > 0 {
		out = mostFrequent(out, limit)
	}
	return out, err
}

// mostFrequent keeps those that most articles have, in the order of their keys.
func mostFrequent(all []LabelCount, limit int) []LabelCount {
	slices.SortStableFunc(all, func(a, b LabelCount) int {
		return cmp.Or(cmp.Compare(b.Articles, a.Articles), cmp.Compare(a.Key, b.Key))
	})
	all = all[:min(limit, len(all))]
	slices.SortFunc(all, func(a, b LabelCount) int { return cmp.Compare(a.Key, b.Key) })
	return all
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
	found, err := s.readers.One(ctx, "label.spelling", []any{kind, key}, &name)
	if err == nil && !found {
		err = notFound(kind, key)
	}
	return name, err
}
