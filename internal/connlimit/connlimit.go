// Package connlimit limits the number of open connections, in total and per client, so that
// enough file descriptors are left for mail and the store. New makes a Limiter. Use Listener
// and ConnState with an http.Server, and Wrap with any other server.
//
// At the limit, the connection that has been idle the longest is closed to admit the new
// one. A new connection is refused only when none is idle.
//
// Network32or64 and Network24or48 return the networks by which all limits count clients.
package connlimit

import (
	"container/list"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// Options are the limits.
type Options struct {
	Max       int // connections of all clients
	PerClient int // connections of one IPv4 address, or of one IPv6 /64; 0 for no limit
	// Exempt reports whether an address has no limit of its own, such as that of a proxy with
	// many clients. It may be nil.
	Exempt func(netip.Addr) bool
	// IdleAfter is the time without input after which a connection of Wrap counts as idle again,
	// once it has sent something; 10 s when 0.
	IdleAfter time.Duration
	// Refuse sends a refusal to a client before its connection is closed at the limit. It must not
	// block. It may be nil.
	Refuse func(net.Conn)
}

// Limiter counts and limits connections. Its methods are safe for concurrent use.
type Limiter struct {
	options Options

	mu      sync.Mutex
	conns   map[net.Conn]*entry
	clients map[netip.Prefix]*client
	open    list.List // of *entry, least recently used first
}

// client is the open connections of one network.
type client struct{ open list.List } // of *entry, in the same order

// entry is an open connection.
type entry struct {
	conn     net.Conn
	network  netip.Prefix
	client   *client
	inAll    *list.Element // its place in Limiter.open
	inClient *list.Element // its place in client.open
	active   bool          // it handles a request, so it must not be closed
}

// New makes a limiter.
func New(options Options) *Limiter {
	options.Max = max(options.Max, 1)
	if options.IdleAfter == 0 {
		options.IdleAfter = 10 * time.Second
	}
	return &Limiter{options: options, conns: map[net.Conn]*entry{}, clients: map[netip.Prefix]*client{}}
}

// Listener returns a listener that counts and limits the connections that inner accepts. It
// does not wrap them, so that net/http can half-close them; ConnState must report when they
// are closed.
func (l *Limiter) Listener(inner net.Listener) net.Listener { return listener{inner, l} }

type listener struct {
	net.Listener
	limiter *Limiter
}

// Accept implements net.Listener.
func (l listener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if l.limiter.admit(conn) {
			return conn, nil
		}
		if l.limiter.options.Refuse != nil {
			l.limiter.options.Refuse(conn)
		}
		conn.Close()
	}
}

// ConnState follows the states of connections; set it as http.Server.ConnState.
func (l *Limiter) ConnState(conn net.Conn, state http.ConnState) {
	switch state {
	case http.StateActive:
		l.markActive(conn)
	case http.StateIdle:
		l.markIdle(conn)
	case http.StateClosed, http.StateHijacked:
		l.remove(conn)
	}
}

// admit counts a new connection, which is idle at first. At a limit it closes an idle
// connection, and returns false if there is none.
func (l *Limiter) admit(conn net.Conn) bool {
	network := clientNetwork(conn)
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.clients[network]
	if c == nil {
		c = &client{}
	}
	limited := l.options.PerClient > 0 && (l.options.Exempt == nil || !l.options.Exempt(network.Addr()))
	if limited && c.open.Len() >= l.options.PerClient && !l.evict(&c.open) {
		return false
	}
	if len(l.conns) >= l.options.Max && !l.evict(&l.open) {
		return false
	}
	l.clients[network] = c // closing the client's last connection removes it from the map
	e := &entry{conn: conn, network: network, client: c}
	e.inAll, e.inClient = l.open.PushBack(e), c.open.PushBack(e)
	l.conns[conn] = e
	return true
}

// evict closes the connection that has been idle the longest, and returns false if none is
// idle. l.mu must be held.
func (l *Limiter) evict(open *list.List) bool {
	for oldest := open.Front(); oldest != nil; oldest = oldest.Next() {
		if e := oldest.Value.(*entry); !e.active {
			l.removeEntry(e)
			closeAtOnce(e.conn)
			return true
		}
	}
	return false
}

// closeAtOnce closes a connection without a farewell: tls.Conn.Close would send one, and could wait
// seconds for a client that takes nothing.
func closeAtOnce(conn net.Conn) {
	if wrapped, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = wrapped.NetConn()
	}
	_ = conn.Close()
}

// markActive and markIdle are called for each request, so they allocate nothing.
func (l *Limiter) markActive(conn net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := l.conns[conn]; e != nil {
		e.active = true
	}
}

func (l *Limiter) markIdle(conn net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := l.conns[conn]; e != nil {
		e.active = false
		l.open.MoveToBack(e.inAll)
		e.client.open.MoveToBack(e.inClient)
	}
}

func (l *Limiter) remove(conn net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := l.conns[conn]; e != nil {
		l.removeEntry(e)
	}
}

func (l *Limiter) removeEntry(e *entry) {
	l.open.Remove(e.inAll)
	e.client.open.Remove(e.inClient)
	delete(l.conns, e.conn)
	if e.client.open.Len() == 0 {
		delete(l.clients, e.network)
	}
}

// clientNetwork returns the network of a client: its IPv4 address or IPv6 /64.
func clientNetwork(conn net.Conn) netip.Prefix {
	addrPort, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil {
		return netip.Prefix{} // a Unix socket
	}
	return Network32or64(addrPort.Addr())
}

// IsLocal reports whether an address belongs to this machine or a private network. Such a
// client is often a proxy, a mail server or the gateway of a container, with many clients of
// its own. An invalid address, as of a Unix socket, is local.
func IsLocal(a netip.Addr) bool {
	return !a.IsValid() || a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast()
}
