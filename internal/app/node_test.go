package app_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/feedrules"
)

// running is a whole service on the loopback interface.
type running struct {
	address string
	press   *app.Service
	stop    context.CancelFunc
	ended   chan error
}

// start runs a service with settings in YAML and some articles until the test ends.
func start(t *testing.T, settings string, articles ...article.Article) *running {
	t.Helper()
	p := open(t, settings)
	for i := range articles {
		putArticles(t, p.Store, articles[i])
	}
	return runOn(t, p)
}

func runOn(t *testing.T, p *app.Service) *running {
	t.Helper()
	return runNode(t, &app.Node{Service: p})
}

// runNode runs a node, with a listener of its own, until the test ends.
func runNode(t *testing.T, node *app.Node) *running {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return runNodeOn(t, node, listener)
}

// runNodeOn runs a node with a listener until the test ends.
func runNodeOn(t *testing.T, node *app.Node, listener net.Listener) *running {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	r := &running{address: listener.Addr().String(), press: node.Service, stop: stop, ended: make(chan error, 1)}
	ready := make(chan struct{})
	go func() {
		node.HTTP, node.Ready = listener, func() { close(ready) }
		r.ended <- node.Run(ctx)
		close(r.ended)
	}()
	t.Cleanup(func() {
		stop()
		if err := <-r.ended; err != nil {
			t.Errorf("the service ended with %v", err)
		}
	})
	<-ready
	return r
}

// raw sends bytes on a new connection and reads one response.
func (r *running) raw(t *testing.T, request string) (head string, body []byte) {
	t.Helper()
	conn, err := net.Dial("tcp", r.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(testkit.Timeout))
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	response, err := http.ReadResponse(bufio.NewReader(io.TeeReader(conn, &said)), nil)
	if err != nil {
		t.Fatal(err)
	}
	if body, err = io.ReadAll(response.Body); err != nil {
		t.Fatal(err)
	}
	head, _, _ = strings.Cut(said.String(), "\r\n\r\n")
	return head, body
}

func TestFeedsPassTheSameMiddlewareAsPages(t *testing.T) {
	t.Parallel()
	r := start(t, "site: {url: https://press.example, former_urls: ['https://old.example']}\nfeed_server: {hubs: [https://press.example/hub]}\nserver: {hsts: always}\n", feedrules.Article(1))
	ask := func(request string) *http.Response {
		head, _ := r.raw(t, request)
		response, err := http.ReadResponse(bufio.NewReader(strings.NewReader(head+"\r\n\r\n")), nil)
		if err != nil {
			t.Fatal(err)
		}
		return response
	}
	ids := map[string]bool{}
	for _, path := range []string{"/feed.xml", "/feed.xml", "/", "/hub", "/nothing", "/admin/"} {
		h := ask("GET " + path + " HTTP/1.1\r\nHost: press.example\r\n\r\n").Header
		for _, name := range []string{"X-Content-Type-Options", "Strict-Transport-Security"} {
			if h.Get(name) == "" {
				t.Errorf("%s is answered without %s", path, name)
			}
		}
		if id := h.Get("X-Request-Id"); id != "" && ids[id] || id == "" && path != "/feed.xml" { // answers from memory have none
			t.Errorf("%s has the request id %q, which is empty or that of another request", path, id)
		} else {
			ids[id] = true
		}
		moved := ask("GET " + path + " HTTP/1.1\r\nHost: old.example\r\n\r\n")
		if moved.StatusCode != http.StatusMovedPermanently || moved.Header.Get("Location") != "https://press.example"+path {
			t.Errorf("%s at the old host: %d to %q", path, moved.StatusCode, moved.Header.Get("Location"))
		}
	}
}

