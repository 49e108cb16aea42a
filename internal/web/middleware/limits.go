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

// A client usually sends its whole body before it reads the response. If the server closed the
// connection meanwhile, TCP would reset it and the response would be lost (RFC 9112, section
// 9.6). So the rest of a body that is too large is read and discarded, up to these limits.
const (
	drainBytes = 64 << 20
	drainTime  = 5 * time.Second
)

// limitedBody is a request body that can be read up to a limit.
type limitedBody struct {
	limited  io.ReadCloser
	most     int64
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

// withBody serves a request with a body. It refuses a body at once if its declared length is
// too large; otherwise at most that much is read.
func (m *wrapped) withBody(w *response, r *http.Request) {
	most := int64(MaxBody)
	if m.options.LargestBody != nil {
		most = max(most, m.options.LargestBody(r))
	}
	if most > MaxBody { // an upload
		_ = http.NewResponseController(w.ResponseWriter).SetReadDeadline(w.start.Add(uploadTime))
	}
	body := &limitedBody{raw: r.Body, limited: http.MaxBytesReader(w.ResponseWriter, r.Body, most), most: most}
	w.body, r.Body = body, body
	if r.ContentLength > most {
		refuseBody(w, most)
	} else {
		m.next.ServeHTTP(w, r)
	}
	body.drain(w, r)
}

// refuseBody answers 413 (RFC 9110, section 15.5.14) in place of the handler.
func refuseBody(w http.ResponseWriter, most int64) {
	h := w.Header()
	for _, name := range []string{"Content-Length", "Content-Encoding", "Etag", "Last-Modified", "Location", "Set-Cookie"} {
		h.Del(name)
	}
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusRequestEntityTooLarge)
	refuseText(w, most)
}

func refuseText(w io.Writer, most int64) {
	fmt.Fprintf(w, "The request is too large. The limit is %d KB.\n", most>>10)
}

// drain sends the response and reads the rest of the request, so that the client receives the
// response.
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

// The time that a client has to send a request body and to receive a response. Setting a
// deadline costs as much as reading a request, so the deadline of an earlier request is kept
// while at least half of writeTime is left.
const (
	bodyTime   = 30 * time.Second
	uploadTime = 5 * time.Minute // of a body larger than MaxBody
	writeTime  = 2 * time.Minute
)

// connection is the shared state of the requests on one connection.
type connection struct {
	writeBy atomic.Int64 // write deadline, Unix seconds; 0 if unknown
}

type connectionKey struct{}

// ConnContext is for http.Server.ConnContext. It replaces WriteTimeout, which the server
// would set for each request.
func ConnContext(ctx context.Context, _ net.Conn) context.Context {
	return context.WithValue(ctx, connectionKey{}, new(connection))
}

// limitWriting sets the write deadline of a response.
func (w *response) limitWriting() {
	c, ok := w.request.Context().Value(connectionKey{}).(*connection)
	if !ok {
		return
	}
	if w.request.ProtoMajor > 1 { // each of the connection's streams has a deadline of its own
		_ = http.NewResponseController(w.ResponseWriter).SetWriteDeadline(w.start.Add(writeTime))
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

// SetWriteDeadline is for http.ResponseController: handlers of long responses extend the
// deadline with it. The next request on the connection sets its own.
func (w *response) SetWriteDeadline(by time.Time) error {
	if w.connection != nil {
		w.connection.writeBy.Store(0)
	}
	return http.NewResponseController(w.ResponseWriter).SetWriteDeadline(by)
}
