package store

import (
	"context"
	"time"
)

// SetPatience is how long a recorder waits for a commit.
func (r *Recorder) SetPatience(d time.Duration) { r.most = d }

// QueryTexts shows tests the named queries of an engine.
func QueryTexts(engine Engine) map[string]string { return queryTexts(engine) }

// ParseQueries shows tests how a file of named queries is read.
func ParseQueries(data string, engine Engine) (map[string]string, error) {
	into := map[string]string{}
	return into, parseQueries("test.sql", data, engine, into)
}

// ListSQL shows tests the SQL of a query for articles.
func (s *Store) ListSQL(ctx context.Context, q Query) (string, []any, error) {
	q.settle()
	l := lister{Query: q, statement: statement{engine: s.engine}, r: s.readers}
	roads, err := l.roads(ctx)
	return l.compile(roads), l.args, err
}

// SearchWithin is Search that looks at no more than it is told to.
func (s *Store) SearchWithin(ctx context.Context, q Query, looks int) (Found, error) {
	return s.search(ctx, q, looks)
}
