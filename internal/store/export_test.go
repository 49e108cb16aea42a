package store

import (
	"context"
	"database/sql"
	"maps"
	"slices"
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

// MigrateTo brings the schema at a DSN to a version and no further.
func MigrateTo(ctx context.Context, dsn string, version int64) (*sql.DB, error) {
	engine, address, err := parseDSN(dsn)
	if err != nil {
		return nil, err
	}
	opts := Options{}
	if err := opts.settle(); err != nil {
		return nil, err
	}
	open := openSQLite
	if engine == Postgres {
		open = openPostgres
	}
	pools, err := open(ctx, address, opts)
	if err != nil {
		return nil, err
	}
	provider, err := newProvider(engine, pools.writers)
	if err == nil {
		_, err = provider.UpTo(ctx, version)
	}
	return pools.writers, err
}

// SearchWithin is Search that looks at no more than it is told to.
func (s *Store) SearchWithin(ctx context.Context, q Query, looks int) (SearchResult, error) {
	return s.search(ctx, q, looks)
}

// JournaledQueries are the named queries that the journal keeps.
func JournaledQueries() []string { return slices.Collect(maps.Keys(journaled)) }
