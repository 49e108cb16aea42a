// Package store keeps all data of Tidings, in SQLite for one machine or in PostgreSQL for
// any number of machines. Open returns a Store. Its methods are grouped by aggregate in the
// files article*.go, subscriber*.go, edition*.go and job.go, each with the SQL of its named
// queries beside it in a file of the same name.
//
// Package sqldb beneath it runs the same SQL on both engines, and package schema holds
// the migrations. Times are stored as Unix milliseconds, so that they compare the same
// everywhere; the zero time is 0.
package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidings-press/tidings/internal/store/schema"
	"github.com/tidings-press/tidings/internal/store/sqldb"
)

// Engine names the database engine of a store.
type Engine = sqldb.Engine

// The engines.
const (
	SQLite   = sqldb.SQLite
	Postgres = sqldb.Postgres
)

// Durability is what a commit survives.
type Durability = sqldb.Durability

// The durabilities; see package sqldb.
const (
	Full   = sqldb.Full
	Normal = sqldb.Normal
)

// Options control how a store is opened. The zero value is a good default.
type Options struct {
	Durability Durability       // Full when empty
	Clock      func() time.Time // time.Now when nil
	Wait       time.Duration    // how long a writer waits for another process on SQLite; 30 s when 0
	Conns      int              // maximum of connections to PostgreSQL, or of readers of SQLite; 0 chooses by the number of processors
	Journal    string           // folder of the journal; none when empty
	name       string           // application_name on PostgreSQL
}

// Store is an open store. It is safe for concurrent use.
type Store struct {
	db        *sqldb.DB
	engine    Engine
	clock     func() time.Time
	readers   *conn
	writers   *conn
	recorders *conn
	secrets   secretCache
	files     fileIdentity // of SQLite, as they were opened
	fault     atomic.Pointer[Fault]
	damage    atomic.Pointer[Fault] // the first damage that was found
	journal   *journalWriter        // nil without one
	history   history
	published atomic.Pointer[publishedCount] // nil until they are counted

	migrations int // that it had when it was opened
	batch      int // lines of a list that one transaction imports
}

//go:embed *.sql
var queryFiles embed.FS

// queries are the named queries of all files.
var queries = sync.OnceValue(func() *sqldb.Queries {
	q, err := sqldb.LoadQueries(queryFiles, doubtedMacro)
	if err != nil {
		panic(err) // the files are built in and a test loads them
	}
	q.Add(Postgres, "delivery.record", combineRecords(q))
	return q
})

// Open opens the store at a DSN: "sqlite:PATH" or
// "postgres://user:password@host:port/name", where PostgreSQL may have several hosts
// ("host1:5432,host2:5432") and target_session_attrs=read-write to find the primary.
// An empty store gets its schema; any other must have the schema of this program, which
// Migrate provides. A store that is older than its journal is quarantined. Errors are
// *OpenError, *MigrationDueError and *NewerSchemaError.
func Open(ctx context.Context, dsn string, opts Options) (*Store, error) {
	s, err := connect(ctx, dsn, opts)
	if err != nil {
		return nil, err
	}
	if err := s.prepare(ctx, dsn, opts); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

// prepare checks the schema of a store and opens its journal.
func (s *Store) prepare(ctx context.Context, dsn string, opts Options) error {
	if err := schema.Ensure(ctx, s.engine, s.DB()); err != nil {
		return describeSchema(dsn, err)
	}
	err := s.checkNotMoved(ctx, dsn)
	if err != nil {
		return err
	}
	if s.migrations, err = schema.CountApplied(ctx, s.engine, s.DB()); err == nil && opts.Journal != "" {
		err = s.openJournal(ctx, opts.Journal)
	}
	return sqldb.Wrap("store "+Redact(dsn), err)
}

// connect opens the connections of a store, whatever its schema is.
func connect(ctx context.Context, dsn string, opts Options) (*Store, error) {
	db, err := sqldb.Open(ctx, dsn, queries(), sqldb.Options{Durability: opts.Durability, Wait: opts.Wait, Conns: opts.Conns, Name: opts.name})
	if err != nil {
		return nil, err
	}
	s := &Store{db: db, engine: db.Engine, clock: opts.Clock, batch: batchSize}
	if s.clock == nil {
		s.clock = time.Now
	}
	if db.Path != "" {
		s.files = identifyFiles(db.Path)
	}
	for _, c := range []*sqldb.Conn{db.Readers, db.Writers, db.Recorders} {
		c.OnError = s.noteFault
	}
	s.readers, s.writers = &conn{Conn: db.Readers, stride: freezeStride}, &conn{Conn: db.Writers, stride: freezeStride}
	if s.recorders = s.writers; db.Recorders != db.Writers {
		s.recorders = &conn{Conn: db.Recorders, stride: freezeStride}
	}
	return s, nil
}

// connectExisting connects to a store. Unlike connect, it does not create a missing SQLite file, and
// returns an *OpenError instead.
func connectExisting(ctx context.Context, dsn string, opts Options) (*Store, error) {
	engine, path, err := sqldb.ParseDSN(dsn)
	if err != nil {
		return nil, err
	}
	if engine == SQLite {
		if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
			return nil, &OpenError{Store: Redact(dsn), What: "there is no such file", Fix: "check store.dsn; a relative path starts in the folder of config.yaml", Err: err}
		}
	}
	return connect(ctx, dsn, opts)
}

