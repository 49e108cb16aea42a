package testkit

import (
	"crypto/rand"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// StartS3 starts the Versity S3 Gateway, which scripts/install-versitygw has built, as a process of its own. It keeps
// buckets in a folder of the test. StartS3 returns its address, and skips the test if the server is not installed.
func StartS3(t testing.TB, accessKey, secretKey string) (endpoint string) {
	t.Helper()
	program := filepath.Join(cacheFolder(t, "versitygw"), "versitygw")
	if _, err := os.Stat(program); err != nil {
		t.Skip("SKIPPED: the Versity S3 Gateway is not installed (make tools)")
	}
	for {
		if endpoint, started := tryS3(t, program, accessKey, secretKey); started {
			return endpoint
		}
	}
}

// tryS3 starts the server on a free port. It returns false if the server ended, since another process took the
// port meanwhile.
func tryS3(t testing.TB, program, accessKey, secretKey string) (endpoint string, started bool) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	// A secret path, so that the server of another test on this port is not taken for this one. Not every
	// file system of temporary folders has extended attributes, so the metadata are in files.
	health := "/" + rand.Text()
	cmd := exec.Command(program, "--port", address, "--access", accessKey, "--secret", secretKey, "--health", health, "--quiet",
		"posix", "--sidecar", t.TempDir(), t.TempDir())
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "VGW_") || strings.HasPrefix(v, "ROOT_") })
	cmd.Stdout, cmd.Stderr = testWriter{t}, testWriter{t}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
	})
	Eventually(t, "the S3 server to answer", func() bool {
		answer, err := http.Get("http://" + address + health)
		if err == nil {
			_ = answer.Body.Close()
			started = answer.StatusCode == http.StatusOK
		}
		select {
		case <-ended:
			return true
		default:
			return started
		}
	})
	return "http://" + address, started
}
