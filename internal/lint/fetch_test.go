package lint_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/lint"
)

// remoteSite is a server of another site whose answers depend on the path.
type remoteSite struct {
	*httptest.Server
	requests atomic.Int64
	open     atomic.Int64 // requests at this moment
	most     atomic.Int64 // of them, ever
	mu       sync.Mutex
	seen     []string // methods and paths
	hang     chan struct{}
	pair     chan struct{}
}

func startRemote(t *testing.T) *remoteSite {
	t.Helper()
	s := &remoteSite{hang: make(chan struct{}), pair: make(chan struct{})}
	s.Server = httptest.NewServer(http.HandlerFunc(s.answer))
	t.Cleanup(func() { close(s.hang); s.Close() })
	return s
}

func (s *remoteSite) answer(w http.ResponseWriter, r *http.Request) {
	s.requests.Add(1)
	s.most.Store(max(s.most.Load(), s.open.Add(1)))
	defer s.open.Add(-1)
	s.mu.Lock()
	s.seen = append(s.seen, r.Method+" "+r.URL.Path)
	s.mu.Unlock()
	if code := 0; strings.HasPrefix(r.URL.Path, "/status/") {
		_, _ = fmt.Sscanf(r.URL.Path, "/status/%d", &code)
		w.WriteHeader(code)
		return
	}
	switch r.URL.Path {
	case "/no-head":
		if r.Method == http.MethodHead {
			w.WriteHeader(http.StatusNotFound)
		}
	case "/huge":
		for range 10_000 { // 100 MB, if it were read
			if _, err := w.Write(make([]byte, 10_000)); err != nil {
				return
			}
		}
	case "/loop":
		http.Redirect(w, r, "/loop", http.StatusFound)
	case "/moved":
		http.Redirect(w, r, "/status/200", http.StatusMovedPermanently)
	case "/hang":
		select {
		case <-s.hang:
		case <-r.Context().Done():
		}
	case "/small.png", "/wide.png":
		width := map[string]int{"/small.png": 100, "/wide.png": 1072}[r.URL.Path]
		w.Header().Set("Content-Type", "image/png")
		_ = png.Encode(w, image.NewGray(image.Rect(0, 0, width, 10)))
	case "/heavy.png":
		w.Header().Set("Content-Type", "image/png")
		_, _ = w.Write(bytes.Repeat([]byte("x"), 1_000_001))
	case "/capitals.png":
		w.Header().Set("Content-Type", "Image/PNG; charset=binary")
		_ = png.Encode(w, image.NewGray(image.Rect(0, 0, 1072, 10)))
	case "/broken-off.png":
		w.Header().Set("Content-Type", "image/png")
		w.Header().Set("Content-Length", "5000")
		_, _ = w.Write([]byte("only this"))
	case "/page.png":
		_, _ = w.Write([]byte("<html>sorry</html>"))
	case "/slow":
		select { // requests end in pairs, so two of them are open at once
		case s.pair <- struct{}{}:
		case <-s.pair:
		case <-r.Context().Done():
		}
	}
}

// linking returns an edition whose one link or image of another site has this address.
func linking(addresses ...string) lint.Edition {
	e := sound()
	var links strings.Builder
	for _, address := range addresses {
		if strings.HasSuffix(address, ".png") {
			fmt.Fprintf(&links, `<img src="%s" alt="x" width="536">`, address)
			continue
		}
		fmt.Fprintf(&links, `<a href="%s">x</a>`, address)
	}
	swap(&e, `<a class="ink" style="color: #222222" href="https://example.org/timetable">Timetable</a>`, links.String())
	return e
}

func local() *lint.Fetcher {
	return lint.NewFetcher(lint.FetcherOptions{Agent: "test", Intranet: true})
}

func TestAnswersOfOtherSitesAreJudged(t *testing.T) {
	t.Parallel()
	s := startRemote(t)
	for path, want := range map[string]string{
		"/status/200": "[]", "/status/204": "[]", "/no-head": "[]", "/huge": "[]", "/moved": "[]", "/wide.png": "[]",
		"/status/404": "[link-broken]", "/status/410": "[link-broken]", "/loop": "[link-broken]",
		"/status/500": "[link-failing]", "/status/503": "[link-failing]",
		"/status/401": "[link-unchecked]", "/status/403": "[link-unchecked]", "/status/429": "[link-unchecked]", "/status/999": "[link-unchecked]",
		"/small.png": "[image-narrow]", "/heavy.png": "[image-heavy]", "/page.png": "[image-broken]", "/status/404.png": "[image-broken]",
	} {
		got := local().Check(t.Context(), linking(s.URL+path))
		if fmt.Sprint(names(got)) != want {
			t.Errorf("%s: %+v, want %s", path, got, want)
		}
	}
}

