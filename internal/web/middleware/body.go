package middleware

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// MaxBody is how many bytes of a request's body are read, unless its handler has
// a smaller bound of its own.
const MaxBody = 1 << 20

// A client that sends more than is read usually sends all of it before it looks for the
// answer. To close the connection in the meantime would reset it and destroy the answer
// on its way (RFC 9112, section 9.6). So the rest is read and dropped, within bounds.
const (
	drainBytes = 64 << 20
	drainTime  = 5 * time.Second
)

// limitedBody is the body of a request up to MaxBody.
type limitedBody struct {
	limited  io.ReadCloser
	raw      io.ReadCloser
	read     bool // something was read
	ended    bool // everything was read
	tooLarge bool // the bound was reached
}

// Read implements io.Reader. Beyond the bound it returns *http.MaxBytesError.
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

// withBody serves a request that has a body. One that says that it is too large is
// refused at once; of others no more is read than MaxBody.
func (g *gate) withBody(w *response, r *http.Request) {
	body := &limitedBody{raw: r.Body, limited: http.MaxBytesReader(w.ResponseWriter, r.Body, MaxBody)}
	w.body, r.Body = body, body
	if r.ContentLength > MaxBody {
		refuseBody(w)
	} else {
		g.next.ServeHTTP(w, r)
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
	fmt.Fprintf(w, "The request is too large: at most %d KB are taken.\n", MaxBody>>10)
}

// drain sends what was answered and reads the rest of the request, so that the client
// gets to see the answer.
func (b *limitedBody) drain(w *response, r *http.Request) {
	if b.ended || !b.read && r.Header.Get("Expect") != "" { // this client sends nothing until it is told to
		return
	}
	c := http.NewResponseController(w.ResponseWriter)
	if c.Flush() != nil || c.SetReadDeadline(time.Now().Add(drainTime)) != nil {
		return
	}
	_, _ = io.CopyN(io.Discard, b.raw, drainBytes)
}
