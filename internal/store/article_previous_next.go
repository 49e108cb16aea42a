package store

import (
	"cmp"
	"context"
	"database/sql"
	"maps"
	"slices"
	"time"

	"github.com/tidings-press/tidings/internal/article"
)

// Neighbours returns the listed articles before and after another one, by date, with nothing but
// slug, title and language. One is nil at the end of the list.
func (s *Store) Neighbours(ctx context.Context, id string) (older, newer *article.Article, err error) {
	if older, err = s.neighbour(ctx, "article.older", id); err != nil {
		return nil, nil, err
	}
	newer, err = s.neighbour(ctx, "article.newer", id)
	return older, newer, err
}

func (s *Store) neighbour(ctx context.Context, query, id string) (*article.Article, error) {
	var a article.Article
	found, err := s.readers.One(ctx, query, []any{id, millis(s.Now())}, &a.Slug, &a.Title, &a.Language)
	if err != nil || !found {
		return nil, err
	}
	return &a, nil
}

// How many tags of an article are looked at for related ones, and how many articles of each.
const (
	relatedTags       = 8
	relatedCandidates = 20
)

// related is an article that shares tags with another one.
type related struct {
	seq, published int64
	shared         int
}

// Related returns the listed articles that share most tags with an article, with nothing but id, slug,
// title, language and date. Those that share as many are ordered by language, its own first, and then by
// date, the newest first. It returns at most limit. It looks at the newest articles of each tag. Its
// queries are prepared, because it is called for every page of an article.
func (s *Store) Related(ctx context.Context, a *article.Article, limit int) ([]article.Article, error) {
	now := millis(s.Now())
	bySeq := map[int64]*related{}
	for _, tag := range a.Tags[:min(len(a.Tags), relatedTags)] {
		err := s.readers.Each(ctx, "article.newestWithTag", []any{article.TagKey(tag), now, relatedCandidates}, func(rows *sql.Rows) error {
			var r related
			if err := rows.Scan(&r.seq, &r.published); err != nil {
				return err
			}
			if bySeq[r.seq] == nil {
				bySeq[r.seq] = &r
			}
			bySeq[r.seq].shared++
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	all := slices.SortedFunc(maps.Values(bySeq), func(x, y *related) int {
		return cmp.Or(cmp.Compare(y.shared, x.shared), cmp.Compare(y.published, x.published), cmp.Compare(y.seq, x.seq))
	})
	if all = all[:min(len(all), 4*limit+1)]; len(all) == 0 {
		return nil, nil
	}
	return s.headings(ctx, a, all, limit, now)
}

// headings returns the articles of a list of related ones, without the article itself.
func (s *Store) headings(ctx context.Context, a *article.Article, all []*related, limit int, now int64) ([]article.Article, error) {
	found := map[int64]article.Article{}
	seqs := make([]int64, len(all))
	for i, r := range all {
		seqs[i] = r.seq
	}
	err := s.readers.Each(ctx, "article.headings", []any{jsonList(seqs), now}, func(rows *sql.Rows) error {
		var other article.Article
		var seq, published int64
		err := rows.Scan(&seq, &other.ID, &other.Slug, &other.Title, &other.Language, &published)
		other.Published = time.UnixMilli(published).UTC()
		if other.ID != a.ID {
			found[seq] = other
		}
		return err
	})
	slices.SortStableFunc(all, func(x, y *related) int {
		if x.shared != y.shared {
			return cmp.Compare(y.shared, x.shared)
		}
		return cmp.Compare(languageDistance(found[x.seq], a), languageDistance(found[y.seq], a))
	})
	var out []article.Article
	for _, r := range all {
		if other, ok := found[r.seq]; ok && len(out) < limit {
			out = append(out, other)
		}
	}
	return out, err
}

// languageDistance is 0 for an article in the language of another one, and otherwise 1.
func languageDistance(other article.Article, a *article.Article) int {
	if other.Language == a.Language {
		return 0
	}
	return 1
}
