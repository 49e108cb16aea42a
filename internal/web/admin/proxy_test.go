package admin_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
)

// documented returns a configuration of docs/https.md, as it stands there.
func documented(t *testing.T, kind string) string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "https.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, after, begins := strings.Cut(string(page), "\n```"+kind+"\n")
	text, _, ends := strings.Cut(after, "\n```\n")
	if !begins || !ends {
		t.Fatalf("docs/https.md has no configuration of %s", kind)
	}
	return text + "\n"
}

// replaced replaces parts of a documented configuration, given as old and new texts, each of which it has.
func replaced(t *testing.T, text string, pairs ...string) string {
	t.Helper()
	for i := 0; i+1 < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("no %q in the documented configuration:\n%s", pairs[i], text)
		}
		text = strings.ReplaceAll(text, pairs[i], pairs[i+1])
	}
	return text
}

// proxy is a program that runs with a documented configuration.
type proxy struct {
	name    string
	program string
	// start returns the arguments of the program. files are those of a certificate for the address.
	start func(t *testing.T, dir, address, behind, certFile, keyFile string) []string
}

func writeConfig(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

var proxies = []proxy{
	{"caddy", "caddy", func(t *testing.T, dir, address, behind, certFile, keyFile string) []string {
		text := "{\n\tadmin off\n\tauto_https disable_redirects\n}\n" + replaced(t, documented(t, "caddy"),
			"news.example.org {", "https://"+address+" {\n\tbind 127.0.0.1\n\ttls "+certFile+" "+keyFile, "127.0.0.1:8080", behind)
		writeConfig(t, filepath.Join(dir, "Caddyfile"), text)
		return []string{"run", "--config", filepath.Join(dir, "Caddyfile"), "--adapter", "caddyfile"}
	}},
	{"nginx", "/usr/sbin/nginx", func(t *testing.T, dir, address, behind, certFile, keyFile string) []string {
		second, err := net.Listen("tcp", "127.0.0.1:0") // for the redirect of port 80
		if err != nil {
			t.Fatal(err)
		}
		plain := second.Addr().String()
		_ = second.Close()
		text := replaced(t, documented(t, "nginx"), "listen 443", "listen "+address, "listen 80", "listen "+plain,
			"127.0.0.1:8080", behind, "/etc/letsencrypt/live/news.example.org/fullchain.pem", certFile, "/etc/letsencrypt/live/news.example.org/privkey.pem", keyFile)
		// gzip on is what Debian's nginx.conf says.
		main := "pid %[1]s/pid;\nerror_log %[1]s/error.log;\nevents {}\nhttp {\ngzip on;\naccess_log off;\nclient_body_temp_path %[1]s/t1; proxy_temp_path %[1]s/t2; fastcgi_temp_path %[1]s/t3; uwsgi_temp_path %[1]s/t4; scgi_temp_path %[1]s/t5;\n%[2]s}\n"
		if os.Getuid() == 0 {
			main = "user root;\n" + main
		}
		writeConfig(t, filepath.Join(dir, "nginx.conf"), fmt.Sprintf(main, dir, text))
		return []string{"-c", filepath.Join(dir, "nginx.conf"), "-e", filepath.Join(dir, "error.log"), "-g", "daemon off;"}
	}},
}

// forger is a client that claims another address.
type forger struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (f forger) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("X-Forwarded-For", "203.0.113.5")
	return f.RoundTripper.RoundTrip(r)
}

// startBehind starts a site behind a proxy, and returns a client that connects from 127.0.9.1 and claims
// to be another, and the site's own address.
func startBehind(t *testing.T, p proxy) (s *site, client http.RoundTripper, direct string) {
	t.Helper()
	program, err := exec.LookPath(p.program)
	if err != nil {
		t.Skipf("SKIPPED: %s is not installed (make tools)", p.name)
	}
	reserved, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := reserved.Addr().String()
	if err := reserved.Close(); err != nil {
		t.Fatal(err)
	}
	s = startSite(t, perSecond(2), publicURL("https://"+address))
	certificate := testkit.NewCertificate(t)
	dir := t.TempDir()
	certFile, keyFile := certificate.WriteFiles(t, dir)
	cmd := exec.Command(program, p.start(t, dir, address, s.address, certFile, keyFile)...)
	cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
	cmd.Stdout, cmd.Stderr = t.Output(), t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // nginx ends its workers then
		_ = cmd.Wait()
	})
	testkit.Eventually(t, p.name+" to listen", func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: certificate.Roots}, ForceAttemptHTTP2: true, DisableCompression: true}
	transport.DialContext = (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 9, 1)}}).DialContext
	t.Cleanup(transport.CloseIdleConnections)
	return s, forger{transport}, s.address
}

