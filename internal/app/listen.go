package app

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/tidings-press/tidings/internal/connlimit"
	"github.com/tidings-press/tidings/internal/web"
	"github.com/tidings-press/tidings/internal/web/middleware"
)

// How long requests may take to finish when the service stops: streams of progress
// are then cut.
const (
	drainQuick = 2 * time.Second
	drainAll   = 8 * time.Second
)

// connectionLimit bounds the connections of readers and editors by the descriptors that the
// process may open, of which mail and the store have a reserve. Proxies may have any number:
// those that are trusted, and whatever stands in a private network.
func (s *Node) connectionLimit() (*connlimit.Limiter, error) {
	proxies, err := middleware.ParseProxies(s.Service.Config.Server.TrustedProxies)
	if err != nil {
		return nil, err
	}
	budget := connlimit.Descriptors()
	s.Service.Log.Debug("connections are limited", "all", budget.HTTP, "of one client", budget.PerHTTP, "descriptors in reserve", budget.Reserved)
	exempt := func(a netip.Addr) bool { return connlimit.Near(a) || proxies.Trusts(a) }
	return connlimit.New(connlimit.Options{Most: budget.HTTP, PerClient: budget.PerHTTP, Exempt: exempt}), nil
}

func (s *Node) serveHTTP(ctx context.Context) error {
	server := web.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		(*s.pages.Load()).ServeHTTP(w, r)
	}), s.Service.Log)
	requests, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	server.BaseContext = func(net.Listener) context.Context { return requests }
	limiter, err := s.connectionLimit()
	if err != nil {
		return err
	}
	server.ConnState = limiter.ConnState
	done := make(chan error, 1)
	go func() { done <- server.Serve(limiter.Listener(s.HTTP)) }()
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
