package app_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/feedrules"
)

// encrypted is a running service with TLS and a listener for plain HTTP.
type encrypted struct {
	*running
	plain       string // address of the listener for plain HTTP
	client      *http.Client
	certificate testkit.Certificate
}

// startTLS runs a service with a certificate for press.example from files.
func startTLS(t *testing.T, settings string) *encrypted {
	t.Helper()
	return startTLSFor(t, "press.example", settings)
}

// startTLSFor is startTLS for a site with another host, for which the certificate may not be.
func startTLSFor(t *testing.T, host, settings string) *encrypted {
	t.Helper()
	dir := t.TempDir()
	certificate := testkit.NewCertificate(t, "press.example")
	certFile, keyFile := certificate.WriteFiles(t, dir)
	p := open(t, fmt.Sprintf("site: {url: https://%s}\nserver: {listen: 127.0.0.1:0, listen_http: '127.0.0.1:00', cert_file: %s, key_file: %s}\n%s", host, certFile, keyFile, settings))
	putArticles(t, p.Store, feedrules.Article(1))
	pages, redirects, err := p.OpenListeners()
	if err != nil {
		t.Fatal(err)
	}
	e := &encrypted{plain: redirects.Addr().String(), certificate: certificate}
	e.running = runNodeOn(t, &app.Node{Service: p, Redirects: redirects}, pages)
	e.client = clientOf(t, certificate, e.address, "h2", "http/1.1")
	return e
}

// clientOf returns a client that trusts a certificate and connects to one address, whatever the host is.
func clientOf(t *testing.T, certificate testkit.Certificate, address string, protocols ...string) *http.Client {
	t.Helper()
	transport := &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: certificate.Roots, NextProtos: protocols},
		ForceAttemptHTTP2: protocols[0] == "h2",
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, address)
		},
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: testkit.Timeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func TestSiteWithCertificateIsServedOverHTTP2AndPlainHTTPIsRedirected(t *testing.T) {
	t.Parallel()
	e := startTLS(t, "")
	for _, path := range []string{"/feed.xml", "/feed.xml", "/", "/feeds"} {
		response, err := e.client.Get("https://press.example" + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil || response.StatusCode != http.StatusOK || response.ProtoMajor != 2 || response.Header.Get("Strict-Transport-Security") == "" || len(body) == 0 {
			t.Errorf("%s: %s %s, %d bytes, %v, %v", path, response.Proto, response.Status, len(body), response.Header, err)
		}
	}
	plain := &running{address: e.plain}
	head, _ := plain.raw(t, "GET /feed.xml HTTP/1.1\r\nHost: press.example\r\n\r\n")
	if !strings.HasPrefix(head, "HTTP/1.1 301") || !strings.Contains(head, "Location: https://press.example/feed.xml") || strings.Contains(head, "Strict-Transport") {
		t.Errorf("over plain HTTP: %s", head)
	}
	if head, _ := e.raw(t, "GET / HTTP/1.1\r\nHost: press.example\r\n\r\n"); !strings.HasPrefix(head, "HTTP/1.0 400") {
		t.Errorf("plain HTTP on the port for HTTPS: %s", head)
	}
	_, err := tls.Dial("tcp", e.address, &tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10, InsecureSkipVerify: true}) //nolint:gosec // it must be refused
	if err == nil {
		t.Error("TLS 1.1 is accepted")
	}
}

// An open stream, such as the progress of an edition, ends with the node. Requests on both listeners are answered.
func TestConnectionsOfBothListenersEndWhenTheNodeStops(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	e := startTLS(t, "")
	if response, err := e.client.Get("https://press.example/feed.xml"); err != nil { // a connection that stays open
		t.Fatal(err)
	} else if err := response.Body.Close(); err != nil {
		t.Error(err)
	}
	half, err := net.Dial("tcp", e.plain)
	if err != nil {
		t.Fatal(err)
	}
	defer half.Close()
	answers := bufio.NewReader(half)
	if _, err := io.WriteString(half, "POST /subscribe HTTP/1.1\r\nHost: press.example\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if response, err := http.ReadResponse(answers, nil); err != nil || response.StatusCode != http.StatusPermanentRedirect {
		t.Fatalf("%+v, %v", response, err)
	}
	stopping := time.Now()
	e.stop()
	if err, ok := <-e.ended; err != nil && ok {
		t.Fatal(err)
	}
	t.Logf("stopped after %v", time.Since(stopping))
	for _, address := range []string{e.address, e.plain} {
		if conn, err := net.Dial("tcp", address); err == nil {
			_ = conn.Close()
			t.Errorf("%s still accepts connections", address)
		}
	}
	_ = half.SetReadDeadline(time.Now().Add(testkit.Timeout))
	if _, err := io.ReadAll(answers); err != nil {
		t.Errorf("the open connection ended with %v", err)
	}
}

