package press

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/tidings-press/tidings/web"
)

// How long requests may take to finish when the service stops: streams of progress
// are then cut.
const (
	drainQuick = 2 * time.Second
	drainAll   = 8 * time.Second
)

func (s *Service) serveHTTP(ctx context.Context) error {
	server := web.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		(*s.pages.Load()).ServeHTTP(w, r)
	}), s.Press.Log)
	requests, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	server.BaseContext = func(net.Listener) context.Context { return requests }
	done := make(chan error, 1)
	go func() { done <- server.Serve(s.HTTP) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	quick, stop := context.WithTimeout(requests, drainQuick)
	defer stop()
	if server.Shutdown(quick) == nil {
		return nil
	}
	cut()
	all, stopAll := context.WithTimeout(context.WithoutCancel(ctx), drainAll)
	defer stopAll()
	if server.Shutdown(all) != nil {
		return server.Close()
	}
	return nil
}
