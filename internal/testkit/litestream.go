package testkit

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Litestream replicates a SQLite file to a folder of a bucket.
type Litestream struct {
	t               testing.TB
	program, config string
	database        string
	running         *exec.Cmd
}

const litestreamConfig = `
dbs:
  - path: %q
    replica:
      type: s3
      endpoint: %q
      bucket: %s
      path: tidings
      region: us-east-1
      access-key-id: key
      secret-access-key: secret
      force-path-style: true
      sync-interval: 100ms
`

// StartLitestream starts the replication, by the program that scripts/install-litestream has built. It
// skips the test if that is not installed.
func StartLitestream(t testing.TB, database, endpoint, bucket string) *Litestream {
	t.Helper()
	l := &Litestream{t: t, program: filepath.Join(cacheFolder(t, "litestream"), "litestream"), database: database}
	if _, err := os.Stat(l.program); err != nil {
		t.Skip("SKIPPED: Litestream is not installed (make tools)")
	}
	l.config = filepath.Join(t.TempDir(), "litestream.yml")
	if err := os.WriteFile(l.config, fmt.Appendf(nil, litestreamConfig, database, endpoint, bucket), 0o600); err != nil {
		t.Fatal(err)
	}
	l.running = l.command("replicate", "-config", l.config)
	l.running.Stdout, l.running.Stderr = testWriter{t}, testWriter{t}
	if err := l.running.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Kill)
	return l
}

// Kill ends the replication as a failure of the machine does.
func (l *Litestream) Kill() {
	if l.running.ProcessState == nil {
		_ = l.running.Process.Kill()
		_ = l.running.Wait()
	}
}

// Restore writes the newest copy to a new file. It returns false if there is none yet.
func (l *Litestream) Restore(to string) bool {
	l.t.Helper()
	if out, err := l.command("restore", "-config", l.config, "-if-replica-exists", "-o", to, l.database).CombinedOutput(); err != nil {
		l.t.Fatalf("litestream restore: %v\n%s", err, out)
	}
	_, err := os.Stat(to)
	return err == nil
}

// command returns the program without the settings of S3 that this user has.
func (l *Litestream) command(args ...string) *exec.Cmd {
	cmd := exec.Command(l.program, args...)
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "AWS_") })
	return cmd
}
