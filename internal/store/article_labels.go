package store

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store/sqldb"
)

// LabelCount is a tag, author or language and how many published articles have it.
type LabelCount struct {
	Key      string // as compared
	Name     string // in its one spelling; see TagSpelling
	Articles int64
}

// Tags returns all tags of published articles, by key.
func (s *Store) Tags(ctx context.Context) ([]LabelCount, error) { return s.labels(ctx, tagLabel, 0) }

// TopTags returns the tags that most published articles have, at most limit, by key.
func (s *Store) TopTags(ctx context.Context, limit int) ([]LabelCount, error) {
	return s.labels(ctx, tagLabel, limit)
}

// Authors returns all authors of published articles, by key.
func (s *Store) Authors(ctx context.Context) ([]LabelCount, error) {
	return s.labels(ctx, authorLabel, 0)
}

// TopAuthors returns the authors of most published articles, at most limit, by key.
func (s *Store) TopAuthors(ctx context.Context, limit int) ([]LabelCount, error) {
	return s.labels(ctx, authorLabel, limit)
}

// Languages returns all languages of published articles. One with a region also counts
// for the language alone.
func (s *Store) Languages(ctx context.Context) ([]LabelCount, error) {
	return s.labels(ctx, languageLabel, 0)
}

// LanguageKeys returns the languages that articles have or had, in lower case, each also
// without its region. It counts no articles, so its cost does not depend on their
// number.
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

// TopSources returns the source keys of most published articles, at most limit, by key.
func (s *Store) TopSources(ctx context.Context, limit int) ([]LabelCount, error) {
	return s.labels(ctx, sourceLabel, limit)
}

// labels returns the counts of a kind of label: of all labels, or with a limit of the most
// frequent ones. The table also counts articles with a future date; these are subtracted
// here.
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

// mostFrequent returns the labels of most articles, at most limit, in the order of their
// keys.
func mostFrequent(all []LabelCount, limit int) []LabelCount {
	slices.SortStableFunc(all, func(a, b LabelCount) int {
		return cmp.Or(cmp.Compare(b.Articles, a.Articles), cmp.Compare(a.Key, b.Key))
	})
	all = all[:min(limit, len(all))]
	slices.SortFunc(all, func(a, b LabelCount) int { return cmp.Compare(a.Key, b.Key) })
	return all
}

// TagSpelling returns a tag as the first published article writes it. The spelling stays while any
// article has the tag, so that addresses made from it do not change. ErrNotFound reports that no article
// has it, or only articles whose date has not come.
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
	found, err := s.readers.One(ctx, "label.spelling", []any{kind, key, millis(s.Now())}, &name)
	if err == nil && !found {
		err = notFound(kind, key)
	}
	return name, err
}

// The kinds of labels.
const (
	tagLabel      = "tag"
	authorLabel   = "author"
	languageLabel = "language"
	sourceLabel   = "source" // has no feeds and no pages
)

// label is a tag, author, language or source by which an article is found.
type label struct{ kind, key, name string }

// labelsOf returns an article's labels. A language with a region also counts for the
// language alone, so that "en" finds "en-GB" by index. An article without a known
// language has a label without a name, so that it is found too.
func labelsOf(a *article.Article) []label {
	var out []label
	for _, tag := range a.Tags {
		out = append(out, label{tagLabel, article.TagKey(tag), tag})
	}
	for _, author := range a.Authors {
		out = append(out, label{authorLabel, article.AuthorKey(author.Name), author.Name})
	}
	if key := article.SourceKey(a); key != "" {
		out = append(out, label{sourceLabel, key, key})
	}
	for tag := a.Language; ; {
		out = append(out, label{languageLabel, strings.ToLower(tag), tag})
		cut := strings.LastIndexByte(tag, '-')
		if cut < 0 {
			return out
		}
		tag = tag[:cut]
	}
}

// indexArticle stores the labels and the words of an article.
func (c *conn) indexArticle(ctx context.Context, a *article.Article, row articleRow, fresh bool) error {
	if !fresh {
		if _, err := c.Exec(ctx, "article.dropLabels", row.seq); err != nil {
			return err
		}
	}
	var labels [][3]string
	for _, l := range labelsOf(a) {
		if l.key != "" || l.kind == languageLabel {
			labels = append(labels, [3]string{l.kind, sqldb.CleanText(l.key), sqldb.CleanText(l.name)})
		}
	}
	if len(labels) > 0 {
		list := jsonText(labels, false)
		if _, err := c.Exec(ctx, "article.addLabels", row.seq, list, string(row.status), row.appears, row.published); err != nil {
			return err
		}
	}
	return c.indexWords(ctx, row.seq, a.SearchText(), fresh)
}

// indexWords stores the words with one space between them and at each end, so that a
// phrase is found by its words between spaces.
func (c *conn) indexWords(ctx context.Context, seq int64, words string, fresh bool) error {
	words = " " + words + " "
	if _, err := c.Exec(ctx, "article.setWords", seq, words); err != nil || c.Engine == Postgres {
		return err
	}
	if !fresh {
		if _, err := c.Exec(ctx, "article.unindexWords", seq); err != nil {
			return err
		}
	}
	_, err := c.Exec(ctx, "article.indexWords", seq, words)
	return err
}

// HasTopic reports whether an article that a filter takes has a tag: only then can the tag
// be a topic of a digest with that filter. Case and spelling of the tag do not matter.
func (s *Store) HasTopic(ctx context.Context, filter article.Filter, topic string) (bool, error) {
	key := article.TagKey(topic)
	if key == "" {
		return false, nil
	}
	found, err := s.Articles(ctx, Query{Filter: filter.And(article.Filter{Expr: article.Tag{Key: key}}), Limit: 1, IDs: true})
	return len(found) > 0, err
}

// maxTagsTried bounds the tags that Topics tries for a digest with a filter.
const maxTagsTried = 400

// Topics returns up to n tags of the articles that a filter takes, the most frequent first.
func (s *Store) Topics(ctx context.Context, filter article.Filter, n int) ([]LabelCount, error) {
	if matchesAll(filter) {
		return s.TopTags(ctx, n)
	}
	tags, err := s.TopTags(ctx, maxTagsTried)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(tags, func(a, b LabelCount) int { return cmp.Compare(b.Articles, a.Articles) })
	var out []LabelCount
	for _, tag := range tags {
		if len(out) == n {
			break
		}
		found, err := s.HasTopic(ctx, filter, tag.Key)
		if err != nil {
			return nil, err
		}
		if found {
			out = append(out, tag)
		}
	}
	return out, nil
}

// matchesAll reports whether a filter takes every article.
func matchesAll(filter article.Filter) bool {
	_, all := filter.Expr.(article.All)
	return filter.Expr == nil || all
}
