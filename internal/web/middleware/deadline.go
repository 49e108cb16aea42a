package middleware

import (
	"context"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

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
