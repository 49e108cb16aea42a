package certificate

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"

	"github.com/tidings-press/tidings/internal/backoff"
)

// Delays between two tries to get the first certificate of a host. They keep below the limit of Let's
// Encrypt, which is five refused tries per host and hour.
const (
	firstRetry   = 2 * time.Minute
	longestRetry = time.Hour
)

// ACMEOptions are the options of NewACME.
type ACMEOptions struct {
	// Hosts returns the host names of the site, the main one first. No certificate is requested for any
	// other name, whatever clients ask for.
	Hosts     func() []string
	Email     string         // of the account
	Directory string         // of the authority
	Roots     *x509.CertPool // for the authority's own certificate; nil for the system's roots
	Folder    string         // for the account and the certificates
	HTTPS     net.Addr       // where the site is served over HTTPS
	HTTP      net.Addr       // where plain HTTP is answered; nil for nowhere
	Log       *slog.Logger

	Every  time.Duration // between two checks of the hosts and of the ages of certificates; a minute when 0
	Retry  time.Duration // delay after the first failed try; 2 minutes when 0
	Window float64       // renew in this last part of a certificate's life; a third when 0
}

// ACME requests and renews one certificate for each host name of the site.
type ACME struct {
	options ACMEOptions
	cache   *certmagic.Cache
	magic   *certmagic.Config
	issuer  *certmagic.ACMEIssuer

	mu    sync.Mutex
	hosts map[string]*hostState
}

// hostState is how far the request for a host's certificate is.
type hostState struct {
	served bool // there is a certificate, and certmagic renews it
	tries  int  // failed ones
	next   time.Time
}

// NewACME returns the certificates of the hosts. Run requests them.
func NewACME(o ACMEOptions) *ACME {
	o.Every, o.Retry = cmp.Or(o.Every, time.Minute), cmp.Or(o.Retry, firstRetry)
	a := &ACME{options: o, hosts: map[string]*hostState{}}
	a.cache = certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert:   func(certmagic.Certificate) (*certmagic.Config, error) { return a.magic, nil },
		RenewCheckInterval: o.Every,
		Logger:             zap.NewNop(), // events are logged below, in the service's own log
	})
	a.magic = certmagic.New(a.cache, certmagic.Config{
		Storage:            &certmagic.FileStorage{Path: o.Folder},
		RenewalWindowRatio: o.Window,
		OnEvent:            a.event,
		Logger:             zap.NewNop(),
	})
	template := certmagic.ACMEIssuer{CA: o.Directory, Email: o.Email, Agreed: true, TrustedRoots: o.Roots, Logger: zap.NewNop(), DisableHTTPChallenge: o.HTTP == nil}
	// certmagic opens these addresses to answer the authority, unless a server listens there, as ours does.
	template.ListenHost, template.AltTLSALPNPort = hostAndPort(o.HTTPS)
	if o.HTTP != nil {
		_, template.AltHTTPPort = hostAndPort(o.HTTP)
	}
	a.issuer = certmagic.NewACMEIssuer(a.magic, template)
	a.magic.Issuers = []certmagic.Issuer{a.issuer}
	return a
}

func hostAndPort(a net.Addr) (host string, port int) {
	if tcp, ok := a.(*net.TCPAddr); ok {
		if !tcp.IP.IsUnspecified() {
			host = tcp.IP.String()
		}
		return host, tcp.Port
	}
	return "", 0
}

// TLSConfig returns the TLS settings of the site. They answer the authority's TLS-ALPN challenges too.
// Clients that name no host get the certificate of the main one.
func (a *ACME) TLSConfig() *tls.Config {
	return newTLSConfig(func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		if hosts := a.options.Hosts(); hello.ServerName == "" && len(hosts) > 0 {
			named := *hello
			named.ServerName = hosts[0]
			hello = &named
		}
		return a.magic.GetCertificate(hello)
	}, "acme-tls/1")
}

// Challenges answers the authority's HTTP challenges, and passes all other requests on. While the main
// host has no certificate it answers 503, so that clients are not redirected to an address that does
// not work yet.
func (a *ACME) Challenges(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case a.issuer.HandleHTTPChallenge(w, r):
		case !a.ready():
			w.Header().Set("Retry-After", "60")
			w.Header().Set("Cache-Control", "no-store")
			http.Error(w, "This site does not have its certificate yet. Please try again in a few minutes.", http.StatusServiceUnavailable)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func (a *ACME) ready() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	hosts := a.options.Hosts()
	return len(hosts) > 0 && a.hosts[hosts[0]] != nil && a.hosts[hosts[0]].served
}

// Run requests the certificates of all hosts, and renews them, until the context ends. A host whose
// request fails is tried again, and does not keep the others waiting.
func (a *ACME) Run(ctx context.Context) {
	defer a.cache.Stop()
	ticker := time.NewTicker(a.options.Every)
	defer ticker.Stop()
	for {
		hosts := a.options.Hosts()
		a.forget(hosts)
		var work sync.WaitGroup
		for _, host := range hosts {
			work.Go(func() { a.request(ctx, host) })
		}
		work.Wait()
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// forget stops the renewal for hosts that are no longer the site's.
func (a *ACME) forget(hosts []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for host := range a.hosts {
		if !slices.Contains(hosts, host) {
			delete(a.hosts, host)
			a.cache.RemoveManaged([]certmagic.SubjectIssuer{{Subject: host}})
		}
	}
}

// request makes one try to get a host's certificate from the folder or from the authority, if it is
// due. It renews a certificate of the folder that is too old.
func (a *ACME) request(ctx context.Context, host string) {
	a.mu.Lock()
	if a.hosts[host] == nil {
		a.hosts[host] = &hostState{}
	}
	state := *a.hosts[host]
	a.mu.Unlock()
	if state.served || time.Now().Before(state.next) {
		return
	}
	err := a.magic.ManageSync(ctx, []string{host})
	if ctx.Err() != nil {
		return
	}
	if state.served = err == nil; err != nil {
		state.tries++
		wait := backoff.Delay(a.options.Retry, longestRetry, state.tries)
		state.next = time.Now().Add(wait)
		a.options.Log.Error("cannot get a certificate: browsers cannot open this host over HTTPS until a try succeeds", "host", host, "authority", a.options.Directory, "error", err, "next_try_in", wait.Round(time.Second))
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.hosts[host] = &state
}

// event logs what certmagic does. Failures of first requests are logged by request.
func (a *ACME) event(_ context.Context, event string, data map[string]any) error {
	host, renewal := data["identifier"], data["renewal"] == true
	switch event {
	case "cert_obtaining":
		a.options.Log.Info("requesting a certificate", "host", host, "authority", a.options.Directory, "renewal", renewal)
	case "cert_obtained":
		info, err := Inspect(filepath.Join(a.options.Folder, fmt.Sprint(data["certificate_path"])))
		if err != nil {
			return err
		}
		a.options.Log.Info("got a certificate", "host", host, "issuer", info.Issuer, "until", info.Until, "renewal", renewal)
	case "cert_failed":
		if left, ok := data["remaining"].(time.Duration); ok && renewal {
			a.options.Log.Error("cannot renew the certificate; it is tried again", "host", host, "authority", a.options.Directory, "error", data["error"], "valid_for", left.Round(time.Minute))
		}
	}
	return nil
}

// Stored returns the certificate of a host in the folder of an ACME account.
func Stored(folder, directory, host string) (Info, error) {
	issuer := certmagic.ACMEIssuer{CA: directory}
	return Inspect(filepath.Join(folder, certmagic.StorageKeys.SiteCert(issuer.IssuerKey(), host)))
}
