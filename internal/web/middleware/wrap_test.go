package middleware_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidings-press/tidings/internal/cpulimit"
	"github.com/tidings-press/tidings/internal/web/middleware"
)

func TestWrongAddressesOfTheSiteAndProxiesAreRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		options middleware.Options
		want    string
	}{
		"site":    {middleware.Options{Site: "https://%zz"}, "site address: "},
		"former":  {middleware.Options{Site: "https://a.example", Former: []string{"https://b.example", "https://%zz"}}, "former address of the site: "},
		"proxies": {middleware.Options{Site: "https://a.example", Proxies: []string{"all"}}, `trusted proxy "all"`},
	} {
		if h, err := middleware.Wrap(http.NotFoundHandler(), test.options); err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%s: %v, %v; want an error with %q", name, h, err, test.want)
		}
	}
}

func TestFormerHostIsRedirectedBeforeTheHandler(t *testing.T) {
	t.Parallel()
	served := 0
	h, err := middleware.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { served++ }), middleware.Options{
		Site: "https://press.example/", Former: []string{"http://old.example/blog/", "https://www.press.example", "https://PRESS.example/old"}, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		method, host, target string
		status               int
		want                 string
	}{
		{"GET", "old.example", "/blog/a%20b?x=1&y", 301, "https://press.example/a%20b?x=1&y"},
		{"GET", "OLD.example:8080", "/blog", 301, "https://press.example/"},
		{"GET", "old.example.", "/blog/a", 301, "https://press.example/a"},
		{"HEAD", "old.example", "/blogging", 301, "https://press.example/blogging"},
		{"POST", "www.press.example", "/subscribe", 308, "https://press.example/subscribe"},
		{"PUT", "www.press.example", "/x", 308, "https://press.example/x"},
		{"GET", "www.press.example", "//evil.example/", 301, "https://press.example//evil.example/"},
		{"GET", "www.press.example", "/?next=https://evil.example", 301, "https://press.example/?next=https://evil.example"},
		{"GET", "www.press.example", "/unsubscribe/token", 301, "https://press.example/unsubscribe/token"},
		{"POST", "www.press.example", "/unsubscribe/token", 200, ""}, // RFC 8058: mail programs follow no redirect
		{"POST", "www.press.example", "/unsubscribed", 308, "https://press.example/unsubscribed"},
		{"GET", "press.example", "/old/a", 200, ""},
		{"GET", "other.example", "/blog/a", 200, ""},
		{"GET", "", "/blog/a", 200, ""},
		{"GET", "[::1]:80", "/blog/a", 200, ""},
	} {
		before := served
		r := httptest.NewRequest(test.method, "http://x"+test.target, nil)
		r.Host = test.host
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != test.status || w.Header().Get("Location") != test.want || (served > before) != (test.status == 200) {
			t.Errorf("%s %s%s: %d to %q, want %d to %q", test.method, test.host, test.target, w.Code, w.Header().Get("Location"), test.status, test.want)
		}
		if test.status != 200 && w.Header().Get("Cache-Control") != "public, max-age=86400" {
			t.Errorf("%s%s: Cache-Control %q", test.host, test.target, w.Header().Get("Cache-Control"))
		}
	}
}

// server runs a handler behind the middleware on a real connection.
func server(t *testing.T, o middleware.Options, h http.HandlerFunc) (url string, log *safeBuffer) {
	t.Helper()
	log = &safeBuffer{}
	o.Site = "http://press.example"
	o.Log = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	wrapped, err := middleware.Wrap(h, o)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(wrapped)
	s.Config.ConnContext = middleware.ConnContext
	s.Start()
	t.Cleanup(s.Close)
	return s.URL, log
}

// safeBuffer is a buffer that a server and a test use at the same time.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func post(t *testing.T, url string, body io.Reader) (*http.Response, string) {
	t.Helper()
	resp, err := http.Post(url, "text/plain", body)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(text)
}