func TestPagesAreServedOnUnixSocketBehindAProxy(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "tidings")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path := filepath.Join(dir, "http.sock")
	p := open(t, "site: {url: https://press.example}\nserver: {listen: 'unix:"+path+"', socket_mode: '0600'}\nfeed_server: {retry_after: 1h}\n")
	putArticles(t, p.Store, feedrules.Article(1))
	pages, _, err := p.OpenListeners()
	if err != nil {
		t.Fatal(err)
	}
	runNodeOn(t, &app.Node{Service: p}, pages)
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}}}
	for client4, want := range map[string]int{"198.51.100.1": http.StatusOK, "198.51.100.2": http.StatusOK} { // one each: the limit of polls counts clients
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://press.example/feed.xml", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("X-Forwarded-For", client4)
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		if _ = response.Body.Close(); response.StatusCode != want {
			t.Errorf("the poll of %s: %s", client4, response.Status)
		}
	}
	client.CloseIdleConnections()
}

// Clients that send a byte now and then must not keep connections, on whatever listener and at whatever step.
func TestSlowClientsAreDisconnectedOnAllListeners(t *testing.T) {
	t.Parallel()
	testkit.Slow(t) // the limit is 10 seconds
	e := startTLS(t, "")
	const header = "GET / HTTP/1.1\r\nHost: press.example\r\nX-Slow: "
	for what, begin := range map[string]struct {
		address, text string
		tls           bool
	}{"a header over TLS": {e.address, header, true}, "a header over plain HTTP": {e.plain, header, false}, "a handshake": {e.address, "\x16\x03\x01\x02\x00\x01", false}} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			conn, err := net.Dial("tcp", begin.address)
			if begin.tls && err == nil {
				conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // the certificate does not matter here
			}
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := io.WriteString(conn, begin.text); err != nil {
				t.Fatal(err)
			}
			if err := conn.SetReadDeadline(time.Now().Add(testkit.Timeout)); err != nil {
				t.Fatal(err)
			}
			ended := make(chan struct{})
			go func() {
				for range time.Tick(500 * time.Millisecond) {
					select {
					case <-ended:
						return
					default:
						_, _ = io.WriteString(conn, "x")
					}
				}
			}()
			_, err = io.Copy(io.Discard, conn)
			close(ended)
			if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
				t.Error("the connection stays open")
			}
		})
	}
}

func TestNodeGetsItsCertificateByACMEAndRedirects(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	listeners := make([]net.Listener, 2)
	ports := make([]int, 2)
	for i := range listeners {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		listeners[i], ports[i] = l, l.Addr().(*net.TCPAddr).Port
	}
	pebble := testkit.NewPebble(t, ports[1], ports[0], time.Hour)
	pebble.Start(t)
	p := open(t, fmt.Sprintf(`site: {url: "https://press.test", webmaster: "Ada <ada@press.test>", former_urls: ["https://old.test"]}
server: {listen: "127.0.0.1:%d", listen_http: "127.0.0.1:%d", tls: auto, acme: {directory: "%s", ca_file: "%s"}}
`, ports[0], ports[1], pebble.Directory, pebble.CAFile))
	putArticles(t, p.Store, feedrules.Article(1))
	r := runNodeOn(t, &app.Node{Service: p, Redirects: listeners[1]}, listeners[0])
	certificate := testkit.Certificate{Roots: pebble.Roots(t)}
	client := clientOf(t, certificate, r.address, "h2")
	get := func(address string) (answer *http.Response, err error) {
		if answer, err = client.Get(address); err == nil {
			_ = answer.Body.Close()
		}
		return answer, err
	}
	testkit.Eventually(t, "the feed over HTTPS", func() bool {
		answer, err := get("https://press.test/feed.xml")
		return err == nil && answer.StatusCode == http.StatusOK && answer.ProtoMajor == 2 && answer.Header.Get("Strict-Transport-Security") != ""
	})
	testkit.Eventually(t, "a redirect from the former host over HTTPS", func() bool {
		answer, err := get("https://old.test/feed.xml")
		return err == nil && answer.Header.Get("Location") == "https://press.test/feed.xml"
	})
	testkit.Eventually(t, "a redirect from plain HTTP", func() bool {
		head, _ := (&running{address: listeners[1].Addr().String()}).raw(t, "GET /feed.xml HTTP/1.1\r\nHost: press.test\r\n\r\n")
		return strings.Contains(head, "Location: https://press.test/feed.xml")
	})
	status, err := p.Status(t.Context())
	if err != nil || len(status.Certificates) != 2 || status.Certificates[0].Problem != "" || status.Certificates[1].Problem != "" {
		t.Errorf("status %+v, %v", status, err)
	}
}

func TestListenerThatCannotBeOpenedSaysHowToFixIt(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for address, want := range map[string]string{
		taken.Addr().String():       "address already in use; use a free address of this machine",
		"systemd":                   "server.listen: systemd passes no stream socket; start the service by its socket unit, with ListenStream",
		"unix:/nowhere/at/all.sock": "no such file or directory; use a free address of this machine",
	} {
		_, _, err := open(t, "site: {url: https://press.example}\nserver: {listen: '"+address+"'}\n").OpenListeners()
		if err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: %v, want %s", address, err, want)
		}
	}
}
