package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/google/uuid"

	"github.com/tidings-press/tidings/internal/publicnet"
	"github.com/tidings-press/tidings/internal/token"
)

// HTTPOptions are the settings for requests of pages.
type HTTPOptions struct {
	Intranet bool // pages of other sites may have addresses that are not public

	roots *x509.CertPool // nil for the system's
	port  string         // in place of 443 and 80
}

// Bounds of requests.
const (
	requestTimeout = 10 * time.Second
	maxPage        = 64 << 10
)

// client returns an HTTP client that follows no redirects. own is set for the site's own pages, which may
// have any address; others must be public.
func (h HTTPOptions) client(dns Resolver, own bool) *http.Client {
	dialer := &net.Dialer{Timeout: requestTimeout, Resolver: dns.net()}
	if !own && !h.Intranet {
		dialer.ControlContext = func(ctx context.Context, network, address string, c syscall.RawConn) error {
			return publicnet.Control(ctx, network, address, c)
		}
	}
	return &http.Client{
		Timeout: requestTimeout,
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				if host, _, err := net.SplitHostPort(address); err == nil && h.port != "" {
					address = net.JoinHostPort(host, h.port)
				}
				return dialer.DialContext(ctx, network, address)
			},
			TLSClientConfig: &tls.Config{RootCAs: h.roots, MinVersion: tls.VersionTLS12}, DisableKeepAlives: true, ForceAttemptHTTP2: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// get returns the page at an address of another site.
func (h HTTPOptions) get(ctx context.Context, dns Resolver, address string) (string, error) {
	status, body, err := h.request(ctx, h.client(dns, false), http.MethodGet, address, "")
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("%s answers %d", address, status)
	}
	return body, err
}

func (h HTTPOptions) request(ctx context.Context, client *http.Client, method, address, form string) (status int, body string, err error) {
	req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(form))
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("User-Agent", "Tidings (doctor)")
	if form != "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(res.Body, maxPage))
	return res.StatusCode, string(data), err
}

// siteURL returns the address of the site, or the finding why it cannot be checked.
func (o *Options) siteURL() (*url.URL, *Finding) {
	if o.Config == nil {
		return nil, &withoutConfig
	}
	u, err := url.Parse(o.Config.Site.URL)
	if err != nil || u.Hostname() == "" {
		return nil, &Finding{Severity: Error, What: fmt.Sprintf("site.url %q is not an address", o.Config.Site.URL), Fix: "Write one such as https://news.example.org."}
	}
	if isLoopback(u.Hostname()) {
		return nil, &Finding{Severity: Error, What: o.Config.Site.URL + " is an address of this machine only", Why: "Links in mails lead nowhere for everyone else, those to unsubscribe among them.", Fix: "Set site.url to the public address."}
	}
	u.Host = strings.Replace(u.Host, u.Hostname(), asciiName(u.Hostname()), 1)
	return u, nil
}

// checkSite requests the health page of the site by its public address.
func checkSite(ctx context.Context, o *Options) []Finding {
	u, wrong := o.siteURL()
	if wrong != nil {
		return one(*wrong)
	}
	ips, err := o.DNS.Addresses(ctx, u.Hostname())
	switch {
	case err != nil:
		return one(lookupFailed(err))
	case len(ips) == 0:
		return one(Finding{Severity: Error, What: u.Hostname() + " has no address in DNS", Why: "Links in mails lead nowhere.", Fix: "Add an A or AAAA record."})
	}
	var out []Finding
	for _, ip := range ips {
		if _, err := publicnet.Check(net.JoinHostPort(ip.String(), "443")); err != nil {
			out = append(out, Finding{Severity: Warning, What: fmt.Sprintf("%s has the address %s, which is not public", u.Hostname(), ip), Why: "Subscribers outside of this network cannot open links in mails.", Fix: "Ask a public resolver with --resolver HOST:PORT if this network has names of its own."})
			break
		}
	}
	status, _, err := o.Client.request(ctx, o.Client.client(o.DNS, true), http.MethodGet, strings.TrimSuffix(o.Config.Site.URL, "/")+"/healthz", "")
	const why = "Links in mails lead nowhere, those to unsubscribe among them."
	switch {
	case err != nil:
		return append(out, Finding{Severity: Error, What: fmt.Sprintf("%s cannot be reached: %v", o.Config.Site.URL, err), Why: why, Fix: "Start the service (tidings serve), and check the proxy and the firewall before it."})
	case status >= 300 && status < 400:
		return append(out, Finding{Severity: Error, What: fmt.Sprintf("%s redirects (%d)", o.Config.Site.URL, status), Why: "Mail programs follow no redirect when they unsubscribe (RFC 8058, section 3.2).", Fix: "Set site.url to the address that requests are redirected to."})
	case status != http.StatusOK:
		return append(out, Finding{Severity: Error, What: fmt.Sprintf("%s/healthz answers %d", o.Config.Site.URL, status), Why: why, Fix: "Check that the proxy passes all paths to the service."})
	}
	return append(out, ok("%s answers", o.Config.Site.URL))
}

