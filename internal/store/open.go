package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// Engine names the database under a store.
type Engine string

// The engines.
const (
	SQLite   Engine = "sqlite"
	Postgres Engine = "postgres"
)

// Durability says what a commit survives.
type Durability string

// The durabilities. Full is the default: a commit survives a power loss. Normal
// is faster: a commit survives a kill of the process at any moment, but a power
// loss (on PostgreSQL: a crash of its server) may take the last commits back,
// never a part of one.
const (
	Full   Durability = "full"
	Normal Durability = "normal"
)

// Options are how a store is opened. The zero value is good.
type Options struct {
	Durability Durability       // Full when empty
	Clock      func() time.Time // time.Now when nil
	Wait       time.Duration    // how long a writer waits for another process on SQLite; 30 s when 0
	Conns      int              // most connections to PostgreSQL, or readers of SQLite; 0 for a good number
	Journal    string           // folder of the journal; none when empty
	name       string           // that PostgreSQL shows of our connections; tidings when empty
}

// Store is an open store. It is safe for concurrent use.
type Store struct {
	engine    Engine
	clock     func() time.Time
	readers   *runner
	writers   *runner
	recorders *runner
	secrets   secretCache
	files     files // of SQLite, as they were opened
	fault     atomic.Pointer[Fault]
	damage    atomic.Pointer[Fault] // the first that was found
	wait      time.Duration         // how long a writer waits for another process
	journal   *keeper               // nil without one
}

// pools are the connections to a database; some or all may be the same.
type pools struct{ writers, readers, recorders *sql.DB }

// Open opens the store at a DSN: "sqlite:PATH" or
// "postgres://user:password@host:port/name", where PostgreSQL may have several hosts
// ("host1:5432,host2:5432") and target_session_attrs=read-write to find the primary.
// An empty store gets its schema; one that holds anything must have the schema of
// this program, which Migrate brings about. Errors are *OpenError,
// *MigrationDueError and *NewerSchemaError. A store that is older than its journal is
// quarantined.
func Open(ctx context.Context, dsn string, opts Options) (*Store, error) {
	if err := opts.settle(); err != nil {
		return nil, err
	}
	s, err := connect(ctx, dsn, opts)
	if err != nil {
		return nil, err
	}
	if err := ensureSchema(ctx, s.engine, s.writers.db); err != nil {
		_ = s.Close()
		return nil, describeSchema(dsn, err)
	}
	if err := errors.Join(s.writers.prepareAll(ctx), s.readers.prepareAll(ctx)); err != nil {
		_ = s.Close()
		return nil, fmt.Errorf("store %s: %w", Redact(dsn), err)
	}
	if opts.Journal == "" {
		return s, nil
	}
	if err := s.openJournal(ctx, opts.Journal); err != nil {
		_ = s.Close()
		return nil, fmt.Errorf("store %s: %w", Redact(dsn), err)
	}
	return s, nil
}

// connect opens the connections of a store, whatever its schema is.
func connect(ctx context.Context, dsn string, opts Options) (*Store, error) {
	engine, address, err := parseDSN(dsn)
	if err != nil {
		return nil, err
	}
	s := &Store{engine: engine, clock: opts.Clock, wait: opts.Wait}
	open := openSQLite
	if engine == Postgres {
		open = openPostgres
	}
	p, err := open(ctx, address, opts)
	if err != nil {
		return nil, err
	}
	s.writers, s.readers = newRunner(engine, p.writers), newRunner(engine, p.readers)
	s.readers.note = s.noteFault
	if engine == SQLite {
		s.files = openedFiles(address)
	}
	if s.recorders = s.writers; p.recorders != p.writers {
		s.recorders = newRunner(engine, p.recorders)
	}
	return s, nil
}

func (o *Options) settle() error {
	switch o.Durability {
	case "":
		o.Durability = Full
	case Full, Normal:
	default:
		return fmt.Errorf("store durability %q: unknown; right would be: %q or %q", o.Durability, Full, Normal)
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Wait == 0 {
		o.Wait = 30 * time.Second
	}
	return nil
}

// Close closes all connections. A store is not used after it.
func (s *Store) Close() error {
	err := errors.Join(s.writers.close(), s.closeJournal())
	if s.readers.db != s.writers.db {
		err = errors.Join(err, s.readers.close())
	}
	if s.recorders != s.writers {
		err = errors.Join(err, s.recorders.close())
	}
	return err
}

// Ping says whether the store answers.
func (s *Store) Ping(ctx context.Context) error { return s.writers.db.PingContext(ctx) }

// Engine tells which database is underneath.
func (s *Store) Engine() Engine { return s.engine }

// Now is the store's clock: UTC, in milliseconds.
func (s *Store) Now() time.Time { return s.clock().UTC().Truncate(time.Millisecond) }

// DB is the pool that writes, for what has no method: backups and measurements.
func (s *Store) DB() *sql.DB { return s.writers.db }
