package serve_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidings-press/tidings/feed/feedtest"
	"github.com/tidings-press/tidings/feed/serve"
)

// looped is a lane on a port of its own, before a net/http server of the same feeds.
func looped(t *testing.T, b *bundle) (*serve.Lane, string) {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := b.server.Lane(inner, nil)
	server := &http.Server{Handler: b.server}
	done := make(chan struct{})
	go func() { _ = server.Serve(l); close(done) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := errors.Join(server.Shutdown(ctx), l.Drain(ctx)); err != nil {
			t.Error("shutdown:", err)
		}
		<-done
	})
	return l, inner.Addr().String()
}

// heavyArticles make a feed of so many kilobytes, more or less.
func heavyArticles(b *bundle, kilobytes int) {
	for i := range 50 {
		a := feedtest.Article(i)
		a.HTML = "<p>" + strings.Repeat("A twentieth of a kilobyte, words and blanks alike. ", kilobytes*20/50) + "</p>"
		b.source.Put(a)
	}
	b.server.Changed()
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	return conn
}

func say(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
}

func TestTimesRunOutInALoop(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		said     string
		lasts    time.Duration
		kilobyte int
	}{
		"nothing is asked":       {"", 75 * time.Second, 1},
		"nothing more is asked":  {plainRequest, 75 * time.Second, 1},
		"a head is not finished": {plainRequest[:20], 10 * time.Second, 1},
		"another is not":         {plainRequest + plainRequest[:20], 10 * time.Second, 1},
		"a response is not read": {plainRequest, 2 * time.Minute, 9000},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, nil)
			heavyArticles(b, test.kilobyte)
			b.get(t, "/feed.xml")
			l, address := looped(t, b)
			conn := dial(t, address)
			say(t, conn, test.said)
			if strings.HasPrefix(test.said, plainRequest) {
				response, err := http.ReadResponse(bufio.NewReaderSize(conn, 16), nil)
				if err != nil {
					t.Fatal(err)
				}
				if test.kilobyte == 1 {
					_, _ = io.Copy(io.Discard, response.Body)
				}
			}
			for l.Len() == 0 || test.lasts == 10*time.Second && l.Busy() == 0 {
				time.Sleep(time.Millisecond)
			}
			l.Age(test.lasts - 5*time.Second)
			if l.Len() != 1 {
				t.Fatal("closed five seconds early")
			}
			if test.lasts == 10*time.Second {
				say(t, conn, "x") // further bytes earn no further time
				time.Sleep(20 * time.Millisecond)
			}
			l.Age(6 * time.Second)
			if l.Len() != 0 {
				t.Error("open though its time has run out")
			}
		})
	}
}

func TestOthersAreAnsweredWhileOneWaitsForTheStore(t *testing.T) {
	t.Parallel()
	var h *hanging
	b := setup(t, func(o *serve.Options) {
		h = &hanging{Source: o.Source.(*feedtest.Source)}
		o.Source = h
	})
	b.get(t, "/feed.xml")
	_, address := looped(t, b)
	h.changed.Store(true)
	b.pass(time.Second) // the store is to be asked again
	first, second := dial(t, address), dial(t, address)
	before := h.questions.Load()
	say(t, first, plainRequest)
	for h.questions.Load() == before {
		time.Sleep(time.Millisecond)
	}
	began := time.Now()
	say(t, second, plainRequest)
	if response, err := http.ReadResponse(bufio.NewReader(second), nil); err != nil || response.StatusCode != 200 {
		t.Fatalf("%v, %v", response, err)
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("the second client waited %v for the question of the first", took)
	}
	// The first gets the old document when the store does not answer in its time.
	if response, err := http.ReadResponse(bufio.NewReader(first), nil); err != nil || response.StatusCode != 200 {
		t.Fatalf("%v, %v", response, err)
	}
	if took := time.Since(began); took < time.Second {
		t.Errorf("the first client was answered after %v, while the store was asked", took)
	}
}

func TestWhatHasNotChangedIsNotCompressed(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	etag := b.get(t, "/feed.xml").Header.Get("ETag")
	l, address := looped(t, b)
	before := b.server.Bytes()
	conn := dial(t, address)
	r := bufio.NewReader(conn)
	for range 3 {
		say(t, conn, "GET /feed.xml HTTP/1.1\r\nHost: a\r\nAccept-Encoding: br\r\nIf-None-Match: "+etag+"\r\n\r\n")
		if response, err := http.ReadResponse(r, nil); err != nil || response.StatusCode != http.StatusNotModified {
			t.Fatalf("%v, %v", response, err)
		}
	}
	if grown := b.server.Bytes() - before; grown != 0 || l.Len() != 1 {
		t.Errorf("the document has grown by %d bytes; %d connections are in the lane", grown, l.Len())
	}
}

// TestRequestsInARowAreAnsweredInARow sends many requests before it reads the first
// answer, of bodies that are copied, written from memory and sent from a sheet.
func TestRequestsInARowAreAnsweredInARow(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	heavyArticles(b, 600)
	targets := []string{"/feed.xml", "/feeds/short/feed.json", "/atom.xml"}
	bodies := map[string]string{}
	for _, target := range targets {
		for _, coding := range []string{"", "gzip", "br"} {
			bodies[target+coding] = read(t, b.get(t, target, "Accept-Encoding", coding))
		}
	}
	if n := len(bodies["/feed.xml"]); n < 500_000 {
		t.Fatalf("a body of %d bytes", n)
	}
	l, address := looped(t, b)
	var clients sync.WaitGroup
	for client := range 4 {
		conn := dial(t, address)
		clients.Go(func() { inARow(t, conn, targets, bodies, rand.New(rand.NewPCG(1, uint64(client)))) })
	}
	clients.Wait()
	if l.Len() != 4 {
		t.Errorf("%d of 4 connections are still in the lane", l.Len())
	}
	if counted, held := b.server.Counted(), b.server.Bytes(); counted != held {
		t.Errorf("the cache counts %d bytes and holds %d", counted, held)
	}
}

// inARow asks 300 questions on a connection of small buffers, and reads the answers.
func inARow(t *testing.T, conn net.Conn, targets []string, bodies map[string]string, random *rand.Rand) {
	_ = conn.(*net.TCPConn).SetReadBuffer(16 << 10)
	var asked []string
	var raw strings.Builder
	for range 300 {
		target, coding := targets[random.IntN(len(targets))], []string{"", "gzip", "br"}[random.IntN(3)]
		asked = append(asked, target+coding)
		fmt.Fprintf(&raw, "GET %s HTTP/1.1\r\nHost: a\r\nAccept-Encoding: %s\r\n\r\n", target, coding)
	}
	go func() { _, _ = io.WriteString(conn, raw.String()) }()
	r := bufio.NewReader(conn)
	for i, key := range asked {
		response, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Errorf("response %d: %v", i, err)
			return
		}
		body, err := io.ReadAll(response.Body)
		if err != nil || string(body) != bodies[key] {
			t.Errorf("response %d (%s) has %d bytes, want %d; %v", i, key, len(body), len(bodies[key]), err)
			return
		}
	}
}
