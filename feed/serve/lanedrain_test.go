package serve_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidings-press/tidings/feed/feedtest"
	"github.com/tidings-press/tidings/feed/serve"
)

const plainRequest = "GET /feed.xml HTTP/1.1\r\nHost: press.example\r\n\r\n"

// heavy is a lane before a feed that no socket buffer holds, and a connection to it.
func heavy(t *testing.T) (*serve.Lane, net.Conn, *bundle) {
	t.Helper()
	b := setup(t, nil)
	for i := range 50 {
		a := feedtest.Article(i)
		a.HTML = "<p>" + strings.Repeat("Words that fill the buffers of the connection. ", 3500) + "</p>"
		b.source.Put(a)
	}
	b.server.Changed()
	b.get(t, "/feed.xml")
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := b.server.Lane(inner, nil)
	conn, err := net.Dial("tcp", inner.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.(*net.TCPConn).SetReadBuffer(256 << 10); err != nil {
		t.Fatal(err)
	}
	return l, conn, b
}

func TestResponsesUnderWayAreFinishedWhenTheLaneCloses(t *testing.T) {
	t.Parallel()
	l, conn, _ := heavy(t)
	if _, err := io.WriteString(conn, plainRequest); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(conn)
	response, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	// The next request is not answered any more; it must not reset the answer before it.
	if _, err := io.WriteString(conn, plainRequest); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := l.Drain(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("while a response is under way Drain returns %v", err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	body, err := io.ReadAll(response.Body)
	if err != nil || int64(len(body)) != response.ContentLength || response.ContentLength < 5<<20 {
		t.Errorf("%d of %d bytes, %v", len(body), response.ContentLength, err)
	}
	if _, err := r.ReadByte(); err != io.EOF {
		t.Errorf("after the response: %v, want the end", err)
	}
	conn.Close()
	if err := l.Drain(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestAClientThatDoesNotReadIsCutInTheEnd(t *testing.T) {
	t.Parallel()
	l, conn, _ := heavy(t)
	if _, err := io.WriteString(conn, plainRequest); err != nil {
		t.Fatal(err)
	}
	if _, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	l.Cut()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := l.Drain(ctx); err != nil {
		t.Errorf("after Cut: %v", err)
	}
}

func TestARequestThatHasBegunIsAnsweredWhenTheLaneCloses(t *testing.T) {
	t.Parallel()
	l, conn, _ := heavy(t)
	silent, err := net.Dial("tcp", conn.RemoteAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for _, c := range []net.Conn{conn, silent} {
		if _, err := io.WriteString(c, plainRequest[:20]); err != nil {
			t.Fatal(err)
		}
	}
	for wait := time.Now(); l.Busy() < 2; time.Sleep(time.Millisecond) {
		if time.Since(wait) > 10*time.Second {
			t.Fatal("the lane does not read")
		}
	}
	_ = l.Close()
	if _, err := io.WriteString(conn, plainRequest[20:]); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(response.Body); err != nil || int64(len(body)) != response.ContentLength {
		t.Errorf("%d of %d bytes, %v", len(body), response.ContentLength, err)
	}
	conn.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second) // one that says no more is not waited for as usual
	defer cancel()
	if err := l.Drain(ctx); err != nil {
		t.Error(err)
	}
}

func TestALaneWithoutConnectionsIsDrainedAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := b.server.Lane(inner, nil)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("closed again: %v", err)
	}
	if err := l.Drain(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestAPanicEndsItsConnectionAlone(t *testing.T) {
	t.Parallel()
	var log synced
	b := setup(t, func(o *serve.Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	b.get(t, "/feed.xml")
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := b.server.Lane(inner, func(host string) bool {
		if host == "bad.example" {
			panic("a bug")
		}
		return true
	})
	defer l.Close()
	for range 2 {
		bad, err := net.Dial("tcp", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer bad.Close()
		_ = bad.SetDeadline(time.Now().Add(10 * time.Second))
		if _, err := io.WriteString(bad, strings.Replace(plainRequest, "press", "bad", 1)); err != nil {
			t.Fatal(err)
		}
		if n, err := bad.Read(make([]byte, 1)); n > 0 || err == nil {
			t.Errorf("%d bytes, %v", n, err)
		}
		b.pass(time.Second) // the next one has the store asked first
	}
	got, _ := talk(t, inner.Addr().String(), plainRequest, 1)
	if !strings.HasPrefix(got[0], "200") {
		t.Errorf("the next connection: %.100s", got[0])
	}
	if said := log.String(); strings.Count(said, "a bug") != 2 || !strings.Contains(said, "level=ERROR") {
		t.Errorf("the log says:\n%s", said)
	}
}

// synced is a buffer that several goroutines write to.
type synced struct {
	mu  sync.Mutex
	out bytes.Buffer
}

func (s *synced) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.Write(p)
}

func (s *synced) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.String()
}

// piped is a listener of connections inside the process, whose deadlines go by the
// time of a bubble.
type piped struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (p *piped) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *piped) Close() error   { p.once.Do(func() { close(p.closed) }); return nil }
func (p *piped) Addr() net.Addr { return &net.TCPAddr{} }

func (p *piped) dial() net.Conn {
	client, server := net.Pipe()
	p.conns <- server
	return client
}

func TestSlowAndIdleConnectionsAreClosed(t *testing.T) {
	t.Parallel()
	get := func(t *testing.T, conn net.Conn) {
		t.Helper()
		if _, err := io.WriteString(conn, plainRequest); err != nil {
			t.Fatal(err)
		}
	}
	for name, test := range map[string]struct {
		do           func(t *testing.T, conn net.Conn)
		after, until time.Duration
	}{
		"nothing is asked": {func(*testing.T, net.Conn) {}, 67 * time.Second, 75 * time.Second},
		"a head comes byte by byte": {func(t *testing.T, conn net.Conn) {
			for i := range 4 {
				if _, err := io.WriteString(conn, plainRequest[i:i+1]); err != nil {
					t.Error(err)
				}
				time.Sleep(3 * time.Second)
			}
		}, 9 * time.Second, 10 * time.Second},
		"nothing more is asked": {func(t *testing.T, conn net.Conn) {
			get(t, conn)
			response, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, response.Body); err != nil {
				t.Error(err)
			}
		}, 67 * time.Second, 75 * time.Second},
		"a response is not read": {func(t *testing.T, conn net.Conn) {
			get(t, conn)
			time.Sleep(3 * time.Minute)
		}, time.Minute, 2 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := setup(t, nil)
				b.get(t, "/feed.xml")
				p := &piped{conns: make(chan net.Conn), closed: make(chan struct{})}
				l := b.server.Lane(p, nil)
				defer l.Close()
				conn := p.dial()
				defer conn.Close()
				began, ended := time.Now(), make(chan time.Duration, 1)
				go func() {
					for time.Sleep(time.Second); l.Len() > 0; time.Sleep(time.Second) {
					}
					ended <- time.Since(began)
				}()
				test.do(t, conn)
				if took := <-ended; took < test.after || took > test.until+time.Second {
					t.Errorf("closed after %v, want %v to %v", took, test.after, test.until)
				}
			})
		})
	}
}
