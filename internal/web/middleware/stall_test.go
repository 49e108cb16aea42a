package middleware_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidings-press/tidings/internal/web/middleware"
)

// oneConn is a listener for one connection.
type oneConn struct {
	conns chan net.Conn
	done  chan struct{}
}

func (l *oneConn) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *oneConn) Close() error   { close(l.done); return nil }
func (l *oneConn) Addr() net.Addr { return &net.TCPAddr{} }

// download requests a file of 400 KB through the middleware and reads it in steps of 16 KB, each
// after a pause. The time is not real.
func download(t *testing.T, pause func(step int) time.Duration) (body []byte, took time.Duration, err error) {
	t.Helper()
	file := bytes.Repeat([]byte("0123456789abcdef"), 25<<10)
	handler, err := middleware.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(middleware.UntilStalled(w), r, "a.bin", time.Time{}, bytes.NewReader(file))
	}), middleware.Options{Site: "https://press.example"})
	if err != nil {
		t.Fatal(err)
	}
	client, server := net.Pipe() // without a buffer: a write waits until it is read
	listener := &oneConn{make(chan net.Conn, 1), make(chan struct{})}
	listener.conns <- server
	s := &http.Server{Handler: handler, ConnContext: middleware.ConnContext}
	go s.Serve(listener) //nolint:errcheck // it ends with the listener
	defer s.Close()
	defer client.Close()
	begin := time.Now()
	if _, err := io.WriteString(client, "GET /a.bin HTTP/1.1\r\nHost: press.example\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(client), nil)
	if err != nil {
		return nil, 0, err
	}
	for step := 0; ; step++ {
		time.Sleep(pause(step))
		part := make([]byte, 16<<10)
		n, err := io.ReadFull(response.Body, part)
		body = append(body, part[:n]...)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) && len(body) == len(file) {
			return body, time.Since(begin), nil
		}
		if err != nil {
			return body, time.Since(begin), err
		}
	}
}

func TestSlowDownloadIsCompleted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		body, took, err := download(t, func(int) time.Duration { return 40 * time.Second })
		if err != nil || len(body) != 400<<10 || took < 15*time.Minute {
			t.Errorf("%d bytes in %v, %v", len(body), took, err)
		}
	})
}

func TestStalledDownloadIsCut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		body, _, err := download(t, func(step int) time.Duration {
			if step == 5 {
				return 10 * time.Minute
			}
			return time.Second
		})
		if err == nil || len(body) == 400<<10 {
			t.Errorf("%d bytes, %v; want the connection to be closed", len(body), err)
		}
	})
}

// downloadHTTP2 requests a file of 16 MB over HTTP/2, more than a client takes unread, and reads it in
// steps of 1 MB, each after a pause. The time is not real.
func downloadHTTP2(t *testing.T, pause func(step int) time.Duration) (read int, err error) {
	t.Helper()
	file := make([]byte, 16<<20)
	handler, err := middleware.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(middleware.UntilStalled(w), r, "a.bin", time.Time{}, bytes.NewReader(file))
	}), middleware.Options{Site: "https://press.example", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	client, server := net.Pipe()
	listener := &oneConn{make(chan net.Conn, 1), make(chan struct{})}
	listener.conns <- server
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	s := &http.Server{Handler: handler, ConnContext: middleware.ConnContext, Protocols: &protocols}
	go s.Serve(listener) //nolint:errcheck // it ends with the listener
	defer s.Close()
	transport := &http.Transport{Protocols: &protocols, DialContext: func(context.Context, string, string) (net.Conn, error) { return client, nil }}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://press.example/a.bin", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	for step := 0; ; step++ {
		time.Sleep(pause(step))
		n, err := io.CopyN(io.Discard, response.Body, 1<<20)
		if read += int(n); err != nil || read == len(file) {
			return read, err
		}
	}
}

// The streams of a connection share no deadline: the first one's would not end the second.
func TestStalledDownloadOverHTTP2IsCutAndASlowOneIsNot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		if read, err := downloadHTTP2(t, func(int) time.Duration { return 40 * time.Second }); err != nil || read != 16<<20 {
			t.Errorf("a slow client got %d bytes, %v", read, err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		read, err := downloadHTTP2(t, func(step int) time.Duration {
			if step == 3 {
				return 10 * time.Minute
			}
			return time.Second
		})
		if err == nil || read == 16<<20 {
			t.Errorf("a client that took nothing for 10 minutes got %d bytes, %v", read, err)
		}
	})
}
