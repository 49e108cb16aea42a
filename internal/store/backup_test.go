package store_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/archive"
	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// backUp writes an archive of a store and returns its path and summary.
func backUp(t *testing.T, dsn string) (path string, summary archive.Summary) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "backup.tidings")
	summary, err := archive.Create(path, func(w io.Writer) error {
		return store.Backup(t.Context(), dsn, store.Options{}, w)
	})
	if err != nil {
		t.Fatal(err)
	}
	return path, summary
}

func TestBackupOfEveryReleaseIsRestoredOnBothEngines(t *testing.T) {
	t.Parallel()
	for _, from := range storetest.Engines {
		for _, to := range storetest.Engines {
			t.Run(string(from)+" to "+string(to), func(t *testing.T) {
				t.Parallel()
				source := restoreStored(t, storedSchemas(t)[0], from)
				before := contentOf(t, plainDB(t, source))
				file, summary := backUp(t, source)
				if summary.Tables["subscribers"] != 7 || summary.Header.Engine != string(from) {
					t.Errorf("summary %+v", summary)
				}
				dsn := emptyDSN(t, to)
				restored, err := store.Restore(t.Context(), dsn, file, store.RestoreOptions{})
				if err != nil {
					t.Fatal(err)
				}
				if restored.Rows != summary.Rows || restored.Aside != "" || restored.Journal {
					t.Errorf("restored %+v", restored)
				}
				s := storetest.Reopen(t, dsn, store.Options{})
				after := contentOf(t, s.DB())
				delete(before, "secrets") // the generation is new
				for table, rows := range before {
					if after[table] != rows {
						t.Errorf("%s changed:\n%.600s\nwas:\n%.600s", table, after[table], rows)
					}
				}
				checkUpgraded(t, s)
				checkRestored(t, s)
			})
		}
	}
}

// checkRestored checks what a restore changes deliberately.
func checkRestored(t *testing.T, s *store.Store) {
	t.Helper()
	q, err := s.Quarantine(t.Context())
	if err != nil || q == nil || q.Reason != store.Restored || q.Journal || q.Taken.IsZero() {
		t.Errorf("quarantine %+v, %v", q, err)
	}
	if found, err := s.Search(t.Context(), store.Query{Filter: article.Filter{Expr: article.Word{Text: "ferry"}}, Limit: 10}); err != nil || len(found.Articles) == 0 {
		t.Errorf("the words of articles are not found: %v", err)
	}
	var sessions, highest int64
	if err := s.DB().QueryRowContext(t.Context(), "SELECT (SELECT count(*) FROM sessions), (SELECT max(id) FROM subscribers)").Scan(&sessions, &highest); err != nil || sessions != 0 {
		t.Errorf("%d sessions, %v", sessions, err)
	}
	added := addSubscriber(t, s, "new@example.org", subscriber.Active).ID
	if added < highest+1000 {
		t.Errorf("the next subscriber has the number %d, which may have been used before", added)
	}
}

func TestGenerationChangesWithARestore(t *testing.T) {
	t.Parallel()
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			dsn := storetest.DSN(t, engine)
			s := storetest.Reopen(t, dsn, store.Options{})
			first, err := s.Generation(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			file, summary := backUp(t, dsn)
			if summary.Header.Generation == "" {
				t.Error("the archive does not name the generation")
			}
			dsn = emptyDSN(t, engine)
			if _, err := store.Restore(t.Context(), dsn, file, store.RestoreOptions{}); err != nil {
				t.Fatal(err)
			}
			second, err := storetest.Reopen(t, dsn, store.Options{}).Generation(t.Context())
			if err != nil || string(first) == string(second) {
				t.Errorf("before %x, after %x, %v", first, second, err)
			}
		})
	}
}

func TestRestoreRefusesAStoreWithContent(t *testing.T) {
	t.Parallel()
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			dsn := storetest.DSN(t, engine)
			s, err := store.Open(t.Context(), dsn, store.Options{})
			if err != nil {
				t.Fatal(err)
			}
			addSubscriber(t, s, "first@example.org", subscriber.Active)
			file, _ := backUp(t, dsn)
			addSubscriber(t, s, "second@example.org", subscriber.Active)

			_, err = store.Restore(t.Context(), dsn, file, store.RestoreOptions{})
			var full *store.NotEmptyError
			if !errors.As(err, &full) || !strings.Contains(err.Error(), "--replace") {
				t.Errorf("without --replace: %v", err)
			}
			_, err = store.Restore(t.Context(), dsn, file, store.RestoreOptions{Replace: true})
			var open *store.OpenError
			if !errors.As(err, &open) || !strings.Contains(err.Error(), "stop every tidings process") {
				t.Errorf("while the store is open: %v", err)
			}
			if n, err := s.CountSubscribers(t.Context()); err != nil || n["pending"]+n["active"] != 2 {
				t.Errorf("the store changed: %v, %v", n, err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			restored, err := store.Restore(t.Context(), dsn, file, store.RestoreOptions{Replace: true})
			if err != nil || restored.Aside == "" {
				t.Fatalf("with --replace: %+v, %v", restored, err)
			}
			s = storetest.Reopen(t, dsn, store.Options{})
			if n, err := s.CountSubscribers(t.Context()); err != nil || n["pending"]+n["active"] != 1 {
				t.Errorf("after the restore: %v, %v", n, err)
			}
			if engine == store.SQLite {
				old := storetest.Reopen(t, "sqlite:"+restored.Aside, store.Options{})
				if n, err := old.CountSubscribers(t.Context()); err != nil || n["pending"]+n["active"] != 2 {
					t.Errorf("the old store: %v, %v", n, err)
				}
			}
		})
	}
}

