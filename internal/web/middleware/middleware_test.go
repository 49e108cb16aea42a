package middleware_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/web/middleware"
)

func TestForwardedForIsReadFromTrustedProxiesOnly(t *testing.T) {
	t.Parallel()
	proxies, err := middleware.ParseProxies([]string{"10.0.0.0/8", "::1"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ peer, forwarded, want string }{
		{"203.0.113.9:1", "198.51.100.1", "203.0.113.9"},
		{"10.0.0.1:1", "198.51.100.1", "198.51.100.1"},
		{"10.0.0.1:1", "6.6.6.6, 198.51.100.1, 10.0.0.2", "198.51.100.1"},
		{"10.0.0.1:1", "198.51.100.1:443", "198.51.100.1"},
		{"10.0.0.1:1", "nonsense", "10.0.0.1"},
		{"10.0.0.1:1", "", "10.0.0.1"},
		{"[::1]:1", "2001:db8::7", "2001:db8::7"},
		{"[::ffff:10.0.0.1]:1", "198.51.100.1", "198.51.100.1"},
		{"@", "198.51.100.1", "198.51.100.1"}, // a Unix socket
		{"@", "6.6.6.6, 198.51.100.1, 10.0.0.2", "198.51.100.1"},
		{"@", "", "invalid IP"},
		{"somewhere", "198.51.100.1", "invalid IP"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = c.peer
		r.Header.Set("X-Forwarded-For", c.forwarded)
		if got := proxies.Client(r).String(); got != c.want {
			t.Errorf("from %s for %q: %s, want %s", c.peer, c.forwarded, got, c.want)
		}
	}
	if _, err := middleware.ParseProxies([]string{"everyone"}); err == nil || !strings.Contains(err.Error(), "10.0.0.0/8") {
		t.Errorf("a wrong network: %v", err)
	}
}

func TestLimiterAllowsBurstThenOnePerInterval(t *testing.T) {
	t.Parallel()
	now := time.Unix(0, 0)
	l := middleware.NewLimiter[string](2, time.Minute, func() time.Time { return now })
	first, second, third := l.Allow("a"), l.Allow("a"), l.Allow("a")
	if !first || !second || third || !l.Allow("b") {
		t.Error("want two attempts for each key")
	}
	now = now.Add(time.Minute)
	first, second = l.Allow("a"), l.Allow("a")
	if !first || second {
		t.Error("want one more attempt after a minute")
	}
}

func wrap(t *testing.T, site string, log io.Writer, h http.HandlerFunc) http.Handler {
	t.Helper()
	wrapped, err := middleware.Wrap(h, middleware.Options{
		Site: site, Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Failed: func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "sorry", http.StatusInternalServerError) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return wrapped
}

func TestLogOmitsTokens(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	h := wrap(t, "https://example.org", &log, func(http.ResponseWriter, *http.Request) {})
	for _, path := range []string{
		"/confirm/SECRET", "/unsubscribe/SECRET", "/preferences/SECRET", "/private/SECRET/feed.xml", "/editions/id/SECRET", "/erase/SECRET", "/export/SECRET", "/admin/welcome/SECRET", "/admin/address/SECRET", "/room/welcome/SECRET",
		"/webhooks/ses/SECRET", "/?q=SECRET", "//confirm/SECRET", "/articles/shown",
	} {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "http://example.org"+path, nil))
	}
	if strings.Contains(log.String(), "SECRET") {
		t.Errorf("the log contains a token:\n%s", &log)
	}
	if !strings.Contains(log.String(), "/articles/shown") {
		t.Errorf("the log lacks a public path:\n%s", &log)
	}
}

func TestReferrerPolicyOfPagesWithToken(t *testing.T) {
	t.Parallel()
	h := wrap(t, "https://example.org", io.Discard, func(http.ResponseWriter, *http.Request) {})
	for path, want := range map[string]string{
		"/preferences/x": "same-origin", "/unsubscribe/x": "same-origin", "/erase/x": "same-origin", "/export/x": "same-origin",
		"/confirm/x": "same-origin", "/editions/e/x": "same-origin", "/": "strict-origin-when-cross-origin",
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if got := w.Header().Get("Referrer-Policy"); got != want {
			t.Errorf("%s has the policy %q, want %q", path, got, want)
		}
	}
}

func TestPanicShowsErrorPageAndIsLogged(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	h := wrap(t, "https://example.org", &log, func(http.ResponseWriter, *http.Request) { panic("broken") })
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if w.Code != http.StatusInternalServerError || !strings.Contains(log.String(), "broken") || !strings.Contains(log.String(), w.Header().Get("X-Request-Id")) {
		t.Errorf("status %d, log %s", w.Code, &log)
	}
}

func TestSecurityHeadersAndBodyLimit(t *testing.T) {
	t.Parallel()
	var read error
	h := func(site string) http.Handler {
		return wrap(t, site, io.Discard, func(_ http.ResponseWriter, r *http.Request) { _, read = io.Copy(io.Discard, r.Body) })
	}
	w := httptest.NewRecorder()
	declared := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(strings.Repeat("x", middleware.MaxBody+1)))
	if h("https://example.org").ServeHTTP(w, declared); w.Code != http.StatusRequestEntityTooLarge || read != nil {
		t.Errorf("a body with a large declared length: %d, and the handler read %v", w.Code, read)
	}
	w = httptest.NewRecorder()
	endless := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(strings.Repeat("x", middleware.MaxBody+1)))
	endless.ContentLength = -1
	h("https://example.org").ServeHTTP(w, endless)
	var large *http.MaxBytesError
	if !errors.As(read, &large) {
		t.Errorf("a large body without a length: %v, want MaxBytesError", read)
	}
	if w.Header().Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("headers %v", w.Header())
	}
}

