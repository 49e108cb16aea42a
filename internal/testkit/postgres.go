package testkit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Postgres is a temporary PostgreSQL server on a free port of the loopback, with its own
// data folder. A watchdog stops the server and removes the folder when the test process
// ends, even if it is killed.
type Postgres struct {
	dir          string // contains data/, the socket and the log
	bin          string // folder of PostgreSQL's programs
	port         int
	cred         *syscall.Credential // nil for the user of this process
	watchdogPipe *os.File            // closing it stops and removes the server
}

// PostgresOptions configure a server.
type PostgresOptions struct {
	NoSync   bool     // fsync off: faster, and safe unless the machine crashes
	Settings []string // further "name=value" lines of its configuration
	standby  string   // connection string of the primary to follow
}

var shared struct {
	sync.Mutex
	server *Postgres
	err    error
	once   sync.Once
}

// SharedPostgres returns the server that the tests of this process share; the first call
// starts it. A test that stops or kills a server starts its own with StartPostgres. Both
// skip the test if PostgreSQL is not installed.
func SharedPostgres(t testing.TB) *Postgres {
	t.Helper()
	needPostgres(t)
	shared.once.Do(func() {
		// Databases that live for seconds need no vacuum, and no log for a standby.
		shared.server, shared.err = launch(PostgresOptions{NoSync: true, Settings: []string{"autovacuum=off", "wal_level=minimal", "max_wal_senders=0"}})
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.server
}

// StartPostgres starts a server for one test and removes it when the test ends.
func StartPostgres(t testing.TB, opts PostgresOptions) *Postgres {
	t.Helper()
	needPostgres(t)
	p, err := launch(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Remove)
	return p
}

func needPostgres(t testing.TB) {
	t.Helper()
	if _, err := postgresPrograms(); err != nil {
		t.Skipf("SKIPPED, NOT TESTED: %v", err)
	}
}

// postgresPrograms returns the folder of initdb and postgres, which is not in the PATH on
// Debian.
func postgresPrograms() (string, error) {
	folders, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	slices.SortFunc(folders, func(a, b string) int { return majorVersion(b) - majorVersion(a) })
	if found, err := exec.LookPath("initdb"); err == nil {
		folders = append(folders, filepath.Dir(found))
	}
	for _, folder := range folders {
		if _, err := os.Stat(filepath.Join(folder, "initdb")); err == nil {
			return folder, nil
		}
	}
	return "", errors.New("PostgreSQL is not installed (apt-get install postgresql)")
}

func majorVersion(folder string) int {
	version, _ := strconv.Atoi(filepath.Base(filepath.Dir(folder)))
	return version
}

func launch(opts PostgresOptions) (*Postgres, error) {
	bin, err := postgresPrograms()
	if err != nil {
		return nil, err
	}
	cred, err := serverUser()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "tidings-postgres-")
	if err != nil {
		return nil, err
	}
	p := &Postgres{dir: dir, bin: bin, cred: cred}
	if err := p.prepare(opts); err != nil {
		_ = os.RemoveAll(dir)
		return nil, err
	}
	if err := p.startAnywhere(); err != nil {
		p.Remove()
		return nil, err
	}
	return p, nil
}

// serverUser returns the user to run the server as, nil for the user of this process.
// PostgreSQL refuses to run as root.
func serverUser() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		account, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(account.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(account.Gid, 10, 32)
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("PostgreSQL refuses to run as root, and this machine has neither a user postgres nor a user nobody")
}

// prepare starts the watchdog and creates the data folder.
func (p *Postgres) prepare(opts PostgresOptions) error {
	if p.cred != nil {
		if err := os.Chown(p.dir, int(p.cred.Uid), int(p.cred.Gid)); err != nil {
			return err
		}
	}
	if err := p.watch(); err != nil {
		return err
	}
	if opts.standby != "" {
		if err := p.program("pg_basebackup", "-D", p.data(), "-d", opts.standby, "-R", "-X", "stream", "-c", "fast"); err != nil {
			return err
		}
	} else if err := p.program("initdb", "-D", p.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"); err != nil {
		return err
	}
	return p.configure(opts)
}

func (p *Postgres) configure(opts PostgresOptions) error {
	settings := []string{
		"listen_addresses='127.0.0.1'", "unix_socket_directories='" + p.dir + "'", "max_connections=200",
		"wal_level=replica", "max_wal_senders=8", "hot_standby=on",
		"dynamic_shared_memory_type=mmap", // a killed server would leave its segments in /dev/shm
		"timezone='UTC'", "log_timezone='UTC'",
	}
	if opts.NoSync {
		settings = append(settings, "fsync=off", "full_page_writes=off")
	}
	settings = append(settings, opts.Settings...)
	file, err := os.OpenFile(filepath.Join(p.data(), "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = file.WriteString("\n" + strings.Join(settings, "\n") + "\n")
	return errors.Join(err, file.Close())
}

func (p *Postgres) data() string { return filepath.Join(p.dir, "data") }

// startAnywhere starts the server on a free port. Another process may take the
// port first, so it tries a few.
func (p *Postgres) startAnywhere() (err error) {
	for range 5 {
		if p.port, err = freePort(); err != nil {
			return err
		}
		if err = p.Start(); err == nil {
			return nil
		}
	}
	return err
}

func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

// Start starts a stopped or killed server again, on the same port.
func (p *Postgres) Start() error {
	return p.program("pg_ctl", "start", "-w", "-t", "480", "-D", p.data(), "-l", filepath.Join(p.dir, "log"), "-o", "-p "+strconv.Itoa(p.port))
}

// Stop shuts the server down cleanly and closes open connections.
func (p *Postgres) Stop() error {
	return p.program("pg_ctl", "stop", "-w", "-t", "480", "-D", p.data(), "-m", "fast")
}

// Restart stops and starts the server.
func (p *Postgres) Restart() error { return errors.Join(p.Stop(), p.Start()) }

// Kill ends the server and its children with SIGKILL, as a crash would. It returns when all are gone:
// a server does not start while a former child uses the shared memory.
func (p *Postgres) Kill() error {
	pid, err := p.pid()
	if err != nil {
		return err
	}
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil { // so that it starts no further children
		return err
	}
	children := childrenOf(pid)
	for _, pid := range append(children, pid) { // each is a session of its own, so there is no group to kill
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
	}
	// A new server looks for the number of the former one, which a zombie still has.
	for deadline := time.Now().Add(Timeout); syscall.Kill(pid, 0) == nil || slices.ContainsFunc(children, runs); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			return errors.New("the killed PostgreSQL does not end")
		}
	}
	return nil
}

// childrenOf returns the processes that a process has started. Only Linux lists them; elsewhere, the
// children of a killed server end when they notice it.
func childrenOf(pid int) (children []int) {
	all, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range all {
		if _, parent := processStat(file); parent == pid {
			child, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			children = append(children, child)
		}
	}
	return children
}

// runs reports whether a process exists and is not a zombie.
func runs(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	state, _ := processStat(fmt.Sprintf("/proc/%d/stat", pid))
	return state != "Z"
}

// processStat returns the state and the parent of a process from its file in /proc; see proc(5).
func processStat(file string) (state string, parent int) {
	data, err := os.ReadFile(file)
	if err != nil {
		return "", 0
	}
	fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:])) // the name before it may have spaces
	if len(fields) < 2 {
		return "", 0
	}
	parent, _ = strconv.Atoi(fields[1])
	return fields[0], parent
}

