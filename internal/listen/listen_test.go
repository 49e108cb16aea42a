package listen_test

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/listen"
	"github.com/tidings-press/tidings/internal/testkit"
)

func TestUnixSocketHasItsModeAndReplacesALeftOne(t *testing.T) {
	t.Parallel()
	left, path := testkit.ListenUnix(t)
	left.(*net.UnixListener).SetUnlinkOnClose(false) // as after a kill
	if _, err := listen.Open("unix:"+path, 0o600); err == nil || !strings.Contains(err.Error(), "another process listens on "+path) {
		t.Errorf("on a socket in use: %v", err)
	}
	if err := left.Close(); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []os.FileMode{0o660, 0o600} {
		l, err := listen.Open("unix:"+path, mode)
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != mode {
			t.Errorf("mode %v, %v; want %v", info.Mode(), err, mode)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
	file := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(file, []byte("keep me"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := listen.Open("unix:"+file, 0o600); err == nil || !strings.Contains(err.Error(), "is not a socket") {
		t.Errorf("on a file: %v", err)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "keep me" {
		t.Errorf("the file is now %q, %v", text, err)
	}
}

// TestMain runs the test's program as a service that systemd started, if the environment says so. It
// opens each address and answers one connection with it.
func TestMain(m *testing.M) {
	addresses := os.Getenv("TEST_LISTEN")
	if addresses == "" {
		os.Exit(m.Run())
	}
	for _, address := range strings.Fields(addresses) {
		l, err := listen.Open(address, 0o600)
		if err != nil {
			fmt.Println(err)
			continue
		}
		conn, err := l.Accept()
		if err != nil {
			fmt.Println(err)
			continue
		}
		_, _ = io.WriteString(conn, address+" answers")
		_ = conn.Close()
	}
}

// service starts the test's program as systemd starts a service: with sockets as the descriptors 3 and
// following. It returns what the program prints.
func service(t *testing.T, addresses, names string, sockets ...net.Listener) func() string {
	t.Helper()
	// LISTEN_PID is the process itself, which only the child knows: a shell sets it and becomes the child.
	cmd := exec.Command("sh", "-c", `LISTEN_PID=$$ exec "$0"`, os.Args[0])
	cmd.Env = append(os.Environ(), "TEST_LISTEN="+addresses, fmt.Sprint("LISTEN_FDS=", len(sockets)), "LISTEN_FDNAMES="+names)
	for _, s := range sockets {
		file, err := s.(interface{ File() (*os.File, error) }).File()
		if err != nil {
			t.Fatal(err)
		}
		cmd.ExtraFiles = append(cmd.ExtraFiles, file)
	}
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return func() string {
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
		return out.String()
	}
}

func TestSocketsOfSystemdAreUsed(t *testing.T) {
	t.Parallel()
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	unix, path := testkit.ListenUnix(t)
	defer unix.Close()
	wait := service(t, "systemd systemd:none systemd:web systemd:plain", "web:plain", tcp, unix)
	for _, c := range []struct{ network, address, want string }{{"tcp", tcp.Addr().String(), "systemd:web answers"}, {"unix", path, "systemd:plain answers"}} {
		conn, err := net.Dial(c.network, c.address)
		if err != nil {
			t.Fatal(err)
		}
		if answer, err := io.ReadAll(conn); err != nil || string(answer) != c.want {
			t.Errorf("%s answers %q, %v", c.address, answer, err)
		}
		_ = conn.Close()
	}
	if out := wait(); !strings.Contains(out, "name one: systemd:plain, systemd:web") || !strings.Contains(out, `0 sockets named "none"`) {
		t.Errorf("without and with a wrong name: %s", out)
	}
	if out := service(t, "systemd", "")(); !strings.Contains(out, "systemd passes no stream socket") {
		t.Errorf("without a socket: %s", out)
	}
	if out := service(t, "systemd:web", "web")(); !strings.Contains(out, "systemd passes no stream socket") {
		t.Errorf("without a socket: %s", out)
	}
}
