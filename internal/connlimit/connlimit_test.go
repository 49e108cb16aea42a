package connlimit

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/testkit"
)

// open returns how many connections are counted.
func open(l *Limiter) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.conns)
}

// serve runs an HTTP server behind a limiter until the test ends.
func serve(t *testing.T, o Options, h http.HandlerFunc) (*Limiter, string) {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := New(o)
	server := &http.Server{Handler: h, ConnState: l.ConnState}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l.Listener(inner)) }()
	t.Cleanup(func() {
		server.Close()
		<-done
	})
	return l, inner.Addr().String()
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(testkit.Timeout))
	return conn
}

// ask sends a request and returns the status; 0 when the connection is closed.
func ask(conn net.Conn) int {
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
		return 0
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0
	}
	_, _ = io.Copy(io.Discard, response.Body)
	return response.StatusCode
}

func ok(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }

func TestOldestIdleConnectionIsClosedForNewOne(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]Options{"in all": {Max: 3}, "of one client": {Max: 100, PerClient: 3}} {
		l, address := serve(t, o, ok)
		silent, asked, last := dial(t, address), dial(t, address), dial(t, address)
		testkit.Eventually(t, "three connections", func() bool { return open(l) == 3 })
		for _, conn := range []net.Conn{asked, last} {
			if got := ask(conn); got != http.StatusOK {
				t.Fatalf("%s: status %d", name, got)
			}
		}
		if got := ask(dial(t, address)); got != http.StatusOK {
			t.Errorf("%s: a new client gets status %d", name, got)
		}
		if _, err := silent.Read(make([]byte, 1)); err == nil {
			t.Errorf("%s: the connection that sent nothing is still open", name)
		}
		if got := ask(last); got != http.StatusOK {
			t.Errorf("%s: a connection that was used later is closed", name)
		}
	}
}

func TestConnectionsInUseAreNotClosed(t *testing.T) {
	t.Parallel()
	hold, begun := make(chan struct{}), make(chan struct{}, 10)
	l, address := serve(t, Options{Max: 2}, func(http.ResponseWriter, *http.Request) {
		begun <- struct{}{}
		<-hold
	})
	statuses := make(chan int, 2)
	for range 2 {
		conn := dial(t, address)
		go func() { statuses <- ask(conn) }()
		<-begun
	}
	if got := ask(dial(t, address)); got != 0 {
		t.Errorf("a third connection gets status %d", got)
	}
	close(hold)
	for range 2 {
		if got := <-statuses; got != http.StatusOK {
			t.Errorf("a connection in use gets status %d", got)
		}
	}
	testkit.Eventually(t, "a new connection", func() bool { return ask(dial(t, address)) == http.StatusOK })
	if n := open(l); n > 2 {
		t.Errorf("%d connections, want 2 at most", n)
	}
}

func TestProxiesAreExemptFromClientLimit(t *testing.T) {
	t.Parallel()
	l, address := serve(t, Options{Max: 100, PerClient: 2, Exempt: IsLocal}, ok)
	for range 20 {
		dial(t, address)
	}
	testkit.Eventually(t, "twenty connections of one address", func() bool { return open(l) == 20 })
	for text, near := range map[string]bool{"127.0.0.1": true, "10.1.2.3": true, "172.17.0.1": true, "fd00::1": true, "::1": true, "8.8.8.8": false, "2001:4860::8888": false} {
		if IsLocal(netip.MustParseAddr(text)) != near {
			t.Errorf("Near(%s) is %v", text, !near)
		}
	}
}

func TestDescriptorsKeepReserve(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{64, 256, 1024, 3000, 65536, 1 << 20} {
		b := divide(limit)
		if used := b.HTTP + 2*b.SMTP; limit-used < b.Reserved || b.Reserved < min(limit/2, maxReserve) {
			t.Errorf("of %d descriptors, connections may use %d, and %d are reserved", limit, used, b.Reserved)
		}
		if b.HTTP < 4 || b.PerHTTP < 1 || b.SMTP < 4 {
			t.Errorf("of %d descriptors: %+v", limit, b)
		}
	}
}

func TestSilentWrappedConnectionIsClosedForNewOne(t *testing.T) {
	t.Parallel()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refused := make(chan struct{})
	refuseOnce := sync.OnceFunc(func() { close(refused) })
	l := New(Options{Max: 2, IdleAfter: 100 * time.Millisecond, Refuse: func(net.Conn) { refuseOnce() }})
	listener := l.Wrap(inner)
	t.Cleanup(func() { listener.Close() })
	go func() { // an echo server
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = io.Copy(struct{ io.Writer }{conn}, struct{ io.Reader }{conn})
			}()
		}
	}()
	talk := func(conn net.Conn) bool {
		_, err := io.WriteString(conn, "x")
		if err == nil {
			_, err = conn.Read(make([]byte, 1))
		}
		return err == nil
	}
	first, second := dial(t, inner.Addr().String()), dial(t, inner.Addr().String())
	if !talk(first) || !talk(second) {
		t.Fatal("the server does not answer")
	}
	if talk(dial(t, inner.Addr().String())) {
		t.Error("a third client was accepted although both others have just sent something")
	}
	<-refused
	testkit.Eventually(t, "the connection of another client", func() bool { return talk(dial(t, inner.Addr().String())) })
	if n := open(l); n > 2 {
		t.Errorf("%d connections, want 2 at most", n)
	}
}
