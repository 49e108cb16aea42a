package store_test

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// TestHelperProcess is not a test: other tests run the test binary with it to get a second process
// on their store.
func TestHelperProcess(t *testing.T) {
	dsn, job := os.Getenv("TIDINGS_TEST_DSN"), os.Getenv("TIDINGS_TEST_JOB")
	if dsn == "" {
		t.Skip("runs only as the second process of other tests")
	}
	s, err := store.Open(t.Context(), dsn, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	switch job {
	case "audited":
		addAudited(t, s)
	case "import":
		s.SetSteps(killedBatch, killedBatch)
		importAll(t, s, killedList)
	}
}

func helperProcess(dsn, job string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], "-test.run=^TestHelperProcess$", "-test.count=1")
	cmd.Env = append(os.Environ(), "TIDINGS_TEST_DSN="+dsn, "TIDINGS_TEST_JOB="+job)
	return cmd
}

// emptyDSN returns the DSN of a store without any migration.
func emptyDSN(t *testing.T, engine store.Engine) string {
	t.Helper()
	if engine == store.SQLite {
		return "sqlite:" + filepath.Join(t.TempDir(), "tidings.db")
	}
	return testkit.SharedPostgres(t).Database(t)
}

func TestConcurrentMigrationsSucceed(t *testing.T) {
	t.Parallel()
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			dsn := emptyDSN(t, engine)
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() {
					if out, err := helperProcess(dsn, "open").CombinedOutput(); err != nil {
						t.Errorf("%v\n%s", err, out)
					}
				})
			}
			wg.Wait()
		})
	}
}

func TestWriterWaitsForAnotherProcess(t *testing.T) {
	t.Parallel()
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			dsn := storetest.DSN(t, engine)
			mine, theirs := storetest.Reopen(t, dsn, store.Options{}), storetest.Reopen(t, dsn, store.Options{})
			tx, err := theirs.DB().BeginTx(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tx.Exec("UPDATE revision SET value = value + 1"); err != nil {
				t.Fatal(err)
			}
			done := make(chan error, 1)
			go func() {
				_, err := mine.PutArticle(context.WithoutCancel(t.Context()), newArticle("waits"), nil, nil)
				done <- err
			}()
			select {
			case err := <-done:
				t.Errorf("the writer did not wait: %v", err)
			case <-time.After(300 * time.Millisecond): // long enough to have failed
			}
			if _, err := mine.Revision(t.Context()); err != nil {
				t.Errorf("a reader had to wait: %v", err)
			}
			if err := tx.Commit(); err != nil {
				t.Fatal(err)
			}
			if err := <-done; err != nil {
				t.Errorf("after the wait: %v", err)
			}
		})
	}
}

