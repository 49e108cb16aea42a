package certificate_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/certificate"
	"github.com/tidings-press/tidings/internal/testkit"
)

// acmeSite is a site on free ports that gets its certificates from a Pebble.
type acmeSite struct {
	t           *testing.T
	pebble      *testkit.Pebble
	https, http net.Listener
	folder      string
	log         lockedLog
	mu          sync.Mutex
	hosts       []string
	stop        func()
	onlyTLS     bool // no listener for plain HTTP
}

func newACMESite(t *testing.T, validity time.Duration, hosts ...string) *acmeSite {
	t.Helper()
	s := &acmeSite{t: t, folder: filepath.Join(t.TempDir(), "certificates"), hosts: hosts}
	listen := func() net.Listener {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		return l
	}
	s.https, s.http = listen(), listen()
	s.pebble = testkit.NewPebble(t, s.http.Addr().(*net.TCPAddr).Port, s.https.Addr().(*net.TCPAddr).Port, validity)
	return s
}

// run requests certificates and answers on both listeners until the test ends or stop is called.
func (s *acmeSite) run(every time.Duration) {
	s.t.Helper()
	roots, err := certificate.Roots(s.pebble.CAFile)
	if err != nil {
		s.t.Fatal(err)
	}
	options := certificate.ACMEOptions{
		Hosts: s.names, Email: "webmaster@press.test", Directory: s.pebble.Directory, Roots: roots, Folder: s.folder,
		HTTPS: s.https.Addr(), HTTP: s.http.Addr(), Log: s.log.logger(), Every: every, Retry: every,
	}
	if s.onlyTLS {
		options.HTTP = nil
	}
	acme := certificate.NewACME(options)
	pages := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	quiet := slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
	servers := []*http.Server{{Handler: pages, TLSConfig: acme.TLSConfig(), ErrorLog: quiet}, {Handler: acme.Challenges(pages), ErrorLog: quiet}}
	ctx, stop := context.WithCancel(s.t.Context())
	var work sync.WaitGroup
	work.Go(func() { _ = servers[0].Serve(tls.NewListener(keepOpen(s.t, s.https), acme.TLSConfig())) })
	work.Go(func() { _ = servers[1].Serve(keepOpen(s.t, s.http)) })
	work.Go(func() { acme.Run(ctx) })
	s.stop = sync.OnceFunc(func() {
		stop()
		for _, server := range servers {
			_ = server.Close()
		}
		work.Wait()
	})
	s.t.Cleanup(s.stop)
}

// kept is a listener that another server can use when one has closed it.
type kept struct{ *net.TCPListener }

func keepOpen(t *testing.T, l net.Listener) net.Listener {
	t.Helper()
	k := kept{l.(*net.TCPListener)}
	if err := k.SetDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	return k
}

// Close ends Accept.
func (k kept) Close() error { return k.SetDeadline(time.Now()) }

func (s *acmeSite) names() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hosts
}

// leaf returns the certificate of a host, if it is valid now.
func (s *acmeSite) leaf(roots *x509.CertPool, host string) (*x509.Certificate, error) {
	s.t.Helper()
	state, err := served(s.t, s.https.Addr().String(), host)
	if err != nil {
		return nil, err
	}
	intermediates := x509.NewCertPool()
	for _, c := range state.PeerCertificates[1:] {
		intermediates.AddCert(c)
	}
	_, err = state.PeerCertificates[0].Verify(x509.VerifyOptions{DNSName: host, Roots: roots, Intermediates: intermediates})
	return state.PeerCertificates[0], err
}

func (s *acmeSite) plainStatus() int {
	s.t.Helper()
	response, err := http.Get("http://" + s.http.Addr().String() + "/")
	if err != nil {
		s.t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.StatusCode
}

func TestCertificateIsRequestedAgainUntilTheAuthorityAnswers(t *testing.T) {
	t.Parallel()
	s := newACMESite(t, time.Hour, "press.test")
	s.run(20 * time.Millisecond)
	testkit.Eventually(t, "an error of the missing authority", func() bool {
		return s.log.count("cannot get a certificate: browsers cannot open this host over HTTPS until a try succeeds") > 1
	})
	if status := s.plainStatus(); status != http.StatusServiceUnavailable {
		t.Errorf("plain HTTP without a certificate: %d", status)
	}
	s.pebble.Start(t)
	roots := s.pebble.Roots(t)
	testkit.Eventually(t, "a certificate", func() bool { _, err := s.leaf(roots, "press.test"); return err == nil })
	testkit.Eventually(t, "redirects", func() bool { return s.plainStatus() == http.StatusTeapot })
	first, err := s.leaf(roots, "press.test")
	if err != nil {
		t.Fatal(err)
	}
	if state, err := served(t, s.https.Addr().String(), ""); err != nil || state.PeerCertificates[0].VerifyHostname("press.test") != nil {
		t.Errorf("without a host: %v", err)
	}
	if _, err := s.leaf(roots, "other.test"); err == nil {
		t.Error("a host that is not the site's has a certificate")
	}
	s.mu.Lock()
	s.hosts = []string{"press.test", "new.test"} // as after a reload
	s.mu.Unlock()
	testkit.Eventually(t, "a certificate for the added host", func() bool { _, err := s.leaf(roots, "new.test"); return err == nil })
	if text := s.pebble.Log(); strings.Contains(text, "other.test") || !strings.Contains(text, "new.test") {
		t.Errorf("the authority's requests: %s", text)
	}
	if info, err := certificate.Stored(s.folder, s.pebble.Directory, "press.test"); err != nil || !info.Until.Equal(first.NotAfter) || info.Hosts[0] != "press.test" {
		t.Errorf("stored: %+v, %v", info, err)
	}
	err = filepath.WalkDir(s.folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if info, err := d.Info(); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has the mode %v, %v", path, info.Mode(), err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}

	orders := strings.Count(s.pebble.Log(), "order-plz")
	s.stop()
	s.run(20 * time.Millisecond) // as after a restart
	testkit.Eventually(t, "the stored certificate", func() bool {
		again, err := s.leaf(roots, "press.test")
		return err == nil && again.Equal(first)
	})
	testkit.Eventually(t, "redirects", func() bool { return s.plainStatus() == http.StatusTeapot })
	if now := strings.Count(s.pebble.Log(), "order-plz"); now != orders || orders == 0 {
		t.Errorf("%d orders at the authority before the restart, %d after it", orders, now)
	}
}

func TestCertificateIsRenewedBeforeItExpires(t *testing.T) {
	t.Parallel()
	testkit.Slow(t) // Pebble gives certificates for 20 seconds, and says to renew them at a random time of these
	s := newACMESite(t, 20*time.Second, "press.test")
	s.onlyTLS = true // so that the authority checks the host by a handshake
	s.pebble.Start(t)
	roots := s.pebble.Roots(t)
	s.run(100 * time.Millisecond)
	var first *x509.Certificate
	testkit.Eventually(t, "a certificate", func() (ok bool) { c, err := s.leaf(roots, "press.test"); first = c; return err == nil })
	testkit.Eventually(t, "another certificate", func() bool {
		c, err := s.leaf(roots, "press.test")
		if err != nil {
			t.Fatalf("a certificate that is not valid: %v", err)
		}
		return c != nil && !c.Equal(first)
	})
	if s.log.count("renewal=true") < 2 || s.log.count("got a certificate") < 2 {
		t.Errorf("log: %s", s.log.text.String())
	}
}
