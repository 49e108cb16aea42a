package connlimit

import (
	"container/list"
	"crypto/tls"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// conn is one end of a connection from any address. It counts how often it is closed.
type conn struct {
	net.Conn
	from   string
	closed int
}

func (c *conn) RemoteAddr() net.Addr { return address(c.from) }

func (c *conn) Close() error {
	c.closed++
	if c.Conn == nil {
		return nil
	}
	return c.Conn.Close()
}

// address is a net.Addr of any text.
type address string

func (a address) Network() string { return "test" }
func (a address) String() string  { return string(a) }

func from(address string) *conn { return &conn{from: address} }

func TestClientIsAnIPv4AddressOrAnIPv6Network(t *testing.T) {
	t.Parallel()
	for remote, want := range map[string]string{
		"192.0.2.7:1234":                  "192.0.2.7/32",
		"[::ffff:192.0.2.7]:1234":         "192.0.2.7/32",
		"[2001:db8:1:2:3:4:5:6]:1":        "2001:db8:1:2::/64",
		"[2001:db8:1:2:ffff:ffff::]:1":    "2001:db8:1:2::/64",
		"[2001:db8:1:3::]:1":              "2001:db8:1:3::/64",
		"[fe80::1%eth0]:1":                "fe80::/64",
		"[::ffff:192.0.2.7%eth0]:1":       "192.0.2.7/32",
		"@":                               "invalid Prefix",
		"":                                "invalid Prefix",
		"/run/tidings.sock":               "invalid Prefix",
		"192.0.2.7":                       "invalid Prefix",
		"[2001:db8::1]:notaport":          "invalid Prefix",
		"255.255.255.255:65535":           "255.255.255.255/32",
		"[ffff:ffff:ffff:ffff::1]:65535":  "ffff:ffff:ffff:ffff::/64",
		"[::1]:80":                        "::/64",
		"[::2]:80":                        "::/64",
		"[64:ff9b::c000:207]:80":          "64:ff9b::/64",
		"[2001:db8:0:0:8000:0:0:1]:65536": "invalid Prefix",
	} {
		if got := clientNetwork(from(remote)).String(); got != want {
			t.Errorf("%q is of the client %s, want %s", remote, got, want)
		}
	}
}

func TestAddressesOfOneIPv6NetworkShareALimit(t *testing.T) {
	t.Parallel()
	l := New(Options{Max: 100, PerClient: 2})
	first, second := from("[2001:db8::1]:1"), from("[2001:db8::2]:2")
	for _, c := range []*conn{first, second} {
		if !l.admit(c) {
			t.Fatal("a connection within the limit is refused")
		}
		l.ConnState(c, http.StateActive)
	}
	if l.admit(from("[2001:db8::3]:3")) {
		t.Error("a third address of the network has a limit of its own")
	}
	if !l.admit(from("[2001:db8:0:1::1]:1")) || !l.admit(from("192.0.2.1:1")) {
		t.Error("another network is refused")
	}
	l.ConnState(first, http.StateIdle)
	if !l.admit(from("[2001:db8::3]:3")) || first.closed != 1 || second.closed != 0 {
		t.Errorf("the idle one was closed %d times, the active one %d times", first.closed, second.closed)
	}
}

func TestUnixSocketsAreOneClientThatIsLocal(t *testing.T) {
	t.Parallel()
	limited := New(Options{Max: 100, PerClient: 1})
	a, b := from("@"), from("/run/tidings.sock")
	if !limited.admit(a) || !limited.admit(b) || a.closed != 1 {
		t.Errorf("without an exemption, two connections of sockets share a limit; the first was closed %d times", a.closed)
	}
	exempt := New(Options{Max: 100, PerClient: 1, Exempt: IsLocal})
	a, b = from("@"), from("@")
	if !exempt.admit(a) || !exempt.admit(b) || a.closed != 0 {
		t.Error("sockets of a proxy are limited like one reader")
	}
}

func TestStatesOfAnUnknownConnectionChangeNothing(t *testing.T) {
	t.Parallel()
	l := New(Options{Max: 2})
	known, unknown := from("192.0.2.1:1"), from("192.0.2.1:2")
	l.admit(known)
	for _, state := range []http.ConnState{http.StateNew, http.StateActive, http.StateIdle, http.StateHijacked, http.StateClosed, http.StateClosed} {
		l.ConnState(unknown, state)
	}
	l.ConnState(known, http.StateNew)
	if n := open(l); n != 1 || len(l.clients) != 1 {
		t.Errorf("%d connections of %d clients, want 1", n, len(l.clients))
	}
	l.ConnState(known, http.StateClosed)
	l.ConnState(known, http.StateClosed)
	if n := open(l); n != 0 || len(l.clients) != 0 {
		t.Errorf("%d connections of %d clients, want none", n, len(l.clients))
	}
}

// TestHijackedConnectionNoLongerCounts: its new owner is responsible for it.
func TestHijackedConnectionNoLongerCounts(t *testing.T) {
	t.Parallel()
	l := New(Options{Max: 1})
	taken := from("192.0.2.1:1")
	l.admit(taken)
	l.ConnState(taken, http.StateActive)
	l.ConnState(taken, http.StateHijacked)
	if !l.admit(from("192.0.2.2:1")) || taken.closed != 0 {
		t.Errorf("after a hijack, a new connection is refused, or the taken one was closed %d times", taken.closed)
	}
}

func TestLimitOfZeroAdmitsOne(t *testing.T) {
	t.Parallel()
	for _, most := range []int{0, -5} {
		l := New(Options{Max: most})
		a, b := from("192.0.2.1:1"), from("192.0.2.1:2")
		if !l.admit(a) || !l.admit(b) || a.closed != 1 || open(l) != 1 {
			t.Errorf("Max %d: %d connections are open, the first was closed %d times", most, open(l), a.closed)
		}
	}
}

// TestRandomConnectionsKeepTheLimits runs random sequences of what an HTTP server reports. After every step the
// lists and maps agree, no limit is exceeded, and only idle connections were closed.
func TestRandomConnectionsKeepTheLimits(t *testing.T) {
	t.Parallel()
	for seed := range uint64(10) {
		random := rand.New(rand.NewPCG(seed, 7))
		l := New(Options{Max: 1 + random.IntN(12), PerClient: random.IntN(5), Exempt: func(a netip.Addr) bool { return a == netip.MustParseAddr("192.0.2.0") }})
		var known []*conn
		active := map[*conn]bool{}
		for step := range 300 {
			what := fmt.Sprintf("seed %d, step %d", seed, step)
			switch random.IntN(5) {
			case 0, 1:
				c := from(fmt.Sprintf("192.0.2.%d:%d", random.IntN(4), step+1))
				if l.admit(c) {
					known = append(known, c)
				} else if free := l.options.Max - len(l.conns); free > 0 && (l.options.PerClient == 0 || strings.HasPrefix(c.from, "192.0.2.0:")) {
					t.Fatalf("%s: refused with %d free", what, free)
				}
			case 2:
				if c := choose(random, known); c != nil && c.closed == 0 {
					l.ConnState(c, http.StateActive)
					active[c] = true
				}
			case 3:
				if c := choose(random, known); c != nil && c.closed == 0 {
					l.ConnState(c, http.StateIdle)
					delete(active, c)
				}
			case 4:
				if c := choose(random, known); c != nil {
					l.ConnState(c, http.StateClosed)
					known = remove(known, c)
					delete(active, c)
				}
			}
			for c := range active {
				if c.closed > 0 {
					t.Fatalf("%s: a connection in use was closed", what)
				}
			}
			checkState(t, what, l)
		}
		for _, c := range known {
			l.ConnState(c, http.StateClosed)
		}
		if open(l) != 0 || len(l.clients) != 0 || l.open.Len() != 0 {
			t.Errorf("seed %d: after all were closed, %d connections of %d clients are counted", seed, open(l), len(l.clients))
		}
	}
}

func choose(random *rand.Rand, all []*conn) *conn {
	if len(all) == 0 {
		return nil
	}
	return all[random.IntN(len(all))]
}

func remove(all []*conn, c *conn) []*conn {
	out := all[:0]
	for _, other := range all {
		if other != c {
			out = append(out, other)
		}
	}
	return out
}

// checkState checks that the lists of a limiter contain what its maps do.
func checkState(t *testing.T, what string, l *Limiter) {
	t.Helper()
	if len(l.conns) > l.options.Max || l.open.Len() != len(l.conns) {
		t.Fatalf("%s: %d connections in the map and %d in the list, at most %d", what, len(l.conns), l.open.Len(), l.options.Max)
	}
	total := 0
	for network, c := range l.clients {
		total += c.open.Len()
		exempt := l.options.Exempt(network.Addr())
		if n := c.open.Len(); n == 0 || !exempt && l.options.PerClient > 0 && n > l.options.PerClient {
			t.Fatalf("%s: %s has %d connections, at most %d", what, network, n, l.options.PerClient)
		}
		for at := c.open.Front(); at != nil; at = at.Next() {
			checkEntry(t, what, l, c, at)
		}
	}
	if total != len(l.conns) {
		t.Fatalf("%s: the clients have %d connections, %d are counted", what, total, len(l.conns))
	}
}

func checkEntry(t *testing.T, what string, l *Limiter, c *client, at *list.Element) {
	t.Helper()
	e := at.Value.(*entry)
	if e.client != c || l.conns[e.conn] != e || e.inClient != at || e.conn.(*conn).closed > 0 {
		t.Fatalf("%s: the list of %s has a connection that is not counted", what, e.network)
	}
}

// TestEvictedTLSConnectionSendsNoFarewell: a client that takes nothing would block it.
func TestEvictedTLSConnectionSendsNoFarewell(t *testing.T) {
	t.Parallel()
	near, far := net.Pipe() // unbuffered: a write blocks until the other end reads
	t.Cleanup(func() { far.Close() })
	inner := &conn{Conn: near, from: "192.0.2.1:1"}
	wrapped := tls.Server(inner, &tls.Config{})
	l := New(Options{Max: 1})
	if !l.admit(wrapped) {
		t.Fatal("the first connection is refused")
	}
	if !l.admit(from("192.0.2.2:1")) || inner.closed != 1 {
		t.Errorf("the connection under TLS was closed %d times", inner.closed)
	}
}

func TestUnixSocketServerIsLimited(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "s")
	inner, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	l := New(Options{Max: 2})
	server := &http.Server{Handler: http.HandlerFunc(ok), ConnState: l.ConnState}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l.Listener(inner)) }()
	t.Cleanup(func() {
		server.Close()
		<-done
	})
	for i := range 5 {
		conn, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		if got := ask(conn); got != http.StatusOK {
			t.Fatalf("connection %d gets status %d", i, got)
		}
		if n := open(l); n > 2 {
			t.Fatalf("%d connections, want 2 at most", n)
		}
	}
}

