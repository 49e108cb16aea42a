package serve

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"time"
)

// longestHead is as much of a head as the lane looks at; longer ones go on.
const longestHead = 8 << 10

// answerAll answers requests until one is not for the lane, which it reports with
// true, or the connection is at its end and closed.
func (l *Lane) answerAll(conn *laneConn) (onward bool) {
	defer l.leave(conn)
	defer l.recover(conn)
	buffer := make([]byte, 0, 2<<10)
	head := l.newHead(conn.RemoteAddr().String())
	var out laneWriter
	for {
		switch parseHead(buffer, &head) {
		case headOther:
			conn.unread = buffer
			return true
		case headShort:
			if len(buffer) >= longestHead {
				conn.unread = buffer
				return true
			}
			more, ok := l.fill(conn, buffer)
			if !ok {
				conn.Close()
				return false
			}
			buffer = more
			continue
		}
		s := l.server.Load()
		s.refresh()
		d := l.known(s, &head)
		if d == nil {
			conn.unread = buffer
			return true
		}
		conn.begun = false
		buffer = buffer[:copy(buffer, buffer[head.length:])]
		a := s.answer(&head.request, d)
		if err := out.write(conn, d, &a, head.head); err != nil {
			conn.Close()
			return false
		}
		if l.closing() {
			conn.finish()
			return false
		}
		runtime.Gosched()
	}
}

// newHead is what requests of a connection are read into. from is the address that
// the connection comes from.
func (l *Lane) newHead(from string) laneHead {
	client := func() string {
		return l.server.Load().options.Client(&http.Request{RemoteAddr: from, Header: http.Header{}})
	}
	return laneHead{request: request{poller: new(poller), client: client}}
}

// fill reads more of a request. An idle connection may be closed by Close.
func (l *Lane) fill(conn *laneConn, buffer []byte) ([]byte, bool) {
	conn.idle.Store(len(buffer) == 0)
	if l.closing() {
		return nil, false
	}
	if len(buffer) == cap(buffer) {
		buffer = append(make([]byte, 0, longestHead), buffer...)
	}
	var err error
	switch {
	case len(buffer) == 0:
		err = conn.allow(idleTimeout*9/10, idleTimeout)
	case !conn.begun: // further bytes earn no further time
		conn.begun = true
		err = conn.allow(headTimeout*9/10, headTimeout)
	}
	if err != nil {
		return nil, false
	}
	n, err := conn.Conn.Read(buffer[len(buffer):cap(buffer)])
	conn.idle.Store(false)
	if n == 0 && err != nil {
		if !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) && !errors.Is(err, os.ErrDeadlineExceeded) {
			l.server.Load().options.Log.Debug("feed connection lost", "error", err)
		}
		return nil, false
	}
	return buffer[:len(buffer)+n], true
}

// known returns the document of a request that may be answered at once by what the
// server knows. Where clients may be asked to wait, net/http does all.
func (l *Lane) known(s *Server, head *laneHead) *document {
	head.departed = s.freshness.departed.Load()
	d := s.cache.get(head.target)
	if d == nil || s.manners.every > 0 || !s.current(d) || !l.host(head.host) {
		return nil
	}
	return d
}

// smallBody is up to which length a body is copied behind its head: one system call
// for one piece is cheaper.
const smallBody = 16 << 10

// compose writes a response's head into what there is, with the same fields that
// respond sets and with a small body; a large one is returned, to be sent after it.
func (a *answer) compose(into []byte, d *document, headOnly bool) (head, body []byte) {
	into = into[:0]
	if a.unchanged {
		into = append(append(into, "HTTP/1.1 304 Not Modified\r\n"...), a.rep.laneUnchanged(d)...)
	} else {
		into = append(append(into, "HTTP/1.1 200 OK\r\n"...), a.rep.laneFull(d)...)
	}
	into = append(append(into, a.modified.line...), dateLine()...)
	switch {
	case a.unchanged || headOnly:
		return into, nil
	case len(a.rep.body) <= smallBody:
		return append(into, a.rep.body...), nil
	}
	return into, a.rep.body
}

// laneWriter writes responses.
type laneWriter struct {
	head    []byte
	buffers net.Buffers
	both    [2][]byte
}

func (o *laneWriter) write(conn *laneConn, d *document, a *answer, headOnly bool) (err error) {
	if err := conn.allow(writeTimeout/2, writeTimeout); err != nil {
		return err
	}
	var body []byte
	o.head, body = a.compose(o.head, d, headOnly)
	if body == nil {
		_, err = conn.Write(o.head)
		return err
	}
	// Two pieces in one system call: copying a body costs more than the rest.
	o.both[0], o.both[1] = o.head, body
	o.buffers = o.both[:]
	_, err = o.buffers.WriteTo(conn.Conn) // only a *net.TCPConn writes both at once
	return err
}

// laneUnchanged and laneFull are the fields of a representation's responses, made
// once. Last-Modified, which all documents change together, is not among them.
func (r *representation) laneUnchanged(d *document) []byte {
	if made := r.lane[0].Load(); made != nil {
		return *made
	}
	fields := fieldLines("Etag", r.header.etag, "Cache-Control", d.cacheControl,
		"Vary", varyEncoding, "Access-Control-Allow-Origin", anyOrigin, "X-Content-Type-Options", nosniff)
	r.lane[0].Store(&fields)
	return fields
}

func (r *representation) laneFull(d *document) []byte {
	if made := r.lane[1].Load(); made != nil {
		return *made
	}
	fields := append(bytes.Clone(r.laneUnchanged(d)), fieldLines("Content-Type", d.contentType, "Content-Length", r.header.length,
		"Content-Encoding", r.header.encoding, "Link", d.link)...)
	r.lane[1].Store(&fields)
	return fields
}

func fieldLines(fields ...any) []byte {
	var out strings.Builder
	for i := 0; i < len(fields); i += 2 {
		for _, value := range fields[i+1].([]string) {
			out.WriteString(fields[i].(string) + ": " + value + "\r\n")
		}
	}
	return []byte(out.String())
}

// laneDate is the Date field and the empty line, written anew once a second.
type laneDate struct {
	second int64
	line   []byte
}

var lastDate atomic.Pointer[laneDate]

func dateLine() []byte {
	now := time.Now()
	if last := lastDate.Load(); last != nil && last.second == now.Unix() {
		return last.line
	}
	made := &laneDate{now.Unix(), []byte("Date: " + now.UTC().Format(http.TimeFormat) + "\r\n\r\n")}
	lastDate.Store(made)
	return made.line
}