func TestUnknownHostAndClosedPortAreFound(t *testing.T) {
	t.Parallel()
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	got := local().Check(t.Context(), linking(closed.URL))
	if fmt.Sprint(names(got)) != "[link-failing]" {
		t.Errorf("%+v", got)
	}
}

func TestPrivateAddressesAreNotRequested(t *testing.T) {
	t.Parallel()
	s := startRemote(t)
	f := lint.NewFetcher(lint.FetcherOptions{Agent: "test"})
	for _, address := range []string{s.URL + "/", strings.Replace(s.URL, "127.0.0.1", "localhost", 1) + "/", strings.Replace(s.URL, "127.0.0.1", "[::ffff:127.0.0.1]", 1) + "/"} {
		if got := f.Check(t.Context(), linking(address)); fmt.Sprint(names(got)) != "[link-private]" || got[0].Severity != lint.Warning {
			t.Errorf("%s: %+v", address, got)
		}
	}
	if got := f.Check(t.Context(), linking(s.URL+"/wide.png")); fmt.Sprint(names(got)) != "[image-private]" {
		t.Errorf("%+v", got)
	}
	if n := s.requests.Load(); n > 0 {
		t.Errorf("%d requests to a private address", n)
	}
}

func TestPlaceholdersOwnPagesAndMailtoAreNotRequested(t *testing.T) {
	t.Parallel()
	e := linking("mailto:ann@gazette.example", "tel:+4912345", site+"/articles/ferry", site, "#top")
	if got := local().Check(t.Context(), e); len(got) > 0 {
		t.Errorf("%+v", got)
	}
}

func TestSlowServerDoesNotDelayTheCheck(t *testing.T) {
	t.Parallel()
	s := startRemote(t)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	f := local()
	got := f.Check(ctx, linking(s.URL+"/hang"))
	if fmt.Sprint(names(got)) != "[link-unchecked]" || !strings.Contains(got[0].Message, "before the check ended") {
		t.Errorf("%+v", got)
	}
	if kept := f.Cached(lint.FindReferences(linking(s.URL + "/hang"))); len(kept) > 0 {
		t.Errorf("a check that was cut short is kept: %+v", kept)
	}
}

func TestRequestsAreBounded(t *testing.T) {
	t.Parallel()
	s := startRemote(t)
	var addresses []string
	for i := range 12 {
		addresses = append(addresses, fmt.Sprintf("%s/slow?%d", s.URL, i))
	}
	if got := local().Check(t.Context(), linking(append(addresses, addresses...)...)); len(got) > 0 {
		t.Errorf("%+v", got)
	}
	if n := s.requests.Load(); n != 12 {
		t.Errorf("%d requests for 12 addresses", n)
	}
	if n := s.most.Load(); n > 2 {
		t.Errorf("%d requests to one host at once, want at most 2", n)
	}
	for i := range 201 {
		addresses = append(addresses, fmt.Sprintf("%s/many?%d", s.URL, i))
	}
	s.requests.Store(0)
	if got := local().Check(t.Context(), linking(addresses[12:]...)); fmt.Sprint(names(got)) != "[links-many]" {
		t.Errorf("%+v", got)
	}
	if n := s.requests.Load(); n != 200 {
		t.Errorf("%d requests for 201 addresses, want 200", n)
	}
}

func TestResultsAreKeptForAWhile(t *testing.T) {
	t.Parallel()
	s := startRemote(t)
	var now atomic.Int64
	f := lint.NewFetcher(lint.FetcherOptions{Intranet: true, Now: func() time.Time { return time.Unix(1_000_000+now.Load(), 0) }})
	e := linking(s.URL+"/status/200", s.URL+"/status/404")
	if got := f.Cached(lint.FindReferences(e)); len(got) > 0 || s.requests.Load() > 0 {
		t.Errorf("findings before any check: %+v", got)
	}
	f.Check(t.Context(), e)
	first := s.requests.Load()
	if got := f.Cached(lint.FindReferences(e)); fmt.Sprint(names(got)) != "[link-broken]" {
		t.Errorf("kept: %+v", got)
	}
	f.Check(t.Context(), e)
	if n := s.requests.Load(); n != first {
		t.Errorf("%d requests again at once", n-first)
	}
	now.Store(10 * 60) // bad results are requested again, with HEAD and GET
	f.Check(t.Context(), e)
	if n := s.requests.Load(); n != first+2 {
		t.Errorf("%d requests after ten minutes, want 2", n-first)
	}
	now.Store(2 * 3600)
	f.Check(t.Context(), e)
	if n := s.requests.Load(); n != first+2+3 {
		t.Errorf("%d requests after two hours, want 3", n-first-2)
	}
}