// pipes is a listener whose connections are pipes from addresses of the test.
type pipes struct {
	accept chan net.Conn
	closed chan struct{}
}

func newPipes() *pipes { return &pipes{make(chan net.Conn), make(chan struct{})} }

func (p *pipes) dial(from string) (near *conn, far net.Conn) {
	a, b := net.Pipe()
	near = &conn{Conn: a, from: from}
	p.accept <- near
	return near, b
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.accept:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	close(p.closed)
	return nil
}

func (p *pipes) Addr() net.Addr { return address("pipes") }

// serveWrapped accepts connections of a wrapped listener and hands them over.
func serveWrapped(l *Limiter, inner net.Listener) <-chan net.Conn {
	accepted := make(chan net.Conn, 100)
	wrapped := l.Wrap(inner)
	go func() {
		defer close(accepted)
		for {
			c, err := wrapped.Accept()
			if err != nil {
				return
			}
			accepted <- c
		}
	}()
	return accepted
}

func TestWrappedConnectionIsIdleAgainAfterTenSeconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		refused := 0
		l, p := New(Options{Max: 1, Refuse: func(net.Conn) { refused++ }}), newPipes()
		accepted := serveWrapped(l, p)
		defer p.Close()
		first, client := p.dial("192.0.2.1:1")
		server := <-accepted
		say := func() {
			go func() { _, _ = client.Write([]byte("x")) }()
			if _, err := server.Read(make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
		}
		for range 3 { // each input starts the time again
			say()
			time.Sleep(9 * time.Second)
			other, far := p.dial("192.0.2.2:1")
			synctest.Wait()
			if first.closed != 0 || other.closed != 1 {
				t.Fatalf("9 s after input: the first was closed %d times, the new one %d times", first.closed, other.closed)
			}
			far.Close()
		}
		if refused != 3 {
			t.Errorf("%d refusals were sent, want 3", refused)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		_, far := p.dial("192.0.2.2:1")
		if next, found := <-accepted; !found || first.closed != 1 || refused != 3 {
			t.Errorf("10 s after input, the first was closed %d times", first.closed)
		} else {
			next.Close()
		}
		far.Close()
		server.Close()
		client.Close()
	})
}

