package sqldb

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// TestFailedConnectionsToPostgresAreExplained: each error says what is wrong and what to do, names the
// server, and has no password.
func TestFailedConnectionsToPostgresAreExplained(t *testing.T) {
	t.Parallel()
	const dsn = "postgres://press:hunter2@db.example:5432/tidings"
	refused := func(code, message string) error {
		return fmt.Errorf("failed to connect: %w", &pgconn.PgError{Code: code, Message: message})
	}
	for name, c := range map[string]struct {
		err       error
		what, fix string
	}{
		"wrong password":    {refused("28P01", "password authentication failed"), "the server refuses: password authentication failed", "name and password of a role"},
		"no entry":          {refused("28000", "no pg_hba.conf entry"), "no pg_hba.conf entry", "pg_hba.conf"},
		"no database":       {refused("3D000", `database "tidings" does not exist`), "does not exist", "createdb NAME"},
		"too many clients":  {refused("53300", "too many clients already"), "too many clients", "larger max_connections"},
		"starting":          {refused("57P03", "the database system is starting up"), "starting up", "wait until the server has started"},
		"no right":          {refused("42501", "permission denied for schema public"), "permission denied", "may create tables"},
		"another refusal":   {refused("0A000", "not supported"), "not supported", "a server and a role that accept"},
		"no such host":      {&net.DNSError{Name: "db.example", Err: "no such host", IsNotFound: true}, `unknown host "db.example"`, "a host name that resolves"},
		"no answer":         {fmt.Errorf("dial: %w", context.DeadlineExceeded), "the server does not answer", "a firewall may drop"},
		"nothing listens":   {&net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}, "the server cannot be reached: connection refused", "start PostgreSQL"},
		"no PostgreSQL":     {errors.New("unexpected message"), "no connection: unexpected message", "PostgreSQL 13 or later"},
		"a look-up in dial": {&net.OpError{Op: "dial", Err: &net.DNSError{Name: "x", Err: "no such host"}}, `unknown host "x"`, "resolves"},
	} {
		err := describePostgres(dsn, c.err)
		var failed *OpenError
		if !errors.As(err, &failed) || !strings.Contains(failed.What, c.what) || !strings.Contains(failed.Fix, c.fix) || !errors.Is(err, c.err) {
			t.Errorf("%s: %v; want %q and %q", name, err, c.what, c.fix)
		}
		if text := err.Error(); strings.Contains(text, "hunter2") || !strings.Contains(text, "db.example:5432") {
			t.Errorf("%s: %s shows the password or not the server", name, text)
		}
	}
}

func TestAddressesOfStoresAreReadOrRefused(t *testing.T) {
	t.Parallel()
	for dsn, want := range map[string]string{
		"sqlite:tidings.db": "sqlite tidings.db", "sqlite:///var/lib/t.db": "sqlite /var/lib/t.db", "sqlite:a b?c.db": "sqlite a b?c.db",
		"postgres://u:p@h/d": "postgres postgres://u:p@h/d", "postgresql://h/d": "postgres postgresql://h/d",
		"sqlite:": "it names no file", "sqlite::memory:": "it names no file", "sqlite://:memory:?x": "it names no file", "mysql://u:hunter2@h/d": "unknown kind of store", "tidings.db": "unknown kind of store", "": "unknown kind of store",
	} {
		engine, address, err := ParseDSN(dsn)
		got := string(engine) + " " + address
		if err != nil {
			got = err.Error()
		}
		if got != want && !(err != nil && strings.Contains(got, ": "+want+"; use ")) || strings.Contains(got, "hunter2") {
			t.Errorf("%q: %s, want %s", dsn, got, want)
		}
	}
	// pgx repeats the whole address in its errors.
	for _, dsn := range []string{"postgres://u:hunter2@h:port/d", "postgres://u:hunter2@h/d?sslmode=nonsense", "postgres://u:hunter2%zz@h/d", "postgres://u:hunter2@h/d?connect_timeout=x"} {
		_, err := openPostgres(t.Context(), dsn, Options{})
		if err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "the address cannot be read: ") {
			t.Errorf("%s: %v", dsn, err)
		}
	}
}

