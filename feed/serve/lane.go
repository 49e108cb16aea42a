package serve

import (
	"context"
	"errors"
	"io"
	"net"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// Lane is a listener with a fast lane for feed readers. It answers plain GET and
// HEAD requests for documents that are in memory on the connection itself, which
// takes a third of the time that net/http takes for them; at the first request
// of a connection that is anything else, the connection goes on to whoever
// Accepts, with nothing of it read.
//
// What it answers passes no middleware: Serve it only where feeds need none.
type Lane struct {
	net.Listener
	server atomic.Pointer[Server]
	// Host says whether requests for a host are ours to answer; the others go on.
	host   func(host string) bool
	onward chan net.Conn

	loops []*loop // each with a thread for many connections; none where there are no loops

	mu      sync.Mutex // held while closed and drained are closed
	open    int        // connections in the lane; guarded by mu
	conns   map[*laneConn]struct{}
	closed  chan struct{}
	drained chan struct{} // closed and without a connection
}

// How long a connection may take for a request's head from its first byte on, lie
// idle between two requests, and take for a response; and after Close for the rest
// of a head, and to take in that it is closed.
const (
	headTimeout   = 10 * time.Second
	idleTimeout   = 75 * time.Second
	writeTimeout  = 2 * time.Minute
	lastHead      = time.Second
	lingerTimeout = 500 * time.Millisecond
)

// Lane puts a fast lane before a listener, which is the lane's from then on. host
// says whether requests for a host, as in the Host header, are to be answered; nil
// answers for all.
func (s *Server) Lane(l net.Listener, host func(string) bool) *Lane {
	lane := &Lane{
		Listener: l, host: host, onward: make(chan net.Conn), conns: map[*laneConn]struct{}{},
		closed: make(chan struct{}), drained: make(chan struct{}),
	}
	if lane.host == nil {
		lane.host = func(string) bool { return true }
	}
	lane.server.Store(s)
	if !lane.startLoops() {
		go lane.run()
	}
	return lane
}

// Switch has the lane answer with another server from the next request on, as
// after a change of the configuration.
func (l *Lane) Switch(s *Server) { l.server.Store(s) }

// run accepts connections until the listener fails.
func (l *Lane) run() {
	for delay := time.Millisecond; ; {
		conn, err := l.Listener.Accept()
		if err == nil {
			delay = time.Millisecond
			go l.serve(conn)
			continue
		}
		if !isTemporary(err) {
			l.Close()
			return
		}
		time.Sleep(delay) // too many open files: the same that net/http does
		delay = min(delay*2, time.Second)
	}
}

func isTemporary(err error) bool {
	var temporary interface{ Temporary() bool }
	return errors.As(err, &temporary) && temporary.Temporary()
}

// Accept returns the next connection that is none of the lane's.
func (l *Lane) Accept() (net.Conn, error) {
	select {
	case conn := <-l.onward:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close stops listening and closes the connections that lie idle. Responses under
// way are finished: Drain waits for them.
func (l *Lane) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closing() {
		return net.ErrClosed
	}
	close(l.closed)
	for _, loop := range l.loops {
		loop.leaveDoor() // which closing the listener would not do, had another a share in it
	}
	err := l.Listener.Close()
	for conn := range l.conns {
		if conn.idle.Load() {
			conn.Close()
			continue
		}
		// Who is in the middle of a request may finish it, but not sit there.
		_ = conn.SetReadDeadline(time.Now().Add(lastHead))
	}
	for _, loop := range l.loops {
		loop.post(loop.close)
	}
	if l.open == 0 {
		l.end()
	}
	return err
}

// Drain waits, after Close, until the last response is written, or until the context
// ends, whose error it returns.
func (l *Lane) Drain(ctx context.Context) error {
	select {
	case <-l.drained:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Cut closes all connections in the lane, whatever they are at.
func (l *Lane) Cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for conn := range l.conns {
		conn.Close()
	}
	for _, loop := range l.loops {
		loop.post(loop.cut)
	}
}

// enter counts a connection in, unless the lane is closed. Those of loops are nil.
func (l *Lane) enter(conn *laneConn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closing() {
		return false
	}
	l.open++
	if conn != nil {
		l.conns[conn] = struct{}{}
	}
	return true
}

// leave counts a connection out.
func (l *Lane) leave(conn *laneConn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, conn)
	l.open--
	if l.closing() && l.open == 0 {
		l.end()
	}
}

// end says that the last connection has left. l.mu must be held.
func (l *Lane) end() {
	close(l.drained)
	for _, loop := range l.loops {
		loop.post(func() { loop.over = true })
	}
}

// pass hands a connection that is none of the lane's on to whoever Accepts.
func (l *Lane) pass(conn net.Conn) {
	select {
	case l.onward <- conn:
	case <-l.closed:
		conn.Close()
	}
}

// laneConn is a connection in the lane, and after it one whose first bytes have
// been read already.
type laneConn struct {
	net.Conn
	idle     atomic.Bool
	begun    bool // part of a request's head has come
	unread   []byte
	deadline time.Time
}

// allow gives the connection between least and most from now. To set a deadline
// costs as much as to read a request, so one that fits stays.
func (c *laneConn) allow(least, most time.Duration) error {
	now := time.Now()
	if left := c.deadline.Sub(now); left >= least && left <= most {
		return nil
	}
	c.deadline = now.Add(most)
	return c.Conn.SetDeadline(c.deadline)
}

// Read gives back what the lane has read and not answered, then goes on.
func (c *laneConn) Read(into []byte) (int, error) {
	if len(c.unread) > 0 {
		n := copy(into, c.unread)
		c.unread = c.unread[n:]
		return n, nil
	}
	return c.Conn.Read(into)
}

// finish closes a connection after its last response. To close one on which the
// client has sent more would reset it, and take from the client what is on the way
// (RFC 9112, section 9.6).
func (c *laneConn) finish() {
	defer c.Close()
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil || c.SetReadDeadline(time.Now().Add(lingerTimeout)) != nil {
		return
	}
	_, _ = io.Copy(io.Discard, c.Conn)
}

// serve answers a connection's requests as long as they are plain, and sends it on
// when one is not.
func (l *Lane) serve(raw net.Conn) {
	conn := &laneConn{Conn: raw}
	conn.idle.Store(true)
	if !l.enter(conn) {
		conn.Close()
		return
	}
	if !l.answerAll(conn) {
		return
	}
	if err := conn.SetDeadline(time.Time{}); err != nil {
		conn.Close()
		return
	}
	l.pass(conn)
}

// recover keeps a panic to its connection, as net/http does.
func (l *Lane) recover(conn *laneConn) {
	if problem := recover(); problem != nil {
		conn.Close()
		l.failed(problem)
	}
}

// failed logs what a connection panicked with.
func (l *Lane) failed(problem any) {
	l.server.Load().options.Log.Error("feed connection failed", "panic", problem, "stack", string(debug.Stack()))
}

// closing reports whether Close was called.
func (l *Lane) closing() bool {
	select {
	case <-l.closed:
		return true
	default:
		return false
	}
}
