// Package sqldb opens SQLite and PostgreSQL and runs the same named queries on both.
// Open returns a DB with its connection pools; a Conn runs queries by name, on a pool
// or in a transaction. It knows nothing of the tables.
package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tidings-press/tidings/internal/config"
)

// Engine names a database engine.
type Engine string

// The engines.
const (
	SQLite   Engine = "sqlite"
	Postgres Engine = "postgres"
)

// Durability is what a commit survives.
type Durability string

// The durabilities. Full is the default: a commit survives a power loss. Normal is
// faster: a commit survives a kill of the process, but a power loss (on PostgreSQL: a
// crash of its server) may undo the last commits, each as a whole.
const (
	Full   Durability = "full"
	Normal Durability = "normal"
)

// Options control how a database is opened. The zero value is a good default.
type Options struct {
	Durability Durability    // Full when empty
	Wait       time.Duration // how long a writer waits for another process on SQLite; 30 s when 0
	Conns      int           // connections to PostgreSQL, or readers of SQLite, at most; 0 chooses by the processors
	Name       string        // application_name on PostgreSQL; SessionName when empty

	connects *atomic.Int64 // counts the connections to PostgreSQL
}

// setDefaults fills in the defaults.
func (o *Options) setDefaults() error {
	switch o.Durability {
	case "":
		o.Durability = Full
	case Full, Normal:
	default:
		return fmt.Errorf("unknown store durability %q; use %q or %q", o.Durability, Full, Normal)
	}
	if o.Wait == 0 {
		o.Wait = 30 * time.Second
	}
	return nil
}

// DB is an open database. On SQLite Recorders is Writers; on PostgreSQL Readers is.
type DB struct {
	Engine    Engine
	Path      string // of the SQLite file; empty on PostgreSQL
	Wait      time.Duration
	Writers   *Conn
	Readers   *Conn
	Recorders *Conn // for the statements that store outcomes of deliveries

	connects *atomic.Int64
}

// Connects returns how many connections to PostgreSQL were made so far; 0 on SQLite.
func (db *DB) Connects() int64 { return db.connects.Load() }

// pools are the connections to a database; some may be the same.
type pools struct{ writers, readers, recorders *sql.DB }

// Open opens the database at a DSN, "sqlite:PATH" or
// "postgres://user:password@host:port/name", whatever its schema. Errors about the
// DSN or the database are *OpenError.
func Open(ctx context.Context, dsn string, queries *Queries, opts Options) (*DB, error) {
	if err := opts.setDefaults(); err != nil {
		return nil, err
	}
	engine, address, err := ParseDSN(dsn)
	if err != nil {
		return nil, err
	}
	open := openSQLite
	if engine == Postgres {
		open = openPostgres
	}
	opts.connects = new(atomic.Int64)
	p, err := open(ctx, address, opts)
	if err != nil {
		return nil, err
	}
	texts := queries.Texts(engine)
	db := &DB{Engine: engine, Wait: opts.Wait, connects: opts.connects, Writers: newConn(engine, texts, p.writers), Readers: newConn(engine, texts, p.readers)}
	if engine == SQLite {
		db.Path = address
	}
	if db.Recorders = db.Writers; p.recorders != p.writers {
		db.Recorders = newConn(engine, texts, p.recorders)
	}
	return db, nil
}

// Close closes all connections.
func (db *DB) Close() error {
	err := db.Writers.close()
	if db.Readers.DB != db.Writers.DB {
		err = errors.Join(err, db.Readers.close())
	}
	if db.Recorders != db.Writers {
		err = errors.Join(err, db.Recorders.close())
	}
	return err
}

// ParseDSN returns the engine of a DSN and the address within it: a path for SQLite,
// the whole DSN for PostgreSQL.
func ParseDSN(dsn string) (Engine, string, error) {
	scheme, rest, found := strings.Cut(dsn, ":")
	switch {
	case found && scheme == "sqlite":
		path := strings.TrimPrefix(rest, "//")
		if path == "" || strings.HasPrefix(path, ":memory:") {
			return "", "", &OpenError{Store: dsn, What: "it names no file", Fix: "use sqlite:PATH, such as sqlite:tidings.db; a store in memory would be lost at the next start"}
		}
		return SQLite, path, nil
	case found && (scheme == "postgres" || scheme == "postgresql"):
		return Postgres, dsn, nil
	}
	return "", "", &OpenError{Store: Redact(dsn), What: "unknown kind of store", Fix: "use sqlite:PATH or postgres://user:password@host:port/name"}
}

// Redact returns a DSN without its password, for messages.
func Redact(dsn string) string { return config.DSN(dsn).String() }

// OpenError reports why a store cannot be opened and how to fix it. It never holds a
// password.
type OpenError struct {
	Store string // the DSN without its password
	What  string
	Fix   string
	Err   error // the driver's error; may be nil
}

// Error returns the store, what is wrong and how to fix it.
func (e *OpenError) Error() string {
	return fmt.Sprintf("store %s: %s; %s", e.Store, e.What, e.Fix)
}

// Unwrap returns the driver's error.
func (e *OpenError) Unwrap() error { return e.Err }
