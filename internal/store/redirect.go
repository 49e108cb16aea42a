package store

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"strings"

	"github.com/tidings-press/tidings/internal/article"
)

// maxHops bounds how far redirects are followed: a ring of them leads nowhere.
const maxHops = 10

// plainPath is a path as redirects are kept and found by: without %-escapes, since
// clients escape in their own ways.
func plainPath(path string) string {
	if plain, err := url.PathUnescape(path); err == nil {
		return plain
	}
	return path
}

// Redirect tells where an old path leads: a path on this site or an absolute URL.
// It follows redirects to redirects, so that readers take one hop. ErrNotFound
// says that the path never was one.
func (s *Store) Redirect(ctx context.Context, path string) (string, error) {
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
	return "", fmt.Errorf("redirect from %s: it leads in a ring: %w", path, ErrNotFound)
}

// Redirects are all redirects, each to where it leads by now.
func (s *Store) Redirects(ctx context.Context) ([]article.Redirect, error) {
	var out []article.Redirect
	err := s.readers.Each(ctx, "redirect.list", nil, func(rows *sql.Rows) error {
		var r article.Redirect
		var slug string
		err := rows.Scan(&r.From, &slug, &r.To)
		if slug != "" {
			r.To = article.PathFor(slug)
		}
		out = append(out, r)
		return err
	})
	return out, err
}

// PutRedirects keeps redirects that came without an article. One from the page of
// an article is left out: the page is there.
func (s *Store) PutRedirects(ctx context.Context, redirects []article.Redirect) error {
	return s.write(ctx, func(tx *conn) error {
		return s.putCompany(ctx, tx, "", redirects, nil)
	})
}

// putCompany keeps what came with an article.
func (s *Store) putCompany(ctx context.Context, tx *conn, slug string, redirects []article.Redirect, media []article.Medium) error {
	for _, m := range media {
		if _, err := tx.Exec(ctx, "medium.put", m.Name, m.Type, m.Width, m.Height, len(m.Data), m.Data); err != nil {
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