// TestClientsThatPostTooMuchReadTheAnswer has forty clients that send the whole of a large request
// before they read the answer, as most programs do.
func TestClientsThatPostTooMuchReadTheAnswer(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	r := start(t, "site: {url: http://localhost}\nfeed_server: {hubs: ['http://localhost/hub']}\n")
	const size = 6 << 20 // more than the buffers of a connection hold
	large := strings.Repeat("a", size)
	chunk := fmt.Sprintf("%x\r\n%s\r\n", 1<<16, large[:1<<16])
	var clients sync.WaitGroup
	declared, endless := fmt.Sprintf("Content-Length: %d", size), "Transfer-Encoding: chunked"
	for _, c := range []struct {
		path, field, body string
		want              int
	}{
		{"/subscribe", declared, large, http.StatusRequestEntityTooLarge},
		{"/subscribe", "Content-Length: 900000", "email=" + large[:900000-6], http.StatusRequestEntityTooLarge}, // this path has a smaller limit
		{"/subscribe", endless, strings.Repeat(chunk, size>>16) + "0\r\n\r\n", http.StatusRequestEntityTooLarge},
		{"/hub", endless, strings.Repeat(chunk, size>>16) + "0\r\n\r\n", http.StatusRequestEntityTooLarge},
		{"/feed.xml", declared, large, http.StatusRequestEntityTooLarge},
		{"/nothing", declared, large, http.StatusRequestEntityTooLarge},
		{"/nothing", endless, strings.Repeat(chunk, size>>16) + "0\r\n\r\n", http.StatusMethodNotAllowed}, // the body is not read
		{"/admin/signin", declared, large, http.StatusRequestEntityTooLarge},
	} {
		for range 5 {
			clients.Go(func() {
				status, err := r.postAll(c.path, c.field, c.body)
				for began := time.Now(); err != nil && time.Since(began) < testkit.Timeout; {
					// The server reads the rest of a body for five seconds, in which a busy machine may not have sent it.
					status, err = r.postAll(c.path, c.field, c.body)
				}
				if status != c.want {
					t.Errorf("POST %s with %s: status %d, %v, want %d", c.path, c.field, status, err, c.want)
				}
			})
		}
	}
	clients.Wait()
}

// postAll sends a whole request, then reads the answer and returns its status.
func (r *running) postAll(path, field, body string) (int, error) {
	conn, err := net.Dial("tcp", r.address)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(testkit.Timeout))
	head := "POST " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n" + field + "\r\n\r\n"
	if _, err := io.WriteString(conn, head+body); err != nil {
		return 0, fmt.Errorf("the server ends the connection before all was sent: %w", err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0, fmt.Errorf("the answer is lost: %w", err)
	}
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return 0, fmt.Errorf("the answer is cut: %w", err)
	}
	return response.StatusCode, nil
}

