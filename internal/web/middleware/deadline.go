package middleware

import (
	"context"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// How long a client may take to send a request's body, and to take an answer. An answer
// has between half the time and all of it: to set a deadline costs as much as to read a
// request, so one that is still far away stays.
const (
	bodyTime  = 30 * time.Second
	writeTime = 2 * time.Minute
)

// connection is what the middleware knows of a connection.
type connection struct {
	writeBy atomic.Int64 // write deadline, Unix seconds; 0 when it is not known
}

type connectionKey struct{}

// ConnContext is for http.Server.ConnContext. The server needs no WriteTimeout then, which
// it would set for each request.
func ConnContext(ctx context.Context, _ net.Conn) context.Context {
	return context.WithValue(ctx, connectionKey{}, new(connection))
}

// limitWriting sees to it that the answer to a request ends.
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

// SetWriteDeadline is for http.ResponseController: handlers of long answers lift the limit.
// The next request on the connection sets its own.
func (w *response) SetWriteDeadline(by time.Time) error {
	if w.connection != nil {
		w.connection.writeBy.Store(0)
	}
	return http.NewResponseController(w.ResponseWriter).SetWriteDeadline(by)
}
