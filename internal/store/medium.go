package store

import (
	"context"

	"github.com/tidings-press/tidings/internal/article"
)

// Medium returns a file that came with an article, by its name.
func (s *Store) Medium(ctx context.Context, name string) (article.Medium, error) {
	var m article.Medium
	found, err := s.readers.One(ctx, "medium.get", []any{name}, &m.Name, &m.Type, &m.Width, &m.Height, &m.Data)
	if err == nil && !found {
		err = notFound("medium", name)
	}
	return m, err
}