// checkOneClick posts to the address for one-click unsubscribe with the valid token of a subscriber who
// does not exist, as a mail program would; it changes nothing.
func checkOneClick(ctx context.Context, o *Options) []Finding {
	const why = "Gmail and Yahoo ask senders of many mails for one-click unsubscribe (RFC 8058); subscribers who cannot unsubscribe complain."
	u, wrong := o.siteURL()
	switch {
	case wrong != nil:
		return one(*wrong)
	case o.Tokens == nil:
		return one(withoutStore)
	case u.Scheme != "https":
		return one(Finding{Severity: Error, What: o.Config.Site.URL + " is not an https address", Why: "Mail programs offer one-click unsubscribe only for https addresses (RFC 8058, section 3.1). " + why, Fix: "Set up HTTPS (docs/https.md), and begin site.url with https://."})
	}
	address := strings.TrimSuffix(o.Config.Site.URL, "/") + "/unsubscribe/" + o.Tokens.Sign(token.Unsubscribe, uuid.New(), "", "")
	status, _, err := o.Client.request(ctx, o.Client.client(o.DNS, true), http.MethodPost, address, "List-Unsubscribe=One-Click")
	switch {
	case err != nil:
		return one(Finding{Severity: Error, What: fmt.Sprintf("the address for one-click unsubscribe cannot be reached: %v", withoutAddress(err)), Why: why, Fix: "Start the service (tidings serve), and check the proxy and the firewall before it."})
	case status >= 300 && status < 400:
		return one(Finding{Severity: Error, What: fmt.Sprintf("the address for one-click unsubscribe redirects (%d)", status), Why: "Mail programs do not follow it (RFC 8058, section 3.2). " + why, Fix: "Set site.url to the address that requests are redirected to."})
	case status != http.StatusOK:
		return one(Finding{Severity: Error, What: fmt.Sprintf("the address for one-click unsubscribe answers %d to a POST, and not 200", status), Why: why, Fix: "Check that the proxy or its firewall passes POST requests without cookies to /unsubscribe/, and that it leads to this service."})
	}
	return one(ok("one-click unsubscribe works from here"))
}

// withoutAddress removes the address, which contains a token, from the error of a request.
func withoutAddress(err error) error {
	var failed *url.Error
	if errors.As(err, &failed) {
		return failed.Err
	}
	return err
}

// checkCertificate checks the certificate that visitors of the site get.
func checkCertificate(ctx context.Context, o *Options) []Finding {
	u, wrong := o.siteURL()
	if wrong != nil {
		return one(*wrong)
	}
	if u.Scheme != "https" {
		return one(Finding{Severity: Notice, What: "the site has no HTTPS, so there is no certificate"})
	}
	port := u.Port()
	if port == "" {
		port = "443"
	}
	if o.Client.port != "" {
		port = o.Client.port
	}
	dialer := tls.Dialer{
		NetDialer: &net.Dialer{Timeout: requestTimeout, Resolver: o.DNS.net()},
		Config:    &tls.Config{RootCAs: o.Client.roots, ServerName: u.Hostname(), MinVersion: tls.VersionTLS12, Time: o.Now},
	}
	conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	const why = "Browsers and mail programs open no site whose certificate is invalid, so subscribers can neither confirm nor unsubscribe."
	if err != nil {
		return one(Finding{Severity: Error, What: fmt.Sprintf("no HTTPS connection to %s: %v", u.Host, err), Why: why, Fix: "Renew the certificate; docs/https.md describes how the service gets its own."})
	}
	defer func() { _ = conn.Close() }()
	secured, _ := conn.(*tls.Conn)
	certificate := secured.ConnectionState().PeerCertificates[0]
	if left := certificate.NotAfter.Sub(o.Now()); left < expiresSoon {
		return one(Finding{Severity: Warning, What: fmt.Sprintf("the certificate of %s ends on %s", u.Host, certificate.NotAfter.UTC().Format(time.DateOnly)), Why: why, Fix: "Check why it is not renewed."})
	}
	return one(ok("the certificate of %s is valid until %s", u.Host, certificate.NotAfter.UTC().Format(time.DateOnly)))
}