func TestWrappedConnectionLastsAQuarterOfAnHour(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, p := New(Options{Max: 1}), newPipes()
		accepted := serveWrapped(l, p)
		defer p.Close()
		near, client := p.dial("192.0.2.1:1")
		server := <-accepted
		ended := make(chan error, 1)
		go func() {
			_, err := io.Copy(io.Discard, server)
			ended <- err
		}()
		began := time.Now()
		for { // the client never stops
			if _, err := client.Write([]byte("NOOP\r\n")); err != nil {
				break
			}
			time.Sleep(5 * time.Second)
		}
		if lasted := time.Since(began); lasted < maxLifetime || lasted > maxLifetime+5*time.Second || near.closed == 0 {
			t.Errorf("an active connection lasted %v, want %v", lasted, maxLifetime)
		}
		<-ended
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		if n := open(l); n != 0 {
			t.Errorf("%d connections are counted after the close", n)
		}
		_ = server.Close() // a server may close twice
		client.Close()
	})
}

func TestWrappedListenerReturnsTheErrorOfItsListener(t *testing.T) {
	t.Parallel()
	p := newPipes()
	wrapped := New(Options{Max: 1}).Wrap(p)
	if err := wrapped.Close(); err != nil {
		t.Fatal(err)
	}
	if c, err := wrapped.Accept(); err == nil || c != nil {
		t.Errorf("a closed listener gives %v, %v", c, err)
	}
}

