package store

import (
	"context"
	"database/sql"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store/sqldb"
)

// AddTranslations sets the Translations of some articles: the public articles with the same key,
// one for each other language.
func (s *Store) AddTranslations(ctx context.Context, all []*article.Article) error {
	byID := make(map[string]*article.Article, len(all))
	ids := make([]string, 0, len(all))
	for _, a := range all {
		byID[a.ID] = a
		ids = append(ids, a.ID)
	}
	if len(ids) == 0 {
		return nil
	}
	err := s.readers.Each(ctx, "translations.of", []any{jsonList(ids), millis(s.Now())}, func(rows *sql.Rows) error {
		var id, slug string
		var t article.Translation
		if err := rows.Scan(&id, &t.Language, &slug, &t.URL); err != nil {
			return err
		}
		if t.URL == "" {
			t.URL = article.PathFor(slug)
		}
		a := byID[id]
		if n := len(a.Translations); n == 0 || a.Translations[n-1].Language != t.Language {
			a.Translations = append(a.Translations, t)
		}
		return nil
	})
	return sqldb.Wrap("translations", err)
}

// OtherTranslations returns at most limit published articles that are translations of some articles. What is
// shown of them changes when one of these articles does.
func (s *Store) OtherTranslations(ctx context.Context, ids []string, limit int) ([]article.Article, error) {
	found, err := s.readers.articles(ctx, "translations.others", jsonList(ids), limit)
	if err != nil {
		return nil, err
	}
	out := make([]article.Article, len(found))
	for i := range found {
		out[i] = found[i].Article
	}
	return out, nil
}

// touchTranslations marks the articles as changed that had the old key or have the new one.
func (c *conn) touchTranslations(ctx context.Context, seq, revision int64, before, after string) error {
	if before == after {
		return nil
	}
	for _, key := range []string{before, after} {
		if _, err := c.Exec(ctx, "translations.touch", key, revision, seq); err != nil {
			return err
		}
	}
	return nil
}
