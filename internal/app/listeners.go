package app

import (
	"context"
	"crypto/tls"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tidings-press/tidings/internal/certificate"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/connlimit"
	"github.com/tidings-press/tidings/internal/listen"
	"github.com/tidings-press/tidings/internal/metrics"
	"github.com/tidings-press/tidings/internal/web"
	"github.com/tidings-press/tidings/internal/web/middleware"
)

// Timeouts of requests when the node stops. Streams of progress are cut after the first.
const (
	drainQuick = 2 * time.Second
	drainAll   = 8 * time.Second
)

// OpenListeners opens the configured listeners: for pages, and with TLS for the plain HTTP requests
// that are redirected, which is nil if there is none.
func (s *Service) OpenListeners() (pages, redirects net.Listener, err error) {
	server := s.Config.Server
	open := func(key, address string) (net.Listener, error) {
		l, err := listen.Open(address, server.Mode())
		if err == nil {
			return l, nil
		}
		what, fix, found := strings.Cut(err.Error(), "; ")
		switch {
		case errors.Is(err, fs.ErrPermission) && !strings.HasPrefix(address, "unix:"):
			fix = "use a port from 1024 on, or give the service the right to this one (CAP_NET_BIND_SERVICE, or a socket of systemd)"
		case !found:
			fix = "use a free address of this machine"
		}
		return nil, s.Config.Problem(key, what, fix)
	}
	if pages, err = open("server.listen", server.Listen); err != nil {
		return nil, nil, err
	}
	if server.TLS == "none" || server.ListenHTTP == "none" {
		return pages, nil, nil
	}
	if redirects, err = open("server.listen_http", server.ListenHTTP); err != nil {
		return nil, nil, errors.Join(err, pages.Close())
	}
	return pages, redirects, nil
}

// certificates are those of the site, from files or by ACME.
type certificates interface {
	TLSConfig() *tls.Config
	Challenges(next http.Handler) http.Handler
	Run(ctx context.Context)
}

// certificates returns the configured certificates, or nil without TLS.
func (n *Node) certificates() (certificates, error) {
	c := n.Service.Config
	switch {
	case n.HTTP == nil || c.Server.TLS == "none":
		return nil, nil
	case c.Server.TLS == "files":
		files, err := certificate.OpenFiles(certificate.FileOptions{CertFile: c.Server.CertFile, KeyFile: c.Server.KeyFile, Host: c.Site.Hosts()[0], Log: n.Service.Log})
		if err != nil {
			return nil, c.Problem("server.cert_file", err.Error(), "write the certificate and its key in PEM format")
		}
		return files, nil
	}
	if _, isTCP := n.HTTP.Addr().(*net.TCPAddr); !isTCP {
		return nil, c.Problem("server.listen", "a certificate authority cannot reach a Unix socket", "use a port, or a proxy and server.tls: none")
	}
	roots, err := certificate.Roots(c.Server.ACME.CAFile)
	if err != nil {
		return nil, c.Problem("server.acme.ca_file", err.Error(), "name a PEM file with certificates")
	}
	options := certificate.ACMEOptions{
		Hosts: func() []string { return n.site.Load().Hosts() },
		Email: c.Server.ACME.Email, Directory: c.Server.ACME.Directory, Roots: roots, Folder: c.CertificateFolder(),
		HTTPS: n.HTTP.Addr(), Log: n.Service.Log,
	}
	if n.Redirects != nil {
		options.HTTP = n.Redirects.Addr()
	}
	return certificate.NewACME(options), nil
}

// connectionLimit limits HTTP connections by the file descriptors that the process may open;
// mail and the store have a reserve. Trusted proxies and private networks are not limited.
func (n *Node) connectionLimit() (*connlimit.Limiter, error) {
	proxies, err := middleware.ParseProxies(n.Service.Config.Server.TrustedProxies)
	if err != nil {
		return nil, err
	}
	budget := connlimit.Descriptors()
	n.Service.Log.Debug("connections are limited", "all", budget.HTTP, "of one client", budget.PerHTTP, "descriptors in reserve", budget.Reserved)
	exempt := func(a netip.Addr) bool { return connlimit.IsLocal(a) || proxies.Trusts(a) }
	return connlimit.New(connlimit.Options{Max: budget.HTTP, PerClient: budget.PerHTTP, Exempt: exempt}), nil
}

// serveHTTP answers requests on all listeners until the context ends, and then finishes those in
// progress. The listeners share one limit of connections.
func (n *Node) serveHTTP(ctx context.Context, certs certificates) error {
	limiter, err := n.connectionLimit()
	if err != nil {
		return err
	}
	requests, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	var work sync.WaitGroup
	defer work.Wait()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var servers []*http.Server
	done := make(chan error, 2)
	serve := func(l net.Listener, handler http.Handler, config *tls.Config) {
		server := web.NewServer(handler, n.Service.Log)
		server.BaseContext = func(net.Listener) context.Context { return requests }
		server.TLSConfig = config
		server.ConnState = func(conn net.Conn, state http.ConnState) {
			metrics.HTTPConnection(conn, state)
			limiter.ConnState(conn, state)
		}
		if config != nil {
			l = tls.NewListener(l, config)
		}
		servers = append(servers, server)
		go func() { done <- server.Serve(limiter.Listener(l)) }()
	}
	pages := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n.currentTemplates(ctx, r)
		(*n.pages.Load()).ServeHTTP(w, r)
	})
	if certs == nil {
		serve(n.HTTP, pages, nil)
	} else {
		serve(n.HTTP, pages, certs.TLSConfig())
		if n.Redirects != nil {
			serve(n.Redirects, certs.Challenges(http.HandlerFunc(n.redirect)), nil)
		}
		work.Go(func() { certs.Run(ctx) }) // after the listeners are served: the authority connects to them
	}
	select {
	case err = <-done: // a listener failed: without it, the node would seem to work
	case <-ctx.Done():
		if drain(requests, servers, drainQuick) == nil {
			return nil
		}
	}
	cut()
	if drain(context.WithoutCancel(ctx), servers, drainAll) == nil {
		return err
	}
	for _, server := range servers {
		err = errors.Join(err, server.Close())
	}
	return err
}

// drain closes the listeners of servers, and waits until their requests are answered.
func drain(ctx context.Context, servers []*http.Server, within time.Duration) error {
	ctx, stop := context.WithTimeout(ctx, within)
	defer stop()
	var work errgroup.Group
	for _, server := range servers {
		work.Go(func() error { return server.Shutdown(ctx) })
	}
	return work.Wait()
}

// redirect redirects a plain HTTP request to the site.
func (n *Node) redirect(w http.ResponseWriter, r *http.Request) {
	(*n.redirects.Load()).ServeHTTP(w, r)
}

// publishSite makes the site's address that of redirects and certificates.
func (n *Node) publishSite(site config.Site) error {
	redirects, err := middleware.RedirectToHTTPS(site.URL, site.FormerURLs)
	if err != nil {
		return err
	}
	n.redirects.Store(&redirects)
	n.site.Store(&site)
	return nil
}