// Migrate brings the schema of the store at a DSN up to date, and creates it in an
// empty store. It returns the names of the migrations that it applied, in order, such
// as "00012_consent"; none when the schema was current. Several processes may call it
// at once. Errors are *OpenError and *NewerSchemaError.
func Migrate(ctx context.Context, dsn string, opts Options) (applied []string, err error) {
	s, err := connect(ctx, dsn, opts)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	applied, err = schema.Migrate(ctx, s.engine, s.DB())
	return applied, describeSchema(dsn, err)
}

// Close closes all connections. The store must not be used after it.
func (s *Store) Close() error { return errors.Join(s.closeJournal(), s.db.Close()) }

// Engine returns the database engine of the store.
func (s *Store) Engine() Engine { return s.engine }

// Now returns the time of the store's clock, in UTC and whole milliseconds.
func (s *Store) Now() time.Time { return s.clock().UTC().Truncate(time.Millisecond) }

// DB returns the pool that writes, for measurements and tests.
func (s *Store) DB() *sql.DB { return s.db.Writers.DB }

// write runs fn in a transaction that writes. It runs fn again if the transaction failed
// without effect, which fn must allow. On SQLite it holds the only writing connection, so fn
// must use nothing but tx. The transaction adds the entry of WithAudit.
func (s *Store) write(ctx context.Context, fn func(tx *conn) error) error {
	fn, added := s.audited(ctx, fn)
	err := s.writers.Retry(ctx, func() error { return s.writers.transaction(ctx, fn) })
	if err == nil {
		added()
	}
	return err
}

// The error types of the packages sqldb and schema.
type (
	OpenError         = sqldb.OpenError
	NewerSchemaError  = schema.NewerError
	MigrationDueError = schema.MigrationDueError
)

// Redact returns a DSN without its password, for messages.
func Redact(dsn string) string { return sqldb.Redact(dsn) }

// describeSchema adds the store to an error about its schema.
func describeSchema(dsn string, err error) error {
	var newer *NewerSchemaError
	var due *MigrationDueError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &newer), errors.As(err, &due), errors.Is(err, schema.ErrUnfinished):
		return fmt.Errorf("store %s: %w", Redact(dsn), err)
	}
	return &OpenError{
		Store: Redact(dsn), What: "its schema cannot be brought up to date: " + err.Error(),
		Fix: "use a role or file that may create tables, in a database of Tidings' own", Err: err,
	}
}

// ErrNotFound reports that a row does not exist. Methods wrap it with the kind of row and
// its key.
var ErrNotFound = errors.New("not found")

// notFound wraps ErrNotFound with the kind of row and its key.
func notFound(what string, key any) error {
	return fmt.Errorf("%s %v: %w", what, key, ErrNotFound)
}

// millis returns a time as it is stored; the zero time is 0.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// timeOf returns the time of a stored number.
func timeOf(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
