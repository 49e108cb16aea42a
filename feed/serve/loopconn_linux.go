package serve

import (
	"errors"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// loopConn is a connection in a loop.
type loopConn struct {
	fd       int
	from     netip.AddrPort
	stage    stage
	watched  uint32 // the events that the loop waits for
	buffer   []byte // what was read and not answered
	begun    bool   // part of a request's head has come
	head     laneHead
	out      outgoing
	deadline time.Time

	// While asking, what comes of it.
	server   *Server
	document *document
	answer   answer
	failed   bool // by a panic
	unwanted bool // the lane was cut meanwhile; the loop's, as all above are the goroutine's
}

// stage is what a connection is at.
type stage uint8

const (
	reading   stage = iota
	asking          // a goroutine waits for the store or a coding; the loop keeps off
	writing         // the client takes no more for now
	lingering       // all is said; see laneConn.finish
)

// guard keeps a panic to its connection.
func (r *loop) guard(c *loopConn, do func(*loopConn)) {
	defer func() {
		if problem := recover(); problem != nil {
			r.lane.failed(problem)
			r.drop(c)
		}
	}()
	do(c)
}

// turn goes on with a connection on which something has happened.
func (r *loop) turn(c *loopConn) {
	switch c.stage {
	case reading:
		if r.fill(c) {
			r.serve(c)
		}
	case writing:
		if r.flush(c) {
			r.serve(c)
		}
	case lingering:
		r.discard(c)
	}
}

// watch has the loop wait for what a stage waits for. A connection whose end is
// known is dropped when it cannot be watched.
func (r *loop) watch(c *loopConn, s stage) {
	c.stage = s
	events, how := uint32(unix.EPOLLIN), unix.EPOLL_CTL_MOD
	switch s {
	case writing:
		events = unix.EPOLLOUT
	case asking:
		events, how = 0, unix.EPOLL_CTL_DEL // else its end would be told again and again
	}
	if c.watched == events {
		return
	}
	if c.watched == 0 {
		how = unix.EPOLL_CTL_ADD
	}
	c.watched = events
	if err := unix.EpollCtl(r.epoll, how, c.fd, &unix.EpollEvent{Events: events, Fd: int32(c.fd)}); err != nil {
		r.lost(c, os.NewSyscallError("epoll_ctl", err))
	}
}

// await waits for the next request, or for the rest of one.
func (r *loop) await(c *loopConn) {
	switch {
	case len(c.buffer) == 0 && r.lane.closing():
		r.drop(c)
		return
	case len(c.buffer) == 0:
		c.deadline = r.now.Add(idleTimeout)
	case !c.begun: // further bytes earn no further time
		c.begun = true
		c.deadline = r.now.Add(headTimeout)
		if r.lane.closing() {
			c.deadline = r.now.Add(lastHead)
		}
	}
	r.watch(c, reading)
}

// fill reads what has come of a request.
func (r *loop) fill(c *loopConn) bool {
	if len(c.buffer) == cap(c.buffer) {
		c.buffer = append(make([]byte, 0, longestHead), c.buffer...)
	}
	n, err := unix.Read(c.fd, c.buffer[len(c.buffer):cap(c.buffer)])
	switch {
	case again(err):
		return false
	case err != nil:
		r.lost(c, os.NewSyscallError("read", err))
		return false
	case n == 0:
		r.drop(c)
		return false
	}
	c.buffer = c.buffer[:len(c.buffer)+n]
	return true
}

// again reports whether a system call is to be made again later.
func again(err error) bool {
	return errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR)
}

// lost drops a connection for an error.
func (r *loop) lost(c *loopConn, err error) {
	r.lane.server.Load().options.Log.Debug("feed connection lost", "error", err)
	r.drop(c)
}

// drop closes a connection, which ends its watch too.
func (r *loop) drop(c *loopConn) {
	if r.conns[int32(c.fd)] != c {
		return
	}
	unix.Close(c.fd)
	r.forget(c)
}

func (r *loop) forget(c *loopConn) {
	delete(r.conns, int32(c.fd))
	r.lane.leave(nil)
}

// finish closes a connection after its last response; see laneConn.finish.
func (r *loop) finish(c *loopConn) {
	if unix.Shutdown(c.fd, unix.SHUT_WR) != nil {
		r.drop(c)
		return
	}
	c.deadline = r.now.Add(lingerTimeout)
	r.watch(c, lingering)
}

// discard reads what a client says to a connection that is closed.
func (r *loop) discard(c *loopConn) {
	n, err := unix.Read(c.fd, c.buffer[:cap(c.buffer)])
	if !again(err) && (err != nil || n == 0) {
		r.drop(c)
	}
}
