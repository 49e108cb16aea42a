package guard

import (
	"context"
	"net"
	"net/http"
	"sync"
)

type closingKey struct{}

// CloseStreams makes a server tell open streams when it shuts down: Shutdown waits
// for requests to end, and a stream would not end by itself.
func CloseStreams(server *http.Server) {
	closing := make(chan struct{})
	server.BaseContext = func(net.Listener) context.Context {
		return context.WithValue(context.Background(), closingKey{}, (<-chan struct{})(closing))
	}
	server.RegisterOnShutdown(sync.OnceFunc(func() { close(closing) }))
}

// Closing is closed when the server shuts down. It is nil, which blocks for ever, on
// servers that CloseStreams was not called for.
func Closing(ctx context.Context) <-chan struct{} {
	closing, _ := ctx.Value(closingKey{}).(<-chan struct{})
	return closing
}
