package serve

import (
	"bytes"
	"errors"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// serve answers the requests that have come on a connection, up to one that the
// client, the store or net/http has to be waited for.
func (r *loop) serve(c *loopConn) {
	for {
		switch parseHead(c.buffer, &c.head) {
		case headOther:
			r.onward(c)
			return
		case headShort:
			if len(c.buffer) >= longestHead {
				r.onward(c)
				return
			}
			r.await(c)
			return
		}
		s := r.lane.server.Load()
		q, told := s.due()
		if q != nil {
			r.askStore(c, s, q, told)
			return
		}
		d := r.lane.known(s, &c.head)
		if d == nil {
			r.onward(c)
			return
		}
		a := s.decide(&c.head.request, d)
		if !a.unchanged && a.rep.size.Load() == 0 { // to compress takes too long for the others here
			r.askCoding(c, s, d, a)
			return
		}
		if !r.respond(c, s, d, &a) {
			return
		}
	}
}

// askStore waits for a question to the store, and answers by what it knows then.
func (r *loop) askStore(c *loopConn, s *Server, q *question, told int64) {
	r.ask(c, func() {
		s.await(q, told)
		if d := r.lane.known(s, &c.head); d != nil {
			c.server, c.document, c.answer = s, d, s.answer(&c.head.request, d)
		}
	})
}

// askCoding waits for a document's coding.
func (r *loop) askCoding(c *loopConn, s *Server, d *document, a answer) {
	r.ask(c, func() {
		s.coded(d, a.rep)
		c.server, c.document, c.answer = s, d, a
	})
}

// ask has a goroutine do what takes its time, and find a document and the answer.
func (r *loop) ask(c *loopConn, find func()) {
	r.watch(c, asking)
	if r.conns[int32(c.fd)] != c {
		return
	}
	go func() {
		c.document = nil
		defer r.post(func() { r.guard(c, r.told) })
		defer func() {
			if problem := recover(); problem != nil {
				r.lane.failed(problem)
				c.failed = true
			}
		}()
		find()
	}()
}

// told goes on with a connection whose question was answered.
func (r *loop) told(c *loopConn) {
	switch {
	case c.unwanted, c.failed:
		r.drop(c)
	case c.document == nil:
		r.onward(c)
	case r.respond(c, c.server, c.document, &c.answer):
		r.serve(c)
	}
}

// respond begins a response of a server, and reports whether it is written and the
// connection goes on.
func (r *loop) respond(c *loopConn, s *Server, d *document, a *answer) bool {
	c.out.head, c.out.body = a.compose(r.paper, d, c.head.head)
	r.paper = c.out.head
	if len(c.out.body) >= sheetFrom {
		if c.out.sheet = s.sheet(d, a.rep); c.out.sheet != nil {
			c.out.body, c.out.left = nil, len(a.rep.body)
		}
	}
	c.buffer = c.buffer[:copy(c.buffer, c.buffer[c.head.length:])]
	c.begun = false
	c.deadline = r.now.Add(writeTimeout)
	return r.flush(c)
}

// flush writes what the client takes of a response, and reports whether that was
// all and the connection goes on.
func (r *loop) flush(c *loopConn) bool {
	done, err := c.out.send(c.fd)
	switch {
	case err != nil:
		r.lost(c, os.NewSyscallError("write", err))
	case !done:
		c.out.head = bytes.Clone(c.out.head) // the paper is for the next one
		r.watch(c, writing)
	case r.lane.closing():
		r.finish(c)
	default:
		return true
	}
	return false
}

// outgoing is what is left of a response.
type outgoing struct {
	head  []byte
	body  []byte
	sheet *sheet // in place of the body
	left  int    // bytes of the sheet
}

// send writes as much as a socket takes, and reports whether that was all.
func (o *outgoing) send(fd int) (done bool, err error) {
	for len(o.head)+len(o.body)+o.left > 0 {
		err := o.write(fd)
		switch {
		case errors.Is(err, unix.EAGAIN):
			return false, nil
		case err != nil && !errors.Is(err, unix.EINTR):
			return false, err
		}
	}
	*o = outgoing{}
	return true, nil
}

// write makes one system call.
func (o *outgoing) write(fd int) error {
	switch {
	case len(o.head) > 0 && o.left > 0:
		n, err := unix.SendmsgN(fd, o.head, nil, nil, unix.MSG_MORE)
		o.head = o.head[max(n, 0):]
		return err
	case len(o.head) > 0 && len(o.body) > 0:
		n, err := unix.Writev(fd, [][]byte{o.head, o.body})
		n = max(n, 0)
		ofHead := min(n, len(o.head))
		o.head, o.body = o.head[ofHead:], o.body[n-ofHead:]
		return err
	case len(o.head) > 0:
		n, err := unix.Write(fd, o.head)
		o.head = o.head[max(n, 0):]
		return err
	case len(o.body) > 0:
		n, err := unix.Write(fd, o.body)
		o.body = o.body[max(n, 0):]
		return err
	}
	offset := int64(len(o.sheet.body) - o.left)
	n, err := unix.Sendfile(fd, o.sheet.fd, &offset, o.left)
	runtime.KeepAlive(o.sheet)
	o.left -= max(n, 0)
	return err
}