// TestBodyBeyondTheLimitIsAnsweredWith413 sends bodies over a real connection, with and without a declared length.
func TestBodyBeyondTheLimitIsAnsweredWith413(t *testing.T) {
	t.Parallel()
	url, _ := server(t, middleware.Options{LargestBody: func(r *http.Request) int64 {
		return map[string]int64{"/upload": 3 << 20, "/small": 10}[r.URL.Path]
	}}, func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		w.Header().Set("Set-Cookie", "a=b")
		w.Header().Set("Location", "/elsewhere")
		if err != nil {
			http.Error(w, "the handler's own answer", http.StatusBadRequest)
			fmt.Fprint(w, "and more of it")
			return
		}
		fmt.Fprint(w, n)
	})
	for name, test := range map[string]struct {
		path     string
		size     int
		declared bool
		status   int
		want     string
	}{
		"nothing":                         {"/", 0, true, 200, "0"},
		"as much as allowed":              {"/", middleware.MaxBody, true, 200, fmt.Sprint(middleware.MaxBody)},
		"as much as allowed, chunked":     {"/", middleware.MaxBody, false, 200, fmt.Sprint(middleware.MaxBody)},
		"one byte more":                   {"/", middleware.MaxBody + 1, true, 413, "The request is too large. The limit is 1024 KB.\n"},
		"one byte more, chunked":          {"/", middleware.MaxBody + 1, false, 413, "The request is too large. The limit is 1024 KB.\n"},
		"an upload":                       {"/upload", 3 << 20, true, 200, fmt.Sprint(3 << 20)},
		"an upload, chunked":              {"/upload", 3 << 20, false, 200, fmt.Sprint(3 << 20)},
		"a larger upload":                 {"/upload", 3<<20 + 1, true, 413, "The request is too large. The limit is 3072 KB.\n"},
		"a larger upload, chunked":        {"/upload", 3<<20 + 1, false, 413, "The request is too large. The limit is 3072 KB.\n"},
		"a path with a limit below all's": {"/small", middleware.MaxBody, true, 200, fmt.Sprint(middleware.MaxBody)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var body io.Reader = bytes.NewReader(make([]byte, test.size))
			if !test.declared {
				body = struct{ io.Reader }{body} // without a length, it is sent in chunks
			}
			resp, got := post(t, url+test.path, body)
			if resp.StatusCode != test.status || got != test.want {
				t.Fatalf("%d %q, want %d %q", resp.StatusCode, got, test.status, test.want)
			}
			if h := resp.Header; test.status == 413 && (h.Get("Set-Cookie") != "" || h.Get("Location") != "" || h.Get("Cache-Control") != "no-store") {
				t.Errorf("the refusal has headers of the handler: %v", h)
			}
		})
	}
}

// TestHandlerThatReadsNothingIsStillAnswered: the client first sends its whole body (RFC 9112, section 9.6).
func TestHandlerThatReadsNothingIsStillAnswered(t *testing.T) {
	t.Parallel()
	url, _ := server(t, middleware.Options{}, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "sign in first", http.StatusForbidden) })
	for _, declared := range []bool{true, false} {
		var body io.Reader = bytes.NewReader(make([]byte, middleware.MaxBody))
		if !declared {
			body = struct{ io.Reader }{body}
		}
		if resp, got := post(t, url, body); resp.StatusCode != 403 || got != "sign in first\n" {
			t.Errorf("declared %t: %d %q", declared, resp.StatusCode, got)
		}
	}
}

func TestRequestIDsDifferAndAreLogged(t *testing.T) {
	t.Parallel()
	var inside string
	url, log := server(t, middleware.Options{AccessLog: true}, func(_ http.ResponseWriter, r *http.Request) { inside = middleware.ID(r.Context()) })
	seen := map[string]bool{}
	for range 5 {
		resp, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		id := resp.Header.Get("X-Request-Id")
		if id == "" || id != inside || seen[id] {
			t.Errorf("the id %q, the handler has %q, seen before: %t", id, inside, seen[id])
		}
		seen[id] = true
	}
	for id := range seen {
		if !strings.Contains(log.String(), "request="+id) {
			t.Errorf("the log lacks %s:\n%s", id, log)
		}
	}
}

