package store

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tidings-press/tidings/internal/store/schema"
	"github.com/tidings-press/tidings/internal/store/sqldb"
)

// SetTimeout sets how long a recorder waits for a commit.
func (r *Recorder) SetTimeout(d time.Duration) { r.timeout = d }

// SetSteps sets how many lines of a list one transaction imports, and how many subscribers one statement
// handles on SQLite, so that a test with several of them needs no long list.
func (s *Store) SetSteps(lines int, stride int64) {
	s.batch = lines
	for _, c := range []*conn{s.readers, s.writers, s.recorders} {
		c.stride = stride
	}
}

// QueryTexts returns the named queries of an engine.
func QueryTexts(engine Engine) map[string]string { return queries().Texts(engine) }

// ListSQL returns the SQL of a query for articles.
func (s *Store) ListSQL(ctx context.Context, q Query) (string, []any, error) {
	q.setDefaults()
	l := lister{Query: q, statement: statement{engine: s.engine}, r: s.readers}
	paths, err := l.paths(ctx)
	return l.compile(paths), l.args, err
}

// WaitingSQL returns the SQL of a query for articles that wait.
func (s *Store) WaitingSQL(ctx context.Context, w QueueQuery) (string, []any, error) {
	if err := w.useWatermark(ctx, s.readers); err != nil {
		return "", nil, err
	}
	return s.ListSQL(ctx, w.query())
}

// MigrateTo applies the migrations up to a version to the empty database at a DSN.
func MigrateTo(ctx context.Context, dsn string, version int64) (*sql.DB, error) {
	db, err := sqldb.Open(ctx, dsn, queries(), sqldb.Options{})
	if err != nil {
		return nil, err
	}
	var names []string
	for n := range version {
		names = append(names, fmt.Sprintf("%05d", n+1))
	}
	return db.Writers.DB, schema.Apply(ctx, db.Engine, db.Writers.DB, names)
}

// SearchWithChecks is Search with another limit on the number of checks.
func (s *Store) SearchWithChecks(ctx context.Context, q Query, looks int) (SearchResult, error) {
	return s.search(ctx, q, looks)
}

// JournaledQueries returns the names of the queries that the journal records.
func JournaledQueries() []string { return slices.Collect(maps.Keys(journaled)) }

// RemoveUnusedMedia removes media as Prune does, and calls between after the search for documents that
// name them.
func (s *Store) RemoveUnusedMedia(ctx context.Context, before time.Time, between func()) (removed int64, err error) {
	p := &pruner{store: s, holder: "test"}
	media, err := p.searchMedia(ctx, nil)
	if err != nil {
		return 0, err
	}
	between()
	err = p.removeUnused(ctx, media, before)
	return p.removed.Media, err
}

// SearchIsFrequent reports whether a search is answered without the index of trigrams.
func (s *Store) SearchIsFrequent(ctx context.Context, f SubscriberFilter) (bool, error) {
	q := subscriberFinder{filter: f, conn: s.readers}
	err := q.chooseTrigrams(ctx)
	return q.frequent, err
}