func TestDescriptorsOfThisProcessAreDivided(t *testing.T) {
	t.Parallel()
	b := Descriptors()
	if b != divide(b.Reserved+b.HTTP+2*b.SMTP) && b.HTTP != maxHTTP {
		t.Errorf("%+v is no division", b)
	}
	if b.PerHTTP > b.HTTP && b.HTTP >= 32 || b.PerSMTP > b.SMTP {
		t.Errorf("one client may have more than all: %+v", b)
	}
}

// TestMoreDescriptorsNeverGiveLess compares each limit with the next one.
func TestMoreDescriptorsNeverGiveLess(t *testing.T) {
	t.Parallel()
	before := divide(0)
	for limit := 1; limit < 5000; limit++ {
		b := divide(limit)
		if b.SMTP < before.SMTP || b.PerHTTP < before.PerHTTP || b.PerSMTP < before.PerSMTP || b.Reserved < before.Reserved || b.HTTP < before.HTTP-2 {
			t.Fatalf("%d descriptors give %+v, one less gives %+v", limit, b, before)
		}
		if limit >= 32 && b.Reserved+b.HTTP+2*b.SMTP > limit {
			t.Fatalf("of %d descriptors, %+v are more", limit, b)
		}
		before = b
	}
	if b := divide(1 << 30); b.HTTP != maxHTTP || b.SMTP != maxSMTP || b.Reserved != maxReserve {
		t.Errorf("the upper limits are exceeded: %+v", b)
	}
}
