package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/tidings-press/tidings/article"
)

// Order is an order of articles.
type Order string

// The orders. What comes later always has a higher place by appearance, whatever
// date its author gives it: feeds and archives go by it.
const (
	ByAppearance Order = "appears"
	ByDate       Order = "published"
	ByRemoval    Order = "removed"
)

// Query asks for articles.
type Query struct {
	Filter   article.Filter
	Statuses []article.Status // Published alone when empty
	Order    Order            // ByAppearance when empty
	Limit    int              // 50 when 0
	// Before and After are exclusive bounds, taken from the Position of an article
	// in the same order.
	Before, After Position
	Oldest        bool      // oldest first; implied by After
	AsOf          time.Time // leave out what appears, or is dated, later. For readers it is now; zero shows the future too
	since         time.Time
	unsent        string // only what the ledger of this digest does not have
}

// Articles returns the articles that a query asks for, newest first. It reads them
// by index: the cost depends on the limit and, for combined filters, on the
// number of articles with their rarest term, not on the number stored.
func (s *Store) Articles(ctx context.Context, q Query) ([]Stored, error) {
	q.settle()
	l := lister{Query: q, statement: statement{engine: s.engine}, r: s.readers}
	text, err := l.compile(ctx)
	if err != nil || text == "" {
		return nil, err
	}
	rows, err := s.readers.ask(ctx, func() (*sql.Rows, error) { return s.readers.db.QueryContext(ctx, text, l.args...) })
	if err != nil {
		return nil, fmt.Errorf("articles: %w", err)
	}
	var out []Stored
	err = walk(rows, func(rows *sql.Rows) error {
		a, err := scanArticle(rows)
		out = append(out, a)
		return err
	})
	return out, wrap("articles", err)
}

// settle fills in what a query leaves open.
func (q *Query) settle() {
	if len(q.Statuses) == 0 {
		q.Statuses = []article.Status{article.Published}
	}
	if q.Order == "" {
		q.Order = ByAppearance
	}
	if q.Limit <= 0 {
		q.Limit = 50
	}
	q.Oldest = q.Oldest || !q.After.IsZero()
}

// Candidates returns the articles that a digest may still send: published, dated
// no later than now, in no edition of it yet, and offered or dated since its
// beginning; those that have waited longest come first.
func (s *Store) Candidates(ctx context.Context, digest string, since, now time.Time, filter article.Filter, limit int) ([]article.Article, error) {
	found, err := s.Articles(ctx, Query{Filter: filter, Limit: limit, Oldest: true, AsOf: now, since: since, unsent: digest})
	out := make([]article.Article, len(found))
	for i := range found {
		out[i] = found[i].Article
	}
	return out, err
}
