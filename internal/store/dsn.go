package store

import (
	"strings"

	"github.com/tidings-press/tidings/internal/config"
)

// parseDSN tells the engine and its address: a path for SQLite, the whole DSN for
// PostgreSQL.
func parseDSN(dsn string) (Engine, string, error) {
	scheme, rest, found := strings.Cut(dsn, ":")
	switch {
	case found && scheme == "sqlite":
		path := strings.TrimPrefix(rest, "//")
		if path == "" || strings.HasPrefix(path, ":memory:") {
			return "", "", &OpenError{Store: dsn, What: "it names no file", Right: "sqlite:PATH, such as sqlite:tidings.db; a store in memory would be lost at the next start"}
		}
		return SQLite, path, nil
	case found && (scheme == "postgres" || scheme == "postgresql"):
		return Postgres, dsn, nil
	}
	return "", "", &OpenError{Store: Redact(dsn), What: "unknown kind of store", Right: "sqlite:PATH or postgres://user:password@host:port/name"}
}

// Redact returns a DSN fit for messages: without a password, wherever it stands.
func Redact(dsn string) string { return config.DSN(dsn).String() }