func TestSiteWorksBehindTheDocumentedProxies(t *testing.T) {
	t.Parallel()
	testkit.Slow(t)
	for _, p := range proxies {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			s, client, direct := startBehind(t, p)
			s.addSubscribers(200)
			e := s.visitor()
			e.client.Transport = client
			e.becomeOwner(s)
			entries, err := s.Store.AuditLog(t.Context(), store.AuditFilter{Limit: 1})
			if err != nil || len(entries) != 1 || entries[0].Network != "127.0.9.0/24" {
				t.Errorf("the audit log has %+v, %v; want the network of the client", entries, err)
			}
			large := append(picture(t), make([]byte, 12<<20)...)
			e.want(e.upload("/admin/articles/new/images", "file", "large.png", large), "/media/")
			compareAnswers(t, s.url, client, direct)

			e.sendWeekly()
			ctx, cancel := context.WithTimeout(t.Context(), testkit.Timeout)
			defer cancel()
			until(t, e.stream(ctx, e.at+"/events"), "controls") // the edition takes over a minute, and the stream as long
		})
	}
}

// compareAnswers requests documents from the proxy and from the site itself, which must be equal.
func compareAnswers(t *testing.T, public string, client http.RoundTripper, direct string) {
	t.Helper()
	ask := func(transport http.RoundTripper, address, path string, header http.Header) (*http.Response, []byte) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header = header.Clone()
		answer, err := transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer, body
	}
	for _, path := range []string{"/feed.xml", "/", "/feed.json", "/favicon.ico", "/admin/sign-in"} {
		// The date of a feed changes each second until the last change of an article is some seconds old.
		testkit.Eventually(t, path+" to have a date that stays", func() bool {
			answer, _ := ask(&http.Transport{DisableCompression: true}, "http://"+direct, path, http.Header{})
			date := answer.Header.Get("Last-Modified")
			if date == "" {
				return true
			}
			answer, _ = ask(&http.Transport{DisableCompression: true}, "http://"+direct, path, http.Header{"If-Modified-Since": {date}})
			return answer.StatusCode == http.StatusNotModified
		})
		for _, coding := range []string{"", "gzip", "br"} {
			header := http.Header{"Accept-Encoding": {coding}, "User-Agent": {"test"}}
			want, wantBody := ask(&http.Transport{DisableCompression: true}, "http://"+direct, path, header)
			got, body := ask(client, public, path, header)
			if got.StatusCode != want.StatusCode || !bytes.Equal(body, wantBody) && want.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s in %q: %s and %d bytes, want %s and %d", path, coding, got.Status, len(body), want.Status, len(wantBody))
			}
			for _, name := range []string{"Cache-Control", "Etag", "Last-Modified", "Vary", "Content-Encoding", "Content-Type", "X-Content-Type-Options", "Content-Security-Policy"} {
				if fmt.Sprint(got.Header.Values(name)) != fmt.Sprint(want.Header.Values(name)) {
					t.Errorf("%s in %q has %s %q behind the proxy, and %q without it", path, coding, name, got.Header.Values(name), want.Header.Values(name))
				}
			}
			if all := got.Header.Values("Strict-Transport-Security"); len(all) != 1 {
				t.Errorf("%s has Strict-Transport-Security %q", path, all)
			}
			if tag := want.Header.Get("Etag"); tag != "" {
				header.Set("If-None-Match", tag)
				if again, _ := ask(client, public, path, header); again.StatusCode != http.StatusNotModified {
					t.Errorf("%s in %q with its own ETag: %s", path, coding, again.Status)
				}
			}
		}
	}
}
