package store

import (
	"net/url"
	"strings"
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
func Redact(dsn string) string {
	scheme, rest, found := strings.Cut(dsn, "://")
	if !found {
		if strings.Contains(dsn, "password") {
			return "(not shown: it may hold a password)"
		}
		return dsn
	}
	rest, query, hasQuery := strings.Cut(rest, "?")
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		user, _, hasPassword := strings.Cut(rest[:at], ":")
		if hasPassword {
			user += ":***"
		}
		rest = user + rest[at:]
	}
	if hasQuery {
		rest += "?" + redactQuery(query)
	}
	return scheme + "://" + rest
}

// redactQuery hides the parameters of libpq that are secrets.
func redactQuery(query string) string {
	parts := strings.Split(query, "&")
	for i, part := range parts {
		name, _, _ := strings.Cut(part, "=")
		if plain, err := url.QueryUnescape(name); err != nil || strings.Contains(plain, "password") {
			parts[i] = name + "=***"
		}
	}
	return strings.Join(parts, "&")
}
