package benchkit

import (
	"context"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store"
)

// PutArticles stores n articles, a thousand in each transaction. next makes one article after the
// other.
func PutArticles(ctx context.Context, db *store.Store, n int, next func(i int) article.Article) error {
	batch := make([]article.Article, 0, 1000)
	for i := range n {
		if batch = append(batch, next(i)); len(batch) == cap(batch) || i == n-1 {
			if _, err := db.PutArticles(ctx, batch); err != nil {
				return err
			}
			batch = batch[:0]
		}
	}
	return nil
}
