package serve_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/feed/feedtest"
	"github.com/tidings-press/tidings/feed/serve"
)

// lane serves a bundle's feeds on loopback, once with the fast lane and once by
// net/http alone. A header says which of the two answered.
func lane(t *testing.T, b *bundle) (fast, plain string) {
	t.Helper()
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-By", "net/http")
		if r.URL.Path == "/echo" {
			body, _ := io.ReadAll(r.Body)
			fmt.Fprintf(w, "%s %s", r.Method, body)
			return
		}
		b.server.ServeHTTP(w, r)
	})
	var addresses []string
	for _, withLane := range []bool{true, false} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		addresses = append(addresses, l.Addr().String())
		if withLane {
			l = b.server.Lane(l, func(host string) bool { return host != "old.example" })
		}
		server := &http.Server{Handler: handler}
		done := make(chan struct{})
		go func() { _ = server.Serve(l); close(done) }()
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			defer cancel()
			if err := server.Shutdown(ctx); err != nil {
				t.Error("shutdown:", err)
			}
			<-done
		})
	}
	return addresses[0], addresses[1]
}

// talk sends raw bytes and reads so many responses, each as text without its Date.
func talk(t *testing.T, address, raw string, responses int) (out []string, by []string) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(conn, raw); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(conn)
	for method := range strings.SplitSeq(raw, "\r\n\r\n") {
		if len(out) == responses {
			break
		}
		method, _, _ = strings.Cut(method, " ")
		response, err := http.ReadResponse(r, &http.Request{Method: method})
		if err != nil {
			t.Fatalf("%q, response %d: %v", raw, len(out), err)
		}
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatalf("%q: %v", raw, err)
		}
		who := response.Header.Get("X-By")
		response.Header.Del("Date")
		response.Header.Del("X-By")
		var text strings.Builder
		fmt.Fprintf(&text, "%s %d\n", response.Status, response.ContentLength)
		_ = response.Header.Write(&text)
		out, by = append(out, text.String()+string(body)), append(by, who)
	}
	return out, by
}

func TestLaneAnswersAsNetHTTPDoes(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	for i := range 60 {
		a := feedtest.Article(i)
		a.HTML = strings.Repeat("<p>A paragraph that makes the body larger.</p>", 20)
		b.source.Put(a)
	}
	b.server.Changed()
	etag := b.get(t, "/feed.xml").Header.Get("ETag")
	b.get(t, "/atom.xml")
	b.get(t, "/feeds/short/feed.json")
	fast, plain := lane(t, b)
	get := func(target string, fields ...string) string {
		return "GET " + target + " HTTP/1.1\r\nHost: press.example\r\n" + strings.Join(append(fields, "", ""), "\r\n")
	}
	tests := []struct {
		name, raw string
		responses int
		lane      bool // whether the lane answers
	}{
		{"plain", get("/feed.xml"), 1, true},
		{"probe", get("/feed"), 1, false}, // not asked for before
		{"small", get("/feeds/short/feed.json"), 1, true},
		{"gzip", get("/feed.xml", "Accept-Encoding: gzip"), 1, true},
		{"br", get("/feed.xml", "accept-encoding: gzip, deflate, br", "User-Agent: x"), 1, true},
		{"unchanged", get("/feed.xml", "If-None-Match: "+etag), 1, true},
		{"changed", get("/feed.xml", `If-None-Match: "x"`), 1, true},
		{"date", get("/atom.xml", "If-Modified-Since: Fri, 01 Jan 2027 00:00:00 GMT"), 1, true},
		{"head", "HEAD /feed.xml HTTP/1.1\r\nHost: a\r\n\r\n", 1, true},
		{"keep-alive", get("/feed.xml", "Connection: Keep-Alive"), 1, true},
		{"pipelined", get("/feed.xml") + get("/atom.xml", "If-None-Match: *") + get("/feed.xml", "Accept-Encoding: br"), 3, true},
		{"not a feed", get("/nothing"), 1, false},
		{"close", get("/feed.xml", "Connection: close"), 1, false},
		{"old host", strings.Replace(get("/feed.xml"), "press.example", "old.example", 1), 1, false},
		{"forwarded", get("/feed.xml", "X-Forwarded-For: 1.2.3.4"), 1, false},
		{"forwarded host", get("/feed.xml", "X-Forwarded-Host: a"), 1, false},
		{"browser", get("/feed.xml", "Sec-Fetch-Mode: navigate"), 1, false},
		{"HTTP/1.0", "GET /feed.xml HTTP/1.0\r\n\r\n", 1, false},
		{"a strange host", strings.Replace(get("/feed.xml"), "press.example", "press example", 1), 1, false},
		{"a port", strings.Replace(get("/feed.xml"), "press.example", "[::1]:8080", 1), 1, true},
		{"no host", "GET /feed.xml HTTP/1.1\r\n\r\n", 1, false},
		{"two hosts", get("/feed.xml", "Host: b"), 1, false},
		{"folded", get("/feed.xml", "X-A: b\r\n c"), 1, false},
		{"space in a name", get("/feed.xml", "X A : b"), 1, false},
		{"body", "GET /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody", 1, false},
		{"post", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody", 1, false},
		{"chunked", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n", 1, false},
		{"bare line feeds", "GET /feed.xml HTTP/1.1\nHost: press.example\n\n", 1, false},
		{"a bare line feed", "GET /feed.xml HTTP/1.1\r\nHost: press.example\n\r\n", 1, false},
		{"two dates", get("/feed.xml", "If-Modified-Since: Mon, 01 Jan 1990 00:00:00 GMT", "If-Modified-Since: Fri, 01 Jan 2027 00:00:00 GMT"), 1, false},
		{"an empty date first", get("/feed.xml", "If-Modified-Since:", "If-Modified-Since: Fri, 01 Jan 2027 00:00:00 GMT"), 1, false},
		{"two codings", get("/feed.xml", "Accept-Encoding: gzip", "Accept-Encoding: br"), 1, false},
		{"an empty coding first", get("/feed.xml", "Accept-Encoding:", "Accept-Encoding: br"), 1, false},
		{"an empty coding", get("/feed.xml", "Accept-Encoding: "), 1, true},
		{"two programs", get("/feed.xml", "User-Agent: a", "User-Agent: b"), 1, false},
		{"two tags", get("/feed.xml", `If-None-Match: "x"`, "If-None-Match: "+etag), 1, true},
		{"long head", get("/feed.xml", "X-Long: "+strings.Repeat("x", 20_000)), 1, false},
	}
	for _, test := range tests {
		got, by := talk(t, fast, test.raw, test.responses)
		want, _ := talk(t, plain, test.raw, test.responses)
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%s: the lane answers\n%.700s\nand net/http\n%.700s", test.name, got[i], want[i])
			}
			if refused := strings.HasPrefix(want[i], "400"); !refused && (by[i] == "") != test.lane {
				t.Errorf("%s, response %d is by %q", test.name, i, by[i])
			}
		}
	}
	t.Run("goes on to net/http and stays there", func(t *testing.T) {
		_, by := talk(t, fast, get("/feed.xml")+get("/nothing")+get("/feed.xml"), 3)
		if strings.Join(by, ",") != ",net/http,net/http" {
			t.Errorf("answered by %q", by)
		}
	})
}