func TestDamagedArchiveChangesNothing(t *testing.T) {
	t.Parallel()
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			file, _ := backUp(t, usedDSN(t, engine))
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			dsn := usedDSN(t, engine)
			for _, damaged := range [][]byte{nil, []byte("no archive"), data[:len(data)-20], append(data[:100:100], data[101:]...)} {
				path := filepath.Join(t.TempDir(), "damaged")
				if err := os.WriteFile(path, damaged, 0o600); err != nil {
					t.Fatal(err)
				}
				if _, err := store.Restore(t.Context(), dsn, path, store.RestoreOptions{Replace: true}); !errors.Is(err, archive.ErrFormat) || !strings.Contains(err.Error(), path) {
					t.Errorf("%d bytes: %v", len(damaged), err)
				}
			}
			if q, err := storetest.Reopen(t, dsn, store.Options{}).Quarantine(t.Context()); q != nil || err != nil {
				t.Errorf("the store changed: %+v, %v", q, err)
			}
		})
	}
}

func TestBackupFileIsPrivateAndNeverOverwritten(t *testing.T) {
	t.Parallel()
	dsn := usedDSN(t, store.SQLite)
	path, _ := backUp(t, dsn)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v; want -rw-------", info.Mode(), err)
	}
	write := func(w io.Writer) error { return store.Backup(t.Context(), dsn, store.Options{}, w) }
	if _, err := archive.Create(path, write); !errors.Is(err, archive.ErrExists) {
		t.Errorf("a second backup to the same file: %v", err)
	}
	failed := filepath.Join(t.TempDir(), "failed")
	if _, err := archive.Create(failed, func(w io.Writer) error { return errors.Join(write(w), io.ErrShortWrite) }); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("a backup that failed: %v", err)
	}
	if left, err := filepath.Glob(filepath.Dir(failed) + "/.*"); err != nil || len(left) != 0 {
		t.Errorf("the failed backup left %v, %v", left, err)
	}
}

func TestBackupOfAMissingOrEmptyStoreIsRefused(t *testing.T) {
	t.Parallel()
	missing := filepath.Join(t.TempDir(), "missing.db")
	var refused *store.OpenError
	err := store.Backup(t.Context(), "sqlite:"+missing, store.Options{}, io.Discard)
	if !errors.As(err, &refused) || !strings.Contains(err.Error(), missing+": there is no such file; check store.dsn") {
		t.Errorf("a missing file: %v", err)
	}
	if _, err := os.Stat(missing); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file was created: %v", err)
	}
	if err := os.WriteFile(missing, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dsn := range []string{"sqlite:" + missing, emptyDSN(t, store.Postgres)} {
		if err := store.Backup(t.Context(), dsn, store.Options{}, io.Discard); !errors.As(err, &refused) || !strings.Contains(err.Error(), "nothing to back up") {
			t.Errorf("an empty store: %v", err)
		}
	}
}

// TestBackupIsRecordedInTheStore also records one in a store of a release that had no audit log.
func TestBackupIsRecordedInTheStore(t *testing.T) {
	t.Parallel()
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			dsn := storetest.DSN(t, engine)
			s := storetest.Reopen(t, dsn, store.Options{})
			entry := store.AuditEntry{Who: store.AuditCommandLine, Action: "backup.make", Detail: "to /backups/a.tidings"}
			if err := store.RecordBackup(t.Context(), dsn, store.Options{}, entry); err != nil {
				t.Fatal(err)
			}
			found, err := s.AuditLog(t.Context(), store.AuditFilter{Action: "backup.make", Limit: 10})
			if err != nil || len(found) != 1 || found[0].Who != entry.Who || found[0].Detail != entry.Detail {
				t.Errorf("the audit log has %+v, %v", found, err)
			}
			if _, err := s.DB().ExecContext(t.Context(), "DROP TABLE audit_log"); err != nil {
				t.Fatal(err)
			}
			if err := store.RecordBackup(t.Context(), dsn, store.Options{}, entry); err != nil {
				t.Errorf("without an audit log: %v", err)
			}
		})
	}
}

func TestInterruptedRestoreIsNotOpened(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	dsn := emptyDSN(t, store.Postgres)
	s, err := store.Open(t.Context(), dsn, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	addSubscriber(t, s, "first@example.org", subscriber.Active)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	file, _ := backUp(t, dsn)
	db := plainDB(t, dsn)
	if _, err := db.ExecContext(t.Context(), "CREATE TABLE restore_unfinished (since BIGINT)"); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(t.Context(), dsn, store.Options{}); err == nil || !strings.Contains(err.Error(), "interrupted") {
		t.Errorf("opening an unfinished restore: %v", err)
	}
	if _, err := store.Restore(t.Context(), dsn, file, store.RestoreOptions{Replace: true}); err != nil {
		t.Fatal(err)
	}
	if q, err := storetest.Reopen(t, dsn, store.Options{}).Quarantine(t.Context()); q == nil || err != nil {
		t.Errorf("after the second one: %+v, %v", q, err)
	}
}