// TestFilesThatAreNotAStoreAreLeftUnchanged, and the error says what they are.
func TestFilesThatAreNotAStoreAreLeftUnchanged(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	text := filepath.Join(folder, "text.db")
	if err := os.WriteFile(text, []byte(strings.Repeat("this is no database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	queries, err := LoadQueries(fstest.MapFS{})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		folder: "it is a folder; name a file in it", text: "the file is not a SQLite database", os.DevNull: "it is not a regular file",
		filepath.Join(folder, "no", "such", "t.db"): "cannot be used", filepath.Join(text, "t.db"): "it cannot be read",
	} {
		db, err := Open(t.Context(), "sqlite:"+path, queries, Options{})
		var failed *OpenError
		if db != nil || !errors.As(err, &failed) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "sqlite:"+path) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
	if data, err := os.ReadFile(text); err != nil || !strings.HasPrefix(string(data), "this is no database") {
		t.Errorf("the file was changed: %v", err)
	}
	if _, err := Open(t.Context(), "sqlite:"+filepath.Join(folder, "new.db"), queries, Options{Durability: "some"}); err == nil || !strings.Contains(err.Error(), `unknown store durability "some"; use "full" or "normal"`) {
		t.Errorf("an unknown durability: %v", err)
	}
	db, err := Open(t.Context(), "sqlite:"+filepath.Join(folder, "new.db"), queries, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if info, err := os.Stat(filepath.Join(folder, "new.db")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("a new file has the permissions %v, %v; it will hold addresses", info.Mode(), err)
	}
}

// TestSessionOfPostgresKeepsWhatTheAddressSets: our parameters are defaults.
func TestSessionOfPostgresKeepsWhatTheAddressSets(t *testing.T) {
	t.Parallel()
	for dsn, c := range map[string]struct {
		options Options
		want    map[string]string
		timeout time.Duration
	}{
		"postgres://h/d": {Options{}, map[string]string{"application_name": "tidings", "synchronous_commit": "on", "timezone": "UTC", "idle_in_transaction_session_timeout": "30000"}, 10 * time.Second},
		"postgres://h/d?synchronous_commit=remote_apply&application_name=x&connect_timeout=3": {Options{Durability: Normal, Name: "y"}, map[string]string{"application_name": "x", "synchronous_commit": "remote_apply"}, 3 * time.Second},
		"postgres://h/e": {Options{Durability: Normal, Name: "y"}, map[string]string{"application_name": "y", "synchronous_commit": "off"}, 10 * time.Second},
	} {
		conf, err := pgx.ParseConfig(dsn)
		if err != nil {
			t.Fatal(err)
		}
		setSession(conf, c.options)
		for name, want := range c.want {
			if got := conf.RuntimeParams[name]; got != want {
				t.Errorf("%s: %s is %q, want %q", dsn, name, got, want)
			}
		}
		if conf.ConnectTimeout != c.timeout {
			t.Errorf("%s: a timeout of %v, want %v", dsn, conf.ConnectTimeout, c.timeout)
		}
	}
}

// TestTextsForBothEnginesAreClean: PostgreSQL refuses NUL and broken UTF-8.
func TestTextsForBothEnginesAreClean(t *testing.T) {
	t.Parallel()
	args := CleanArgs([]any{"a\x00b", "é\xff", "ok", []string{"\x00", "x\xfe\xfdy"}, 7, nil, []byte{0, 255}})
	if got, want := fmt.Sprintf("%q", args), fmt.Sprintf("%q", []any{"ab", "é\uFFFD", "ok", []string{"", "x\uFFFDy"}, 7, nil, []byte{0, 255}}); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestPartsThatUseThemselvesAreRefused(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]string{
		"-- part: a\npart(a)\n-- name: q\nSELECT part(a);":                                                           "parts are nested more than 3 deep",
		"-- part: a\npart(b)\n-- part: b\npart(a)\n-- name: q\nSELECT part(a);":                                      "parts are nested more than 3 deep",
		"-- part: a\n1\n-- part: b\npart(a)\n-- part: c\npart(b)\n-- part: d\npart(c)\n-- name: q\nSELECT part(d);":  "parts are nested more than 3 deep",
		"-- part: a\n1\n-- part: b\npart(a)\n-- part: c\npart(b)\n-- name: q\nSELECT part(c), my_part(x), apart(y);": "",
		"-- columns: t\n-- id\n-- name: q\nSELECT values(nothing from 3);":                                           `unknown columns "nothing"`,
		"-- name: q\nSELECT 1 -- mysql only\n;":                                                                      "",
	} {
		q, err := loadText(data)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), "query q: ") || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v, want %q", data, err, want)
		}
		if want == "" && strings.Contains(data, "my_part") && q.Text(SQLite, "q") != "SELECT 1, my_part(x), apart(y)" {
			t.Errorf("%q gives %q", data, q.Text(SQLite, "q"))
		}
	}
}

// TestPauseEndsWithItsContext and grows with each attempt up to a bound.
func TestPauseEndsWithItsContext(t *testing.T) {
	t.Parallel()
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if err := Pause(stopped, 1_000_000); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want %v", err, context.Canceled)
	}
	if err := Pause(t.Context(), 1); err != nil {
		t.Error(err)
	}
}
