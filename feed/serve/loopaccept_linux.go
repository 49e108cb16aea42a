package serve

import (
	"errors"
	"net"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"
)

// open has the loop wait for new connections. Of several loops the kernel wakes one.
func (r *loop) open() {
	// There is an error when the listener is closed, and then nothing is to come.
	_ = r.door.Control(func(fd uintptr) {
		event := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLEXCLUSIVE, Fd: int32(fd)}
		if unix.EpollCtl(r.epoll, unix.EPOLL_CTL_ADD, int(fd), &event) == nil {
			r.doorFd = int32(fd)
		}
	})
}

// shut has the loop take no connections until the next sweep.
func (r *loop) shut() {
	r.leaveDoor()
	r.doorFd = -1
}

// leaveDoor ends the wait for new connections. Anybody may call it.
func (r *loop) leaveDoor() {
	_ = r.door.Control(func(fd uintptr) { _ = unix.EpollCtl(r.epoll, unix.EPOLL_CTL_DEL, int(fd), nil) })
}

// accept takes the connections that have come. It leaves some for the other loops,
// and for the requests of those that are here.
func (r *loop) accept() {
	for range 16 {
		fd, from, err := r.next()
		switch {
		case err == nil:
			r.admit(fd, from)
		case errors.Is(err, unix.ECONNABORTED), errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EAGAIN):
			return
		case errors.Is(err, net.ErrClosed):
			_ = r.lane.Close() // it says that it was closed, if that is the reason
			return
		default: // too many open files, or the network's troubles (accept(2)): they end
			r.lane.server.Load().options.Log.Warn("no new connections are taken for a second", "error", os.NewSyscallError("accept", err))
			r.shut()
			return
		}
	}
}

// next takes the next connection of the listener, and says where it comes from.
func (r *loop) next() (fd int, from netip.AddrPort, err error) {
	var address unix.Sockaddr
	closed := r.door.Control(func(door uintptr) {
		fd, address, err = unix.Accept4(int(door), unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
	})
	if closed != nil {
		return 0, from, closed
	}
	switch a := address.(type) {
	case *unix.SockaddrInet4:
		from = netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port))
	case *unix.SockaddrInet6:
		from = netip.AddrPortFrom(netip.AddrFrom16(a.Addr).Unmap(), uint16(a.Port))
	}
	return fd, from, err
}

// admit takes a new connection in.
func (r *loop) admit(fd int, from netip.AddrPort) {
	if !r.lane.enter(nil) {
		unix.Close(fd)
		return
	}
	// Without it the end of a response would wait for the client's word; where it
	// cannot be set, responses are slower.
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	c := &loopConn{fd: fd, from: from, buffer: make([]byte, 0, 2<<10), head: r.lane.newHead(from.String())}
	r.conns[int32(fd)] = c
	r.guard(c, r.await)
}