func TestBrowsersAreToldToUseHTTPSWhereItWorks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		site, hsts string
		overTLS    bool
		want       bool
	}{
		{"https://example.org", "auto", true, true},
		{"https://example.org", "auto", false, false}, // behind a proxy
		{"https://example.org", "always", false, true},
		{"https://example.org", "never", true, false},
		{"http://localhost:8080", "auto", true, false},
		{"http://localhost:8080", "always", false, false},
	} {
		h, err := middleware.Wrap(http.NotFoundHandler(), middleware.Options{Site: c.site, HSTS: c.hsts, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		if c.overTLS {
			r.TLS = &tls.ConnectionState{}
		}
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); (w.Header().Get("Strict-Transport-Security") != "") != c.want {
			t.Errorf("%+v: the header is %q", c, w.Header().Get("Strict-Transport-Security"))
		}
	}
}

func TestPlainHTTPIsRedirectedToTheSite(t *testing.T) {
	t.Parallel()
	h, err := middleware.RedirectToHTTPS("https://press.example:8443/news", []string{"https://old.example/blog"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		method, host, target string
		status               int
		want                 string
	}{
		{"GET", "press.example", "/news/feed.xml?x=1", 301, "https://press.example:8443/news/feed.xml?x=1"},
		{"HEAD", "press.example:80", "/", 301, "https://press.example:8443/"},
		{"POST", "press.example", "/subscribe", 308, "https://press.example:8443/subscribe"},
		{"GET", "evil.example", "//evil.example/a%2fb", 301, "https://press.example:8443//evil.example/a%2fb"},
		{"GET", "old.example", "/blog/one", 301, "https://press.example:8443/news/one"},
	} {
		r := httptest.NewRequest(c.method, c.target, nil)
		r.Host = c.host
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != c.status || w.Header().Get("Location") != c.want {
			t.Errorf("%s %s%s: %d to %s, want %d to %s", c.method, c.host, c.target, w.Code, w.Header().Get("Location"), c.status, c.want)
		}
	}
}

// timed records the write deadlines of a response.
type timed struct {
	*httptest.ResponseRecorder
	deadlines *[]time.Time
}

func (w timed) SetWriteDeadline(by time.Time) error {
	*w.deadlines = append(*w.deadlines, by)
	return nil
}

func TestResponsesHaveWriteDeadline(t *testing.T) {
	t.Parallel()
	lift := false
	h := wrap(t, "https://example.org", io.Discard, func(w http.ResponseWriter, _ *http.Request) {
		if lift {
			_ = http.NewResponseController(w).SetWriteDeadline(time.Time{})
		}
	})
	ctx := middleware.ConnContext(t.Context(), nil)
	var deadlines []time.Time
	ask := func() {
		h.ServeHTTP(timed{httptest.NewRecorder(), &deadlines}, httptest.NewRequest(http.MethodGet, "/", nil).WithContext(ctx))
	}
	ask()
	ask()
	if len(deadlines) != 1 || time.Until(deadlines[0]) < time.Minute {
		t.Fatalf("two requests on a connection set %v, want one deadline in more than a minute", deadlines)
	}
	lift = true
	ask()
	lift = false
	ask()
	if len(deadlines) != 3 || !deadlines[1].IsZero() || deadlines[2].IsZero() {
		t.Errorf("after a handler cleared the deadline, the deadlines are %v", deadlines)
	}
	deadlines = nil
	for range 2 {
		r := httptest.NewRequest(http.MethodGet, "/", nil).WithContext(ctx)
		r.Proto, r.ProtoMajor, r.ProtoMinor = "HTTP/2.0", 2, 0
		h.ServeHTTP(timed{httptest.NewRecorder(), &deadlines}, r)
	}
	if len(deadlines) != 2 {
		t.Errorf("two streams of HTTP/2 on a connection have the deadlines %v, want one each", deadlines)
	}
}

func TestAccessLogHasEveryRequestOnlyWhenItIsOn(t *testing.T) {
	t.Parallel()
	for _, on := range []bool{true, false} {
		var log bytes.Buffer
		h, err := middleware.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "br")
			_, _ = w.Write([]byte("four"))
		}), middleware.Options{Site: "https://example.org", Log: slog.New(slog.NewTextHandler(&log, nil)), AccessLog: on})
		if err != nil {
			t.Fatal(err)
		}
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(method, "http://example.org/page?q=words", nil))
		}
		lines := strings.Count(log.String(), "\n")
		if want := map[bool]int{true: 2, false: 1}[on]; lines != want {
			t.Errorf("access log %t: %d lines, want %d:\n%s", on, lines, want, &log)
		}
		for _, want := range []string{"method=POST", "path=/page ", "status=200", "bytes=4", "took=", "coding=br", "client=192.0.2.1", "request="} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("the line lacks %s: %s", want, &log)
			}
		}
	}
}