func TestResponsesInProgressAreFinishedOnShutdown(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	var large []article.Article
	for i := range 50 {
		a := feedrules.Article(i)
		a.HTML = "<p>" + strings.Repeat("Words that fill the buffers of the connection. ", 3500) + "</p>"
		large = append(large, a)
	}
	r := start(t, "site: {url: https://press.example}\n", large...)
	const request = "GET /feed.xml HTTP/1.1\r\nHost: press.example\r\n\r\n"
	r.raw(t, request) // the feed is now in memory
	conn, err := net.Dial("tcp", r.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.(*net.TCPConn).SetReadBuffer(256 << 10); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.stop()
	for began := time.Now(); ; time.Sleep(time.Millisecond) { // until the service has begun to stop
		c, err := net.Dial("tcp", r.address)
		if err != nil {
			break
		}
		c.Close()
		if time.Since(began) > testkit.Timeout {
			t.Fatal("the service does not stop")
		}
	}
	select {
	case err := <-r.ended:
		t.Errorf("the service ended, with %v, during a response", err)
	case <-time.After(100 * time.Millisecond):
	}
	if n, err := io.Copy(io.Discard, response.Body); err != nil || n != response.ContentLength {
		t.Errorf("%d of %d bytes, %v", n, response.ContentLength, err)
	}
	conn.Close()
	select {
	case err := <-r.ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(testkit.Timeout):
		t.Error("the service does not end after the response")
	}
}

func TestReadersAreShownBesideEachFeed(t *testing.T) {
	t.Parallel()
	first := start(t, "site: {url: http://localhost}\nfeeds:\n- {name: sea, title: Sea, filter: {tags: [all]}}\n", feedrules.Article(1))
	for _, agent := range []string{"Reader/1", "Reader/2", "Aggregator/1 (37 subscribers)"} {
		first.raw(t, "GET /feeds/sea/atom.xml HTTP/1.1\r\nHost: localhost\r\nUser-Agent: "+agent+"\r\n\r\n")
	}
	for range 2 {
		first.raw(t, "GET /feed.xml HTTP/1.1\r\nHost: localhost\r\nUser-Agent: Reader/1\r\n\r\n")
	}
	first.stop() // counts are stored every minute, and at the end
	if err := <-first.ended; err != nil {
		t.Fatal(err)
	}
	_, page := runOn(t, first.press).raw(t, "GET /feeds HTTP/1.1\r\nHost: localhost\r\n\r\n")
	for address, want := range map[string]string{
		"http://localhost/feeds/sea/feed.xml": ">3[89] readers", // 37 and two more, which the estimate may count as one
		"http://localhost/feed.xml":           ">1 readers",
	} {
		_, rest, found := strings.Cut(string(page), "<code dir=\"ltr\">"+address+"</code>")
		line, _, _ := strings.Cut(rest, "</div>")
		if !found || !regexp.MustCompile(want).MatchString(line) {
			t.Errorf("beside %s stands %q, want %s", address, line, want)
		}
	}
}

func TestHomeOfEveryFeedIsAPage(t *testing.T) {
	t.Parallel()
	r := start(t, "site: {url: http://localhost}\nfeeds:\n- {name: sea, filter: {tags: [all]}}\ndigests:\n- {name: weekly, schedule: '@weekly', sender: news@example.org}\n", feedrules.FullArticle(1))
	get := func(path string) (head string, body []byte) {
		return r.raw(t, "GET "+path+" HTTP/1.1\r\nHost: localhost\r\n\r\n")
	}
	for _, path := range []string{
		"/feed.json", "/feeds/sea/feed.json", "/tags/C%2FC%2B%2B/feed.json", "/authors/Ann%20Author/feed.json", "/languages/en/feed.json",
		"/search/feed.json?q=article+%26+1", "/filter/feed.json?match=%22C%2FC%2B%2B%22+AND+NOT+jobs", "/digests/weekly/feed.json",
	} {
		head, body := get(path)
		var doc struct {
			Home string `json:"home_page_url"`
		}
		if err := json.Unmarshal(body, &doc); err != nil {
			t.Fatalf("%s: %s, %v", path, head, err)
		}
		home, ours := strings.CutPrefix(doc.Home, "http://localhost")
		if head, _ := get(home); !ours || !strings.HasPrefix(head, "HTTP/1.1 200") {
			t.Errorf("%s: its home %s answers %.30s", path, doc.Home, head)
		}
	}
}

func TestFeedSettingsAreStoredOnStart(t *testing.T) {
	t.Parallel()
	r := start(t, "site: {url: https://press.example}\n")
	first, err := r.press.Store.LastChange(t.Context())
	if err != nil || first.Settings == "" {
		t.Fatalf("%+v, %v", first, err)
	}
	c := *r.press.Config
	c.Site.Title = "Another"
	runOn(t, &app.Service{Config: &c, Store: r.press.Store, Templates: r.press.Templates, Log: r.press.Log})
	second, err := r.press.Store.LastChange(t.Context())
	if err != nil || second.Settings == first.Settings || !second.SettingsSince.After(first.SettingsSince) || second.LastRemoval.Before(second.SettingsSince) {
		t.Errorf("%+v after %+v, %v", second, first, err)
	}
}