// TestAnswerFromMemoryHasNoRequestID: caches of others may keep it.
func TestAnswerFromMemoryHasNoRequestID(t *testing.T) {
	t.Parallel()
	url, log := server(t, middleware.Options{AccessLog: true, FromMemory: func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/kept" {
			return false
		}
		fmt.Fprint(w, "kept")
		return true
	}}, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "made") })
	get := func(path string, body io.Reader) (*http.Response, string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+path, body)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		return resp, string(text)
	}
	if resp, text := get("/kept", nil); text != "kept" || resp.Header.Get("X-Request-Id") != "" || resp.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("from memory: %q %v", text, resp.Header)
	}
	if resp, text := get("/other", nil); text != "made" || resp.Header.Get("X-Request-Id") == "" {
		t.Errorf("made: %q %v", text, resp.Header)
	}
	if _, text := get("/kept", strings.NewReader("a body")); text != "made" {
		t.Errorf("a request with a body is answered from memory: %q", text)
	}
	if line, _, _ := strings.Cut(log.String(), "\n"); !strings.Contains(line, "client=127.0.0.1") || strings.Contains(line, "request=") {
		t.Errorf("the line of an answer from memory: %s", line)
	}
}

func TestBusySiteAnswers503WithRetryAfter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		share := cpulimit.New(func() bool { return true })
		share.Answered(1<<40, true)
		h, err := middleware.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the handler was called") }),
			middleware.Options{Site: "http://press.example", CPULimiter: share, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
		if w.Code != 503 || w.Header().Get("Retry-After") != "10" || w.Header().Get("Cache-Control") != "no-store" || !strings.Contains(w.Body.String(), "try again") {
			t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
		}
	})
}

// TestPanicAfterTheAnswerBeganIsOnlyLogged: a second answer would be appended to the first.
func TestPanicAfterTheAnswerBeganIsOnlyLogged(t *testing.T) {
	t.Parallel()
	failed := 0
	url, log := server(t, middleware.Options{Failed: func(http.ResponseWriter, *http.Request) { failed++ }}, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "half a page")
		panic(errors.New("a broken template"))
	})
	resp, err := http.Get(url + "/confirm/SECRET")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if text, _ := io.ReadAll(resp.Body); string(text) != "half a page" || failed != 0 {
		t.Errorf("%q, the error page was asked for %d times", text, failed)
	}
	if l := log.String(); !strings.Contains(l, "a broken template") || !strings.Contains(l, "wrap_test.go") || strings.Contains(l, "SECRET") {
		t.Errorf("the log: %s", l)
	}
}

func TestAbortedHandlerClosesTheConnection(t *testing.T) {
	t.Parallel()
	url, log := server(t, middleware.Options{Failed: func(http.ResponseWriter, *http.Request) { t.Error("an error page was sent") }}, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		fmt.Fprint(w, "ten bytes.")
		panic(http.ErrAbortHandler)
	})
	resp, err := http.Get(url)
	if err == nil {
		_, err = io.ReadAll(resp.Body)
		resp.Body.Close()
	}
	if err == nil {
		t.Error("the client takes the part for the whole")
	}
	if strings.Contains(log.String(), "request failed") {
		t.Errorf("an abort is logged as a failure: %s", log)
	}
}

func TestLevelOfALineFollowsStatusAndMethod(t *testing.T) {
	t.Parallel()
	url, log := server(t, middleware.Options{}, func(w http.ResponseWriter, r *http.Request) {
		status := http.StatusOK
		fmt.Sscanf(r.URL.Path, "/%d", &status)
		w.WriteHeader(status)
	})
	for _, test := range []struct {
		method string
		status int
		level  string
	}{
		{"GET", 200, "DEBUG"}, {"HEAD", 404, "DEBUG"}, {"GET", 499, "DEBUG"}, {"GET", 500, "ERROR"}, {"HEAD", 503, "ERROR"},
		{"POST", 303, "INFO"}, {"POST", 422, "INFO"}, {"DELETE", 405, "INFO"}, {"POST", 502, "ERROR"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), test.method, fmt.Sprint(url, "/", test.status, "/", test.method), nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		want := fmt.Sprintf("level=%s msg=request method=%s path=/%d/%s status=%d ", test.level, test.method, test.status, test.method, test.status)
		eventuallyContains(t, log, want)
	}
}

