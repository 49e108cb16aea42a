package store_test

import (
	"bytes"
	"compress/gzip"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	_ "modernc.org/sqlite"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// storedSchemas are the folders of stored databases, one for every released schema.
// scripts/stored-schema makes them with the binary of the release.
func storedSchemas(t *testing.T) []string {
	t.Helper()
	folders, err := filepath.Glob("testdata/schema-*")
	if err != nil || len(folders) == 0 {
		t.Fatalf("no stored databases: %v", err)
	}
	return folders
}

// restoreStored returns the DSN of a copy of a stored database.
func restoreStored(t *testing.T, folder string, engine store.Engine) string {
	t.Helper()
	if engine == store.SQLite {
		dsn := storetest.DSN(t, engine)
		if err := os.WriteFile(strings.TrimPrefix(dsn, "sqlite:"), unzip(t, folder, "sqlite.db.gz"), 0o600); err != nil {
			t.Fatal(err)
		}
		return dsn
	}
	dsn := testkit.SharedPostgres(t).Database(t)
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	_, err = conn.PgConn().Exec(t.Context(), string(unzip(t, folder, "postgres.sql.gz"))).ReadAll()
	if err := errors.Join(err, conn.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
	return dsn
}

func unzip(t *testing.T, folder, name string) []byte {
	t.Helper()
	packed, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		t.Fatal(err)
	}
	reader, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// kept are the columns, by table, whose values no upgrade may change.
var kept = map[string]string{
	"articles":          "seq, id, title, summary, html, language, authors, tags, published, updated, ingested, status",
	"article_words":     "seq, words",
	"redirects":         "path, seq, target",
	"media":             "name, type, bytes, data",
	"secrets":           "name, value, created",
	"feed_polls":        "feed, day, node, data",
	"websub":            "topic, callback, secret, expires, created, host, sent",
	"subscribers":       "id, address_key, address, name, state, language, timezone, consent_source, consent_text, consent_ip, consent_at, created",
	"subscriptions":     "digest, subscriber, topics, since, left_at",
	"suppressions":      "hash, reason, detail, since",
	"editors":           "id, email_key, email, name, role, password, created, disabled",
	"feed_tokens":       "hash, subscriber, digest, created, revoked",
	"digests":           "name, spec, next_run, next_key",
	"ticks":             "digest, scheduled_for, edition, reason, at",
	"editions":          "seq, id, digest, number, scheduled_for, state, subject, audience_count, created, approved, started, finished",
	"edition_articles":  "edition, position, article_id",
	"ledger":            "digest, article_id, edition_id",
	"variants":          "edition, number, data",
	"chunks":            "edition, number, first_id, last_id, state, total, sent, refused, skipped",
	"deliveries":        "edition, subscriber, variant, state, code, tries",
	"feedback":          "key, subscriber, edition, kind, code, at",
	"hub_position":      "id, count, revision, at, editions, settings",
	"hub_notifications": "hub, topic, stamp, due, since",
}

// formerNames are the names that tables had before migration 27.
var formerNames = map[string]string{"hub_notifications": "hub_news"}

// contentOf returns the rows of all kept tables as text.
func contentOf(t *testing.T, db *sql.DB) map[string]string {
	t.Helper()
	out := map[string]string{}
	for table, columns := range kept {
		query := "SELECT " + columns + " FROM %s ORDER BY " + columns
		rows, err := db.QueryContext(t.Context(), fmt.Sprintf(query, table))
		if former := formerNames[table]; err != nil && former != "" {
			rows, err = db.QueryContext(t.Context(), fmt.Sprintf(query, former))
		}
		if err != nil {
			t.Fatalf("%s: %v", table, err)
		}
		var text strings.Builder
		values := make([]any, strings.Count(columns, ",")+1)
		into := make([]any, len(values))
		for i := range values {
			into[i] = &values[i]
		}
		for rows.Next() {
			if err := rows.Scan(into...); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintln(&text, values...)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			t.Fatal(err)
		}
		out[table] = text.String()
	}
	return out
}

// plainDB opens a database without the store, which refuses an old schema.
func plainDB(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	driver, name := "pgx", dsn
	if path, ok := strings.CutPrefix(dsn, "sqlite:"); ok {
		driver, name = "sqlite", path
	}
	db, err := sql.Open(driver, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestStoresOfEveryReleaseUpgradeWithoutLoss(t *testing.T) {
	t.Parallel()
	for _, folder := range storedSchemas(t) {
		for _, engine := range storetest.Engines {
			t.Run(filepath.Base(folder)+" "+string(engine), func(t *testing.T) {
				t.Parallel()
				dsn := restoreStored(t, folder, engine)
				before := contentOf(t, plainDB(t, dsn))
				for table, rows := range before {
					if rows == "" {
						t.Errorf("the stored database has no row in %s", table)
					}
				}
				if _, err := store.Migrate(t.Context(), dsn, store.Options{}); err != nil {
					t.Fatal(err)
				}
				s := storetest.Reopen(t, dsn, store.Options{})
				after := contentOf(t, s.DB())
				for table, rows := range before {
					if after[table] != rows {
						t.Errorf("%s changed:\n%.600s\nwas:\n%.600s", table, after[table], rows)
					}
				}
				checkUpgraded(t, s)
			})
		}
	}
}

// checkUpgraded uses an upgraded store as a service does.
func checkUpgraded(t *testing.T, s *store.Store) {
	t.Helper()
	sub, err := s.Subscriber(t.Context(), 1)
	if err != nil || sub.Address.String() == "" {
		t.Errorf("subscriber 1: %+v, %v", sub, err)
	}
	editions, err := s.Editions(t.Context(), "", 10)
	if err != nil || len(editions) != 2 {
		t.Fatalf("%d editions, %v", len(editions), err)
	}
	for _, e := range editions {
		if counts, err := s.EditionCounts(t.Context(), e.Seq); err != nil || counts.Total != 7 {
			t.Errorf("edition %s: %+v, %v", e.ID, counts, err)
		}
		if v, err := s.FullVariant(t.Context(), e.Seq); err != nil || v.HTML == "" {
			t.Errorf("the variant of %s has %d bytes, %v", e.ID, len(v.HTML), err)
		}
	}
}

func TestOpenRefusesStoreWithMissingMigrations(t *testing.T) {
	t.Parallel()
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			dsn := restoreStored(t, storedSchemas(t)[0], engine)
			plain := plainDB(t, dsn)
			before := versions(t, plain)
			_, err := store.Open(t.Context(), dsn, store.Options{})
			newest := before[len(before)-1]
			whole := versions(t, storetest.Open(t, engine, store.Options{}).DB())
			if whole[len(whole)-1] == newest {
				t.Skip("no migration since that release")
			}
			var due *store.MigrationDueError
			if !errors.As(err, &due) || len(due.Missing) != len(whole)-len(before) {
				t.Errorf("opening the store: %v; want %d missing migrations", err, len(whole)-len(before))
			}
			if after := versions(t, plain); len(after) != len(before) {
				t.Errorf("opening the store applied migrations: %v, then %v", before, after)
			}
		})
	}
}
