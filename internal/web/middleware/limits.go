package middleware

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// MaxBody is the largest request body in bytes. A handler may have a smaller limit.
const MaxBody = 1 << 20

// A client whose body is too large usually sends all of it before it reads the answer. If
// the server closed the connection meanwhile, TCP would reset it and the answer would be
// lost (RFC 9112, section 9.6). So the rest of the body is read and dropped, up to these
// limits.
const (
	drainBytes = 64 << 20
	drainTime  = 5 * time.Second
)

// limitedBody is a request body that is read up to MaxBody.
type limitedBody struct {
	limited  io.ReadCloser
	raw      io.ReadCloser
	read     bool // something was read
	ended    bool // everything was read
	tooLarge bool // the limit was reached
}

// Read implements io.Reader. Beyond the limit it returns *http.MaxBytesError.
func (b *limitedBody) Read(p []byte) (int, error) {
	n, err := b.limited.Read(p)
	b.read = true
	var large *http.MaxBytesError
	switch {
	case err == io.EOF:
		b.ended = true
	case errors.As(err, &large):
		b.tooLarge = true
	}
	return n, err
}

// Close implements io.Closer.
func (b *limitedBody) Close() error { return b.limited.Close() }

// withBody serves a request that has a body. A body whose declared length is too large is
// refused at once; of others at most MaxBody is read.
func (m *wrapped) withBody(w *response, r *http.Request) {
	body := &limitedBody{raw: r.Body, limited: http.MaxBytesReader(w.ResponseWriter, r.Body, MaxBody)}
	w.body, r.Body = body, body
	if r.ContentLength > MaxBody {
		refuseBody(w)
	} else {
		m.next.ServeHTTP(w, r)
	}
	body.drain(w, r)
}

// refuseBody answers 413 (RFC 9110, section 15.5.14) in place of a handler's answer.
func refuseBody(w http.ResponseWriter) {
	h := w.Header()
	for _, name := range []string{"Content-Length", "Content-Encoding", "Etag", "Last-Modified", "Location", "Set-Cookie"} {
		h.Del(name)
	}
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusRequestEntityTooLarge)
	refuseText(w)
}

func refuseText(w io.Writer) {
	fmt.Fprintf(w, "The request is too large. The limit is %d KB.\n", MaxBody>>10)
}

// drain sends the answer and reads the rest of the request, so that the client receives
// the answer.
func (b *limitedBody) drain(w *response, r *http.Request) {
	if b.ended || !b.read && r.Header.Get("Expect") != "" { // the client waits for 100 Continue and sends nothing
		return
	}
	c := http.NewResponseController(w.ResponseWriter)
	if c.Flush() != nil || c.SetReadDeadline(time.Now().Add(drainTime)) != nil {
		return
	}
	_, _ = io.CopyN(io.Discard, b.raw, drainBytes)
}

// The time that a client has to send a request body, and to receive an answer. Setting a
// deadline costs as much as reading a request, so a deadline of an earlier request stays
// while at least half of writeTime is left.
const (
	bodyTime  = 30 * time.Second
	writeTime = 2 * time.Minute
)

// connection is the state that requests on one connection share.
type connection struct {
	writeBy atomic.Int64 // write deadline, Unix seconds; 0 when it is not known
}

type connectionKey struct{}

// ConnContext is for http.Server.ConnContext. It replaces WriteTimeout, which the server
// would set for each request.
func ConnContext(ctx context.Context, _ net.Conn) context.Context {
	return context.WithValue(ctx, connectionKey{}, new(connection))
}

// limitWriting sets the write deadline of an answer.
func (w *response) limitWriting() {
	c, ok := w.request.Context().Value(connectionKey{}).(*connection)
	if !ok {
		return
	}
	w.connection = c
	if time.Unix(c.writeBy.Load(), 0).Sub(w.start) > writeTime/2 {
		return
	}
	by := w.start.Add(writeTime)
	if http.NewResponseController(w.ResponseWriter).SetWriteDeadline(by) == nil {
		c.writeBy.Store(by.Unix())
	}
}

// SetWriteDeadline is for http.ResponseController: handlers of long answers extend the
// deadline. The next request on the connection sets its own.
func (w *response) SetWriteDeadline(by time.Time) error {
	if w.connection != nil {
		w.connection.writeBy.Store(0)
	}
	return http.NewResponseController(w.ResponseWriter).SetWriteDeadline(by)
}