// eventuallyContains waits for a line: a server writes it after the answer.
func eventuallyContains(t *testing.T, log *safeBuffer, want string) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); !strings.Contains(log.String(), want); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the log lacks %q:\n%s", want, log)
		}
	}
}

// TestSlowBodyIsNotAwaitedForever sends a part of a body and then nothing, on a clock that is not real.
func TestSlowBodyIsNotAwaitedForever(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		largest int64
		want    time.Duration
	}{"a form": {0, 30 * time.Second}, "an upload": {10 << 20, 5 * time.Minute}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var took time.Duration
				h, err := middleware.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					began := time.Now()
					_, err := io.Copy(io.Discard, r.Body)
					took = time.Since(began)
					var timeout net.Error
					if !errors.As(err, &timeout) || !timeout.Timeout() {
						t.Errorf("reading ended with %v", err)
					}
				}), middleware.Options{Site: "http://press.example", Log: slog.New(slog.DiscardHandler), LargestBody: func(*http.Request) int64 { return test.largest }})
				if err != nil {
					t.Fatal(err)
				}
				client, end := net.Pipe()
				listener := &oneConn{make(chan net.Conn, 1), make(chan struct{})}
				listener.conns <- end
				s := &http.Server{Handler: h, ConnContext: middleware.ConnContext}
				go s.Serve(listener) //nolint:errcheck // it ends with the listener
				defer s.Close()
				defer client.Close()
				if _, err := io.WriteString(client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nonly a part"); err != nil {
					t.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, client)
				if took != test.want {
					t.Errorf("the body was awaited for %v, want %v", took, test.want)
				}
			})
		})
	}
}

func TestLoggerWithRequestIDKeepsAttributesAndGroups(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := middleware.WithRequestID(slog.New(slog.NewTextHandler(&out, nil)))
	h := wrap(t, "https://press.example", io.Discard, func(_ http.ResponseWriter, r *http.Request) {
		log.With("node", "a").WithGroup("store").ErrorContext(r.Context(), "slow", "took", "1s")
		log.DebugContext(r.Context(), "not enabled")
	})
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if got, want := out.String(), w.Header().Get("X-Request-Id"); want == "" || !strings.Contains(got, "node=a store.took=1s") || !strings.Contains(got, "request="+want) || strings.Contains(got, "not enabled") {
		t.Errorf("%s lacks the id %s", got, want)
	}
	out.Reset()
	log.InfoContext(context.Background(), "at the start")
	if got := out.String(); strings.Contains(got, "request=") {
		t.Errorf("a line without a request: %s", got)
	}
	if middleware.ID(t.Context()) != "" || middleware.Client(t.Context()).IsValid() {
		t.Error("a context without a request has an id or a client")
	}
}

func TestLogPathIsThatOfTheRoute(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/":                             "/",
		"/confirm/":                     "/confirm/",
		"/confirm/token":                "/confirm/…",
		"/confirm/token/more":           "/confirm/…",
		"///unsubscribe///token":        "/unsubscribe/…",
		"/confirmed/token":              "/confirmed/token",
		"/articles/confirm/x":           "/articles/confirm/x",
		"/editions/id":                  "/editions/id",
		"/editions/id/token":            "/editions/id/…",
		"/webhooks/ses":                 "/webhooks/ses",
		"/webhooks/ses/token":           "/webhooks/ses/…",
		"/admin/proofs/token/approve":   "/admin/proofs/…",
		"/admin/welcome":                "/admin/welcome",
		"/admin/welcome/token/strength": "/admin/welcome/…",
		"/admin/articles/1":             "/admin/articles/1",
		"/private/token/feed.xml":       "/private/…",
		"/confirm/tok%2Fen":             "/confirm/…",
		"/%63onfirm/token":              "/confirm/…",
	} {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		if got := middleware.LogPath(r); got != want {
			t.Errorf("%s is logged as %s, want %s", path, got, want)
		}
	}
}
