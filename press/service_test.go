package press_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/article"
	"github.com/tidings-press/tidings/feed/feedtest"
	"github.com/tidings-press/tidings/press"
)

// running is a whole service on loopback.
type running struct {
	address string
	press   *press.Press
	stop    context.CancelFunc
	ended   chan error
}

// start runs a service with settings in YAML on some articles. It ends with the test.
func start(t *testing.T, settings string, articles ...article.Article) *running {
	t.Helper()
	p := open(t, settings)
	for i := range articles {
		put(t, p.Store, articles[i])
	}
	return runOn(t, p)
}

func runOn(t *testing.T, p *press.Press) *running {
	t.Helper()
	door, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	r := &running{address: door.Addr().String(), press: p, stop: stop, ended: make(chan error, 1)}
	ready := make(chan struct{})
	go func() {
		r.ended <- (&press.Service{Press: p, HTTP: door, Ready: func() { close(ready) }}).Run(ctx)
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

// raw sends bytes on a connection of their own and reads one response.
func (r *running) raw(t *testing.T, request string) (head string, body []byte) {
	t.Helper()
	conn, err := net.Dial("tcp", r.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
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

func TestTheLaneSendsTheHeadersThatTheGuardedPagesSend(t *testing.T) {
	t.Parallel()
	r := start(t, "site: {url: https://press.example}\nfeed_server: {hubs: [https://hub.example/]}\n", feedtest.Article(1))
	request := func(fields ...string) string {
		return "GET /feed.xml HTTP/1.1\r\nHost: press.example\r\n" + strings.Join(append(fields, "", ""), "\r\n")
	}
	head, _ := r.raw(t, request())
	_, etag, _ := strings.Cut(head, "Etag: ")
	etag, _, _ = strings.Cut(etag, "\r\n")
	for _, fields := range [][]string{nil, {"Accept-Encoding: gzip"}, {"If-None-Match: " + etag}, {"Accept-Encoding: br", "If-None-Match: " + etag}} {
		fast, fastBody := r.raw(t, request(fields...))
		slow, slowBody := r.raw(t, request(append(fields, "X-Forwarded-For: 192.0.2.1")...)) // not for the lane
		if !strings.Contains(fast, "\r\nEtag:") || strings.Index(fast, "Etag:") > strings.Index(fast, "Cache-Control:") {
			t.Errorf("%q is not answered by the lane:\n%s", fields, fast)
		}
		if a, b := sorted(withoutDates(fast)), sorted(withoutDates(slow)); a != b || string(fastBody) != string(slowBody) {
			t.Errorf("%q: the lane sends\n%s\nand net/http\n%s", fields, a, b)
		}
	}
}

// withoutDates takes out what may differ between two moments.
func withoutDates(head string) string {
	var kept []string
	for line := range strings.SplitSeq(head, "\r\n") {
		if !strings.HasPrefix(line, "Date:") && !strings.HasPrefix(line, "Last-Modified:") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "\n")
}

func TestFeedsUnderWayAreFinishedBeforeTheServiceEnds(t *testing.T) {
	t.Parallel()
	var large []article.Article
	for i := range 50 {
		a := feedtest.Article(i)
		a.HTML = "<p>" + strings.Repeat("Words that fill the buffers of the connection. ", 3500) + "</p>"
		large = append(large, a)
	}
	r := start(t, "site: {url: https://press.example}\n", large...)
	const request = "GET /feed.xml HTTP/1.1\r\nHost: press.example\r\n\r\n"
	r.raw(t, request) // now it is in memory
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
	for began := time.Now(); ; time.Sleep(time.Millisecond) { // until the service has begun to end
		c, err := net.Dial("tcp", r.address)
		if err != nil {
			break
		}
		c.Close()
		if time.Since(began) > 10*time.Second {
			t.Fatal("the service does not stop")
		}
	}
	select {
	case err := <-r.ended:
		t.Errorf("the service ended, with %v, while a response was under way", err)
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
	case <-time.After(10 * time.Second):
		t.Error("the service does not end when all is sent")
	}
}

func TestReadersAreShownBesideEachFeed(t *testing.T) {
	t.Parallel()
	first := start(t, "site: {url: http://localhost}\nfeeds:\n- {name: sea, title: Sea, filter: {tags: [all]}}\n", feedtest.Article(1))
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
		"http://localhost/feeds/sea/feed.xml": ">3[89] readers", // 37 and two more, who may look like one to the estimate
		"http://localhost/feed.xml":           ">1 readers",
	} {
		_, rest, found := strings.Cut(string(page), "<code dir=\"ltr\">"+address+"</code>")
		line, _, _ := strings.Cut(rest, "</div>")
		if !found || !regexp.MustCompile(want).MatchString(line) {
			t.Errorf("beside %s stands %q, want %s", address, line, want)
		}
	}
}

func TestTheHomeOfEveryFeedIsAPage(t *testing.T) {
	t.Parallel()
	r := start(t, "site: {url: http://localhost}\nfeeds:\n- {name: sea, filter: {tags: [all]}}\ndigests:\n- {name: weekly, schedule: '@weekly', sender: news@example.org}\n", feedtest.Rich(1))
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

func TestAServiceTellsTheStoreWhatFeedsAreServedWith(t *testing.T) {
	t.Parallel()
	r := start(t, "site: {url: https://press.example}\n")
	first, err := r.press.Store.LastChange(t.Context())
	if err != nil || first.Settings == "" {
		t.Fatalf("%+v, %v", first, err)
	}
	c := *r.press.Config
	c.Site.Title = "Another"
	other := *r.press
	other.Config = &c
	runOn(t, &other)
	second, err := r.press.Store.LastChange(t.Context())
	if err != nil || second.Settings == first.Settings || !second.Settled.After(first.Settled) || second.Departed.Before(second.Settled) {
		t.Errorf("%+v after %+v, %v", second, first, err)
	}
}