func (p *Postgres) pid() (int, error) {
	data, err := os.ReadFile(filepath.Join(p.data(), "postmaster.pid"))
	if err != nil {
		return 0, err
	}
	first, _, _ := bytes.Cut(data, []byte("\n"))
	return strconv.Atoi(string(first))
}

// Standby starts a second server that replicates this one. After Synchronous, commits
// wait for it.
func (p *Postgres) Standby(t testing.TB, opts PostgresOptions) *Postgres {
	t.Helper()
	opts.standby = p.dsn("postgres") + "&application_name=standby"
	return StartPostgres(t, opts)
}

// Synchronous makes every commit wait until the standby has it on disk.
func (p *Postgres) Synchronous(ctx context.Context) error {
	if err := p.Exec(ctx, "ALTER SYSTEM SET synchronous_standby_names = 'standby'"); err != nil {
		return err
	}
	return p.Exec(ctx, "SELECT pg_reload_conf()")
}

// Promote makes a standby the primary.
func (p *Postgres) Promote() error {
	return p.program("pg_ctl", "promote", "-w", "-t", "480", "-D", p.data())
}

// Exec runs a statement as the superuser.
func (p *Postgres) Exec(ctx context.Context, statement string) error {
	conn, err := pgx.Connect(ctx, p.dsn("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, statement)
	return err
}

// Address returns the server's host and port.
func (p *Postgres) Address() string { return "127.0.0.1:" + strconv.Itoa(p.port) }

func (p *Postgres) dsn(database string) string {
	return "postgres://postgres@" + p.Address() + "/" + database + "?sslmode=disable"
}

// Remove stops the server and removes its folder.
func (p *Postgres) Remove() {
	if p.watchdogPipe != nil {
		_ = p.watchdogPipe.Close()
	}
	deadline := time.Now().Add(Timeout)
	for time.Now().Before(deadline) {
		if _, err := os.Stat(p.dir); os.IsNotExist(err) {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// program runs one of PostgreSQL's programs as the server's user.
func (p *Postgres) program(name string, args ...string) error {
	cmd := exec.Command(filepath.Join(p.bin, name), args...)
	cmd.Dir = p.dir
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "TZ=UTC")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: p.cred, Setpgid: true}
	output, err := os.CreateTemp("", "tidings-postgres-output-") // not a pipe: the server would keep it open
	if err != nil {
		return err
	}
	defer os.Remove(output.Name())
	defer output.Close()
	cmd.Stdout, cmd.Stderr = output, output
	if err := cmd.Run(); err != nil {
		printed, _ := os.ReadFile(output.Name())
		log, _ := os.ReadFile(filepath.Join(p.dir, "log"))
		return fmt.Errorf("%s: %w\n%s%s", name, err, printed, log[max(0, len(log)-2000):])
	}
	return nil
}

// LaunchPostgres starts a server outside of a test. The caller must call Remove.
func LaunchPostgres(opts PostgresOptions) (*Postgres, error) { return launch(opts) }

// Fresh creates an empty database and returns its DSN.
func (p *Postgres) Fresh(ctx context.Context, name string) (string, error) {
	return p.dsn(name), p.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize())
}

// RequirePassword creates a role that needs a password to connect. Other roles need none.
func (p *Postgres) RequirePassword(role, password string) error {
	path := filepath.Join(p.data(), "pg_hba.conf")
	rules, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	rule := "host all " + role + " 127.0.0.1/32 scram-sha-256\n"
	if err := os.WriteFile(path, append([]byte(rule), rules...), 0o600); err != nil {
		return err
	}
	ctx := context.Background()
	if err := p.Exec(ctx, "SELECT pg_reload_conf()"); err != nil {
		return err
	}
	return p.Exec(ctx, fmt.Sprintf("CREATE ROLE %s LOGIN PASSWORD '%s'", pgx.Identifier{role}.Sanitize(), strings.ReplaceAll(password, "'", "''")))
}