func TestOpenErrorsExplainTheCause(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text := filepath.Join(dir, "notes.txt")
	if err := os.WriteFile(text, []byte(strings.Repeat("This is no database at all. ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, dsn, want string }{
		{"no file", "sqlite:", "sqlite:PATH"},
		{"memory", "sqlite::memory:", "lost"},
		{"unknown", "mysql://root:hunter2@host/db", "unknown kind"},
		{"bare path", "tidings.db", "sqlite:PATH"},
		{"folder", "sqlite:" + dir, "it is a folder"},
		{"no folder", "sqlite:" + filepath.Join(dir, "none", "x.db"), "the folder"},
		{"not a database", "sqlite:" + text, "not a SQLite database"},
		{"device", "sqlite:/dev/null", "regular file"},
		{"syntax", "postgres://u:hunter2@host:notaport/db", "cannot be read"},
		{"no server", "postgres://u:hunter2@127.0.0.1:" + closedPort(t) + "/db?connect_timeout=5", "cannot be reached"},
		{"no such host", "postgres://u:hunter2@host.invalid/db", "unknown host"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, err := store.Open(t.Context(), c.dsn, store.Options{})
			if err == nil {
				_ = s.Close()
				t.Fatal("the store was opened")
			}
			var explained *store.OpenError
			if !errors.As(err, &explained) || !strings.Contains(err.Error(), c.want) || explained.Fix == "" {
				t.Errorf("%v\nwant an error that contains %q", err, c.want)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the password is in the message: %v", err)
			}
		})
	}
}

func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func TestRefusalOfAServerIsQuoted(t *testing.T) {
	t.Parallel()
	server := testkit.SharedPostgres(t)
	dsn := "postgres://postgres@" + server.Address() + "/no_such_database?sslmode=disable"
	if _, err := store.Open(t.Context(), dsn, store.Options{}); err == nil || !strings.Contains(err.Error(), "createdb") {
		t.Errorf("a missing database: %v", err)
	}
}

func TestPasswordsAreRedacted(t *testing.T) {
	t.Parallel()
	for dsn, want := range map[string]string{
		"sqlite:/var/lib/t.db":                               "sqlite:/var/lib/t.db",
		"postgres://u:p@w:x@h/db":                            "postgres://u:***@h/db",
		"postgres://u@h1:1,h2:2/db?target_session_attrs=any": "postgres://u@h1:1,h2:2/db?target_session_attrs=any",
		"postgres://h/db?user=u&password=p&sslpassword=q":    "postgres://h/db?user=u&password=***&sslpassword=***",
		"postgres://h/db?pass%77ord=p":                       "postgres://h/db?pass%77ord=***",
		"host=h password=p":                                  "(not shown: it may hold a password)",
	} {
		if got := store.Redact(dsn); got != want {
			t.Errorf("%s is shown as %s, want %s", dsn, got, want)
		}
	}
}

func TestSettingsReachTheEngine(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		durability  store.Durability
		lite, other string
	}{{"", "2", "on"}, {store.Full, "2", "on"}, {store.Normal, "1", "off"}} {
		for _, engine := range storetest.Engines {
			t.Run(string(engine)+" "+string(c.durability), func(t *testing.T) {
				t.Parallel()
				s := storetest.Open(t, engine, store.Options{Durability: c.durability})
				query, want := "PRAGMA synchronous", c.lite
				if engine == store.Postgres {
					query, want = "SHOW synchronous_commit", c.other
				}
				var got string
				if err := s.DB().QueryRowContext(t.Context(), query).Scan(&got); err != nil || got != want {
					t.Errorf("%s is %q, %v; want %q", query, got, err, want)
				}
			})
		}
	}
	if _, err := store.Open(t.Context(), "sqlite:x.db", store.Options{Durability: "fast"}); err == nil {
		t.Error("an unknown durability was accepted")
	}
}

func TestNewFileIsReadableByItsOwnerOnly(t *testing.T) {
	t.Parallel()
	dsn := storetest.DSN(t, store.SQLite)
	storetest.Reopen(t, dsn, store.Options{})
	for _, suffix := range []string{"", "-wal"} {
		info, err := os.Stat(strings.TrimPrefix(dsn, "sqlite:") + suffix)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%q: %v, %v; want -rw-------", suffix, info.Mode(), err)
		}
	}
}

func TestSecretIsTheSameOnEveryNode(t *testing.T) {
	t.Parallel()
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			dsn := storetest.DSN(t, engine)
			var nodes []*store.Store
			for range 4 {
				nodes = append(nodes, storetest.Reopen(t, dsn, store.Options{}))
			}
			secrets := make([]string, len(nodes))
			concurrently(t, len(nodes), func(ctx context.Context, i int) error {
				secret, err := nodes[i].Secret(ctx, "links")
				secrets[i] = string(secret)
				return err
			})
			for _, secret := range secrets {
				if len(secret) != 32 || secret != secrets[0] {
					t.Errorf("a secret of %d bytes, or two different ones", len(secret))
				}
			}
			if other, err := nodes[0].Secret(t.Context(), "other"); err != nil || string(other) == secrets[0] {
				t.Errorf("another name has the same secret, %v", err)
			}
		})
	}
}
