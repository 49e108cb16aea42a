package certificate_test

import (
	"bytes"
	"crypto/tls"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/certificate"
	"github.com/tidings-press/tidings/internal/testkit"
)

// lockedLog is a log that several goroutines write.
type lockedLog struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lockedLog) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), text)
}

func (l *lockedLog) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// serveTLS answers handshakes on a free port of the loopback until the test ends.
func serveTLS(t *testing.T, config *tls.Config) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() { _ = tls.Server(conn, config).Handshake(); _ = conn.Close() }()
		}
	}()
	return listener.Addr().String()
}

// served returns the certificate that a server presents for a host.
func served(t *testing.T, address, host string) (state tls.ConnectionState, err error) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	client := tls.Client(conn, &tls.Config{ServerName: host, InsecureSkipVerify: true, NextProtos: []string{"h2"}}) //nolint:gosec // the test compares certificates
	_ = conn.SetDeadline(time.Now().Add(testkit.Timeout))
	err = client.Handshake()
	return client.ConnectionState(), err
}

func TestChangedFilesAreServedAndBrokenOnesAreNot(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	certFile, keyFile := testkit.NewCertificate(t, "first.example").WriteFiles(t, dir)
	var log lockedLog
	files, err := certificate.OpenFiles(certificate.FileOptions{CertFile: certFile, KeyFile: keyFile, Host: "first.example", Every: 5 * time.Millisecond, Log: log.logger()})
	if err != nil {
		t.Fatal(err)
	}
	var work sync.WaitGroup
	work.Go(func() { files.Run(t.Context()) })
	t.Cleanup(work.Wait)
	address := serveTLS(t, files.TLSConfig())
	has := func(name string) bool {
		state, err := served(t, address, name)
		return err == nil && state.PeerCertificates[0].VerifyHostname(name) == nil
	}
	if state, err := served(t, address, "first.example"); err != nil || state.NegotiatedProtocol != "h2" || state.Version != tls.VersionTLS13 || !has("first.example") {
		t.Fatalf("%+v, %v", state, err)
	}

	testkit.NewCertificate(t, "second.example").WriteFiles(t, dir)
	testkit.Eventually(t, "the second certificate", func() bool { return has("second.example") })
	if log.count("the certificate is not for the site's host") != 1 {
		t.Errorf("no warning of another host: %s", log.text.String())
	}

	for what, text := range map[string]string{"a broken certificate": "nonsense", "a key": readFile(t, keyFile)} {
		before := log.count("the new certificate has an error; the old certificate stays in use")
		if err := os.WriteFile(certFile, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		testkit.Eventually(t, "an error about "+what, func() bool {
			return log.count("the new certificate has an error; the old certificate stays in use") == before+1
		})
	}
	if err := os.Remove(certFile); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "an error about a missing file", func() bool { return log.count("cannot read the certificate's files") == 1 })
	if !has("second.example") {
		t.Error("the second certificate is no longer served")
	}

	testkit.NewCertificate(t, "third.example").WriteFiles(t, dir)
	testkit.Eventually(t, "the third certificate", func() bool { return has("third.example") })
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestUnusableFilesAreRefusedAtStart(t *testing.T) {
	t.Parallel()
	certFile, keyFile := testkit.NewCertificate(t, "a.example").WriteFiles(t, t.TempDir())
	_, otherKey := testkit.NewCertificate(t, "b.example").WriteFiles(t, t.TempDir())
	for want, o := range map[string]certificate.FileOptions{
		"does not match": {CertFile: certFile, KeyFile: otherKey},
		"no such file":   {CertFile: certFile, KeyFile: keyFile + "x"},
		"PEM data":       {CertFile: keyFile, KeyFile: keyFile},
	} {
		if _, err := certificate.OpenFiles(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestCertificateCoversItsHostsUntilItExpires(t *testing.T) {
	t.Parallel()
	certFile, keyFile := testkit.NewCertificate(t, "a.example").WriteFiles(t, t.TempDir())
	info, err := certificate.Inspect(certFile)
	if err != nil || info.Issuer != "tidings test" || len(info.Hosts) != 3 {
		t.Fatalf("%+v, %v", info, err)
	}
	now := time.Now()
	for _, c := range []struct {
		host string
		at   time.Time
		want string
	}{{"a.example", now, "<nil>"}, {"b.example", now, "it is not for b.example"}, {"a.example", now.Add(48 * time.Hour), "it expired on "}, {"a.example", now.Add(-48 * time.Hour), "it is not valid before "}} {
		if err := info.Covers(c.host, c.at); err == nil && c.want != "<nil>" || err != nil && !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s at %v: %v, want %s", c.host, c.at, err, c.want)
		}
	}
	if info.Expiring(now) || info.Expiring(info.Until.Add(-3*time.Hour)) || !info.Expiring(info.Until.Add(-2*time.Hour)) { // its life is 25 hours
		t.Errorf("it expires soon at the wrong times: %+v", info)
	}
	if _, err := certificate.Inspect(keyFile); err == nil || !strings.Contains(err.Error(), "has no certificate") {
		t.Errorf("a key in place of a certificate: %v", err)
	}
}
