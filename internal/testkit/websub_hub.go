package testkit

import (
	"bufio"
	_ "embed"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

//go:embed websubhub/hub.mjs
var hubScript string

// StartHub starts a third-party WebSub hub on the loopback and returns its address. The
// hub sends requests only to the given servers (HOST:PORT). It ends with the test, even if
// the test is killed, because its standard input closes then.
func StartHub(t testing.TB, servers ...string) string {
	t.Helper()
	cmd := exec.Command("node", append([]string{"--input-type=module", "-e", hubScript}, servers...)...)
	cmd.Dir = hubFolder(t)
	out, err1 := cmd.StdoutPipe()
	in, err2 := cmd.StdinPipe()
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	cmd.Stderr = testWriter{t}
	if err := cmd.Start(); err != nil {
		t.Skipf("SKIPPED: node is not installed (make tools): %v", err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("start the WebSub hub: %v", err)
	}
	return strings.TrimSpace(address)
}

// hubFolder returns the folder into which scripts/install-websub-hub installed the hub.
func hubFolder(t testing.TB) string {
	t.Helper()
	folder := cacheFolder(t, "websub-hub")
	if _, err := os.Stat(filepath.Join(folder, "node_modules", "@dwk", "websub")); err != nil {
		t.Skip("SKIPPED: the WebSub hub is not installed (make tools)")
	}
	return folder
}

// testWriter writes the output of a program to the test's log.
type testWriter struct{ t testing.TB }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Logf("%s", p)
	return len(p), nil
}
