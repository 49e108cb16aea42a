// Package connlimit bounds the connections that clients hold open, so that idle ones take
// neither the descriptors that mail and the store need nor the place of other clients. New
// makes a Limiter; Listener and ConnState put it before an http.Server, Listener and Wrap before
// any other server.
//
// When the limit of a client, or of all, is reached, the connection that has been idle the
// longest is closed in favour of the new one. A new connection is refused only when none is
// idle.
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
	Max      int // connections of all clients
	PerClient int // connections of one IPv4 address, or of one IPv6 /64; 0 for no limit
	// Exempt reports whether an address may have any number: those of proxies, behind which
	// many clients stand. It may be nil.
	Exempt func(netip.Addr) bool
	// IdleAfter is how long a connection of Wrap must have been silent to be idle, once it has said
	// something; 10 s when 0.
	IdleAfter time.Duration
	// Refuse tells a client that there is no room, before its connection is closed. It must
	// not block. It may be nil.
	Refuse func(net.Conn)
}

// Limiter counts connections. Its methods may be called by many goroutines.
type Limiter struct {
	options Options

	mu      sync.Mutex
	conns   map[net.Conn]*entry
	clients map[netip.Prefix]*client
	open    list.List // of *entry, the one that was used the longest ago first
}

// client is the open connections of one network.
type client struct{ open list.List } // of *entry, in the same order

// entry is an open connection.
type entry struct {
	conn     net.Conn
	network  netip.Prefix
	client   *client
	inAll    *list.Element // its place in Limiter.open
	inClient *list.Element // and in client.open
	active     bool          // a request is under way: it is not closed for another
}

// New makes a limiter.
func New(options Options) *Limiter {
	options.Max = max(options.Max, 1)
	if options.IdleAfter == 0 {
		options.IdleAfter = 10 * time.Second
	}
	return &Limiter{options: options, conns: map[net.Conn]*entry{}, clients: map[netip.Prefix]*client{}}
}

// Open returns how many connections are counted.
func (l *Limiter) Open() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.conns)
}

// Listener counts the connections that a listener accepts. They are not wrapped, so that
// net/http can close them in halves; ConnState tells their end.
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

// ConnState is for http.Server.ConnState.
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

// admit counts a new connection, which is idle until it is used. It closes idle ones to make
// room, and returns false when that is not enough.
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
	l.clients[network] = c // eviction may have taken the client's last connection
	e := &entry{conn: conn, network: network, client: c}
	e.inAll, e.inClient = l.open.PushBack(e), c.open.PushBack(e)
	l.conns[conn] = e
	return true
}

// evict closes the connection that has been idle the longest. l.mu must be held.
func (l *Limiter) evict(open *list.List) bool {
	for oldest := open.Front(); oldest != nil; oldest = oldest.Next() {
		if e := oldest.Value.(*entry); !e.active {
			l.removeEntry(e)
			e.conn.Close()
			return true
		}
	}
	return false
}

// markActive and rest are called for each request, so they allocate nothing.
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

// clientNetwork is what one client is counted by.
func clientNetwork(conn net.Conn) netip.Prefix {
	addrPort, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil {
		return netip.Prefix{} // a Unix socket
	}
	ip := addrPort.Addr().Unmap().WithZone("")
	bits := ip.BitLen()
	if ip.Is6() {
		bits = 64
	}
	prefix, err := ip.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return prefix
}

// IsLocal reports whether an address is this machine's or of a private network: what comes from
// there is a proxy, a mail server or a container's gateway, behind which many clients stand.
func IsLocal(a netip.Addr) bool {
	return !a.IsValid() || a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast()
}
