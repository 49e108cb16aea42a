package serve_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"
)

// handed is net/http behind a lane, with a handler of its own.
func handed(t *testing.T, server *http.Server) (address string) {
	t.Helper()
	b := setup(t, nil)
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := b.server.Lane(inner, nil)
	done := make(chan struct{})
	go func() { _ = server.Serve(l); close(done) }()
	t.Cleanup(func() {
		server.Close()
		l.Cut()
		<-done
	})
	return inner.Addr().String()
}

func TestAClientThatIsGoneIsStillTheOneItWas(t *testing.T) {
	t.Parallel()
	seen := make(chan string, 50)
	address := handed(t, &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		seen <- fmt.Sprint(r.RemoteAddr, " ", string(body), err)
	})})
	want := map[string]bool{}
	for range cap(seen) {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.(*net.TCPConn).SetLinger(0) // is gone at once, with nothing left to ask about it
		want[conn.LocalAddr().String()+" hello<nil>"] = true
		say(t, conn, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")
		conn.Close()
	}
	known := 0
	for quiet := time.After(2 * time.Second); known < len(want); known++ {
		select {
		case got := <-seen:
			if !want[got] {
				t.Errorf("net/http was told %q", got)
			}
			continue
		case <-quiet: // the others were reset before they were read
		}
		break
	}
	if known == 0 {
		t.Error("no request came through")
	}
}

func TestConnectionsThatAreHandedOnKeepNetHTTPsTimes(t *testing.T) {
	t.Parallel()
	var left sync.WaitGroup
	left.Add(1)
	address := handed(t, &http.Server{IdleTimeout: 100 * time.Millisecond, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/wait" {
			<-r.Context().Done()
			left.Done()
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		fmt.Fprint(w, len(body), err)
	})})

	idle := dial(t, address)
	say(t, idle, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")
	r := bufio.NewReader(idle)
	response, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	if body := read(t, response); body != "5 <nil>" {
		t.Errorf("the handler says %q", body)
	}
	if more, err := io.ReadAll(r); err != nil || len(more) > 0 {
		t.Errorf("an idle connection ends with %q, %v; want nothing more", more, err)
	}

	gone := dial(t, address)
	say(t, gone, "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
	time.Sleep(50 * time.Millisecond)
	gone.Close()
	left.Wait() // the handler hears that its client has gone
}