func TestLaneReadsHeadsInAnyPieces(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	b.get(t, "/feed.xml")
	fast, _ := lane(t, b)
	conn, err := net.Dial("tcp", fast)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	raw := "GET /feed.xml HTTP/1.1\r\nHost: press.example\r\nUser-Agent: slow\r\n\r\n"
	for i := range len(raw) {
		if _, err := io.WriteString(conn, raw[i:i+1]); err != nil {
			t.Fatal(err)
		}
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || response.StatusCode != 200 || response.Header.Get("X-By") != "" {
		t.Errorf("%v, %v", response, err)
	}
}

func TestLaneSeesChangesAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	etag := b.get(t, "/feed.xml").Header.Get("ETag")
	fast, _ := lane(t, b)
	raw := "GET /feed.xml HTTP/1.1\r\nHost: press.example\r\nIf-None-Match: " + etag + "\r\n\r\n"
	if got, _ := talk(t, fast, raw, 1); !strings.HasPrefix(got[0], "304") {
		t.Fatalf("before: %s", got[0])
	}
	b.source.Put(feedtest.Article(77))
	b.server.Changed()
	if got, _ := talk(t, fast, raw, 1); !strings.HasPrefix(got[0], "200") || !strings.Contains(got[0], feedtest.ID(77)) {
		t.Errorf("after: %.300s", got[0])
	}
}

func TestLaneClosesIdleConnections(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := b.server.Lane(inner, nil)
	conn, err := net.Dial("tcp", inner.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	b.get(t, "/feed.xml")
	if _, err := io.WriteString(conn, "GET /feed.xml HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(conn)
	response, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := r.ReadByte(); err != io.EOF {
		t.Errorf("after Close an idle connection gives %v, want EOF", err)
	}
	if _, err := l.Accept(); err == nil {
		t.Error("Accept goes on after Close")
	}
}

// FuzzLaneHead lets the lane and net/http read the same bytes: what the lane takes
// for a plain request, net/http takes for the same one.
func FuzzLaneHead(f *testing.F) {
	f.Add("GET /feed.xml HTTP/1.1\r\nHost: a\r\nIf-None-Match: \"x\"\r\n\r\n")
	f.Add("GET /feed.xml HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx")
	f.Add("GET http://b/feed.xml HTTP/1.1\r\nHost : a\r\n\r\n")
	f.Add("GET /feed.xml HTTP/1.1\r\nHost: a\r\nIf-Modified-Since: x\r\nIf-Modified-Since: y\r\n\r\n")
	f.Add("GET /feed.xml HTTP/1.1\r\nHost: a\r\nAccept-Encoding:\r\nAccept-Encoding: br\r\n\r\n")
	f.Add("GET /feed.xml HTTP/1.1\r\nHost: a\r\nUser-Agent: x\r\nUser-Agent: y\r\nIf-None-Match: a\r\nif-none-match: b\r\n\r\n")
	f.Add("GET /feed.xml HTTP/1.1\nHost: a\n\n")
	f.Fuzz(func(t *testing.T, raw string) {
		head, ok := serve.ParseHead(raw)
		if _, err := url.ParseRequestURI(head.Target); !ok || err != nil {
			return // no document has such an address
		}
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(raw)))
		if err != nil {
			t.Fatalf("net/http does not read %q: %v", raw, err)
		}
		if r.RequestURI != head.Target || r.Host != head.Host || r.ContentLength != 0 || len(r.TransferEncoding) > 0 || r.Method != head.Method {
			t.Fatalf("%q is %+v to the lane, %+v to net/http", raw, head, r)
		}
		if r.Header.Get("If-Modified-Since") != head.Since || r.Header.Get("Accept-Encoding") != head.Accept || r.UserAgent() != head.Agent {
			t.Fatalf("%q: fields %+v, net/http %v", raw, head, r.Header)
		}
		if !slices.Equal(r.Header["If-None-Match"], head.NoneMatch) {
			t.Fatalf("%q: If-None-Match %q, net/http %q", raw, head.NoneMatch, r.Header["If-None-Match"])
		}
	})
}
