package press

import (
	"context"
	"errors"
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
	go func() { done <- server.Serve(s.lane) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	quick, stop := context.WithTimeout(requests, drainQuick)
	defer stop()
	if s.drain(quick, server) == nil {
		return nil
	}
	cut()
	all, stopAll := context.WithTimeout(context.WithoutCancel(ctx), drainAll)
	defer stopAll()
	if s.drain(all, server) != nil {
		s.lane.Cut()
		return server.Close()
	}
	return nil
}

// drain takes no more connections and waits for the responses under way: those of
// net/http, and those in the lane, of which net/http does not know.
func (s *Service) drain(ctx context.Context, server *http.Server) error {
	return errors.Join(server.Shutdown(ctx), s.lane.Drain(ctx))
}
