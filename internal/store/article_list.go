package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store/sqldb"
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

// WithoutHTML is the Room of a query for articles without their HTML.
const WithoutHTML = -1

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
	IDs           bool      // nothing of the articles but their ids and positions
	HTMLBudget    int       // bytes of HTML for all articles together: the largest come without theirs. 0 is any
	AsOf          time.Time // leave out what appears, or is dated, later. For readers it is now; zero shows the future too
	NotBefore     time.Time // only what appears, or is dated, later than this
	waits         *Waiting  // only what belongs to a digest and no edition of it had
}

// Articles returns the articles that a query asks for, newest first. It reads them
// by index: the cost depends on the limit and, for combined filters, on the
// number of articles with their rarest term, not on the number stored.
func (s *Store) Articles(ctx context.Context, q Query) ([]StoredArticle, error) {
	found, err := s.search(ctx, q, 0)
	return found.Articles, err
}

// SearchResult is what a bounded search found.
type SearchResult struct {
	Articles []StoredArticle
	// Until is the position of the last article that was looked at, when the search
	// stopped there without having found as many as were asked for. All between
	// there and where it began that fit are found; to go on, begin there. Zero when
	// nothing is left.
	Until Position
}

// mostLooks is how much a bounded search looks at. Some 8,000 articles with a
// frequent tag are asked for another one in about 20 ms.
const mostLooks = 8000

// Search is Articles for filters that anybody may ask for: its cost is bounded. Two
// frequent terms that hardly ever meet are found among the newest articles only, and
// further down by going on from where it stopped.
func (s *Store) Search(ctx context.Context, q Query) (SearchResult, error) {
	return s.search(ctx, q, mostLooks)
}

// search looks at so much at most; 0 is any.
func (s *Store) search(ctx context.Context, q Query, looks int) (SearchResult, error) {
	q.settle()
	l := lister{Query: q, statement: statement{engine: s.engine}, r: s.readers}
	roads, err := l.roads(ctx)
	if err == nil && looks > 0 {
		err = l.stop(ctx, roads, looks)
	}
	if err != nil || len(roads) == 0 {
		return SearchResult{}, err
	}
	text := l.compile(roads)
	rows, err := s.readers.QueryContext(ctx, text, l.args...)
	if err != nil {
		return SearchResult{}, fmt.Errorf("articles: %w", err)
	}
	var found SearchResult
	err = sqldb.Walk(rows, func(rows *sql.Rows) error {
		a, err := scanArticle(rows)
		found.Articles = append(found.Articles, a)
		return err
	})
	if len(found.Articles) < q.Limit {
		found.Until = l.floor
	}
	return found, sqldb.Wrap("articles", err)
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
