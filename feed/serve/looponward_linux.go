package serve

import (
	"errors"
	"io"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// onward sends a connection on, with nothing of the present request read.
func (r *loop) onward(c *loopConn) {
	r.watch(c, asking)
	if r.conns[int32(c.fd)] != c {
		return
	}
	r.forget(c)
	for _, option := range keepAlive {
		_ = unix.SetsockoptInt(c.fd, option.level, option.name, option.value)
	}
	conn := &fileConn{File: os.NewFile(uintptr(c.fd), "connection"), local: r.lane.Addr(), remote: net.TCPAddrFromAddrPort(c.from)}
	go r.lane.pass(&laneConn{Conn: conn, unread: c.buffer})
}

// keepAlive is how net finds out that a client has gone: after 15 s without a word it
// asks every 15 s, and gives up after nine. Where it cannot be set that takes longer.
var keepAlive = [...]struct{ level, name, value int }{
	{unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, 15},
	{unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, 15},
	{unix.IPPROTO_TCP, unix.TCP_KEEPCNT, 9},
	{unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1},
}

// fileConn is a connection whose descriptor was not made by net. net.FileConn would
// take one more descriptor, when there may be none, and would ask the kernel who
// the client is, which knows that no more when the client has gone.
type fileConn struct {
	*os.File      // waits and has deadlines, since its descriptor does not block
	local, remote net.Addr
}

func (c *fileConn) LocalAddr() net.Addr  { return c.local }
func (c *fileConn) RemoteAddr() net.Addr { return c.remote }

func (c *fileConn) Read(into []byte) (int, error) {
	n, err := c.File.Read(into)
	return n, c.wrap("read", err)
}

func (c *fileConn) Write(from []byte) (int, error) {
	n, err := c.File.Write(from)
	return n, c.wrap("write", err)
}

// wrap makes an error one of the network, as net/http tells them.
func (c *fileConn) wrap(doing string, err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	if errors.Is(err, os.ErrClosed) {
		err = net.ErrClosed
	}
	return &net.OpError{Op: doing, Net: "tcp", Source: c.local, Addr: c.remote, Err: err}
}
