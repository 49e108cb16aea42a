package app_test

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/testkit"
)

// It sets environment variables, so it does not run in parallel.
func TestSystemdIsToldThatTheNodeIsReadyWorksAndStops(t *testing.T) {
	path := filepath.Join(os.TempDir(), "tidings-notify-"+strconv.Itoa(os.Getpid()))
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = socket.Close(); _ = os.Remove(path) })
	t.Setenv("NOTIFY_SOCKET", path)
	t.Setenv("WATCHDOG_USEC", "100000")
	t.Setenv("WATCHDOG_PID", strconv.Itoa(os.Getpid()))
	if err := socket.SetReadDeadline(time.Now().Add(testkit.Timeout)); err != nil {
		t.Fatal(err)
	}
	until := func(want string) {
		t.Helper()
		for message := make([]byte, 100); ; {
			n, err := socket.Read(message)
			if err != nil {
				t.Fatalf("waiting for %s: %v", want, err)
			}
			if string(message[:n]) == want {
				return
			}
		}
	}
	r := start(t, "site: {url: https://press.example}\n")
	until("READY=1")
	until("WATCHDOG=1")
	until("WATCHDOG=1")
	r.stop()
	until("STOPPING=1")
}
