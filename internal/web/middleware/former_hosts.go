package middleware

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/idna"
)

// formerHosts redirects requests for former addresses of the site to its current one.
type formerHosts struct {
	site string            // without a trailing slash
	host string            // of the site
	base map[string]string // path of the site on each former host
}

func newFormerHosts(site string, former []string) (*formerHosts, error) {
	now, err := url.Parse(site)
	if err != nil {
		return nil, fmt.Errorf("site address: %w", err)
	}
	site = useASCIIHost(site, now)
	f := &formerHosts{site: strings.TrimRight(site, "/"), host: strings.ToLower(now.Hostname()), base: map[string]string{}}
	for _, old := range former {
		u, err := url.Parse(old)
		if err != nil {
			return nil, fmt.Errorf("former address of the site: %w", err)
		}
		useASCIIHost(old, u)
		if host := strings.ToLower(u.Hostname()); host != f.host {
			f.base[host] = strings.TrimRight(u.EscapedPath(), "/")
		}
	}
	return f, nil
}

// useASCIIHost converts the host of an address to ASCII, as requests name it (RFC 5891), and returns the
// address with it.
func useASCIIHost(address string, u *url.URL) string {
	name := u.Hostname()
	ascii, err := idna.Lookup.ToASCII(name)
	if err != nil || ascii == name {
		return address // such as an IP address
	}
	u.Host = strings.Replace(u.Host, name, ascii, 1)
	return u.String()
}

// target returns the address to redirect a request to, or "". One-click unsubscribe requests of
// mail programs are answered on former hosts too, since they follow no redirects (RFC 8058,
// section 3.1).
func (f *formerHosts) target(r *http.Request) string {
	if len(f.base) == 0 {
		return ""
	}
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	base, old := f.base[strings.ToLower(strings.TrimSuffix(host, "."))] // a full domain name may end with a dot (RFC 3986, section 3.2.2)
	if !old || r.Method == http.MethodPost && strings.HasPrefix(r.URL.Path, "/unsubscribe/") {
		return ""
	}
	path := r.URL.EscapedPath()
	if rest, ok := strings.CutPrefix(path, base); ok && (rest == "" || rest[0] == '/') {
		path = rest
	}
	if path == "" {
		path = "/"
	}
	if r.URL.RawQuery != "" {
		path += "?" + r.URL.RawQuery
	}
	return f.site + path
}

// redirect redirects a request for a former address and reports whether it did.
func (f *formerHosts) redirect(w http.ResponseWriter, r *http.Request) bool {
	target := f.target(r)
	if target == "" {
		return false
	}
	redirectPermanently(w, r, target)
	return true
}

// RedirectToHTTPS returns the handler for plain HTTP requests to a site with HTTPS. It redirects them
// permanently to the same path of the site, whatever host they name.
func RedirectToHTTPS(site string, former []string) (http.Handler, error) {
	hosts, err := newFormerHosts(site, former)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(site)
	if err != nil {
		return nil, fmt.Errorf("site address: %w", err)
	}
	useASCIIHost(site, u)
	origin := u.Scheme + "://" + u.Host
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if hosts.redirect(w, r) {
			return
		}
		target := origin + "/" + strings.TrimPrefix(r.URL.EscapedPath(), "/")
		if r.URL.RawQuery != "" {
			target += "?" + r.URL.RawQuery
		}
		redirectPermanently(w, r, target)
	}), nil
}

func redirectPermanently(w http.ResponseWriter, r *http.Request, target string) {
	w.Header().Set("Cache-Control", "public, max-age=86400")
	status := http.StatusMovedPermanently
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		status = http.StatusPermanentRedirect // keeps the method (RFC 9110, section 15.4.9)
	}
	http.Redirect(w, r, target, status)
}
