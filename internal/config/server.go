package config

import (
	"cmp"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/tidings-press/tidings/internal/subscriber"
)

// Server is the HTTP side. See docs/https.md.
type Server struct {
	// Where to listen: a port such as :8080, an address such as 127.0.0.1:8080, a Unix socket such as unix:/run/tidings/http.sock, or systemd for the socket that systemd passes (systemd:NAME for one of several). Empty for :443 with TLS, and :8080 without.
	Listen string `yaml:"listen"`
	// Permissions of a Unix socket, in octal.
	SocketMode string `yaml:"socket_mode"`
	// none for plain HTTP, auto for certificates by ACME, such as those of Let's Encrypt, or files for cert_file and key_file. Empty for files if cert_file is set, and none otherwise.
	TLS string `yaml:"tls"`
	// PEM file of the certificate, followed by its intermediate certificates. Read again when it changes.
	CertFile string `yaml:"cert_file"`
	// PEM file of the certificate's private key.
	KeyFile string `yaml:"key_file"`
	// How tls: auto gets certificates.
	ACME ACME `yaml:"acme"`
	// With TLS: where plain HTTP requests are redirected to HTTPS, in the form of listen. none turns it off. Empty for :80.
	ListenHTTP string `yaml:"listen_http"`
	// When browsers are told to use only HTTPS (HSTS): auto on connections that this service encrypts itself, always for every answer of a site with an https address, behind a proxy too, or never.
	HSTS string `yaml:"hsts"`
	// Networks of proxies whose X-Forwarded-For is trusted, such as 10.0.0.0/8. The default is this machine (127.0.0.0/8 and ::1); a list replaces it. What connects through a Unix socket is trusted too.
	TrustedProxies []string `yaml:"trusted_proxies"`
	// Whether the log has a line for every request. Otherwise it has lines for those that change something or fail.
	AccessLog bool `yaml:"access_log"`
}

// ACME says how certificates are requested (RFC 8555).
type ACME struct {
	// Where the certificate authority may write to. Empty for the address of site.webmaster or site.editor.
	Email string `yaml:"email"`
	// Address of the authority's directory. Empty for Let's Encrypt. By using tls: auto you agree to its terms.
	Directory string `yaml:"directory"`
	// PEM file with the root certificates that the authority's own certificate is checked against. Empty for those of the system.
	CAFile string `yaml:"ca_file"`
	// Folder for the account and the certificates. Empty means a folder beside a SQLite file (tidings.certificates for tidings.db), and tidings.certificates beside this file for PostgreSQL. Nodes that share a folder share certificates.
	Folder string `yaml:"folder"`
}

// letsEncrypt is the directory of Let's Encrypt.
const letsEncrypt = "https://acme-v02.api.letsencrypt.org/directory"

func (s *Server) fill(c *Config) {
	if s.TLS == "" {
		s.TLS = map[bool]string{true: "files", false: "none"}[s.CertFile != ""]
	}
	encrypted := s.TLS != "none"
	s.Listen = cmp.Or(s.Listen, map[bool]string{true: ":443", false: ":8080"}[encrypted])
	if encrypted {
		s.ListenHTTP = cmp.Or(s.ListenHTTP, ":80")
	}
	if s.TLS != "auto" {
		return
	}
	s.ACME.Directory = cmp.Or(s.ACME.Directory, letsEncrypt)
	for _, person := range []string{c.Site.Webmaster, c.Site.Editor} {
		if _, address, err := subscriber.ParseMailbox(person); err == nil && s.ACME.Email == "" {
			s.ACME.Email = address.String()
		}
	}
}

// CertificateFolder returns the folder for the account and the certificates of tls: auto.
func (c *Config) CertificateFolder() string {
	path, isFile := strings.CutPrefix(c.Store.DSN.Reveal(), "sqlite:")
	switch {
	case c.Server.ACME.Folder != "":
		return c.Server.ACME.Folder
	case !isFile || strings.Contains(path, ":memory:"):
		return filepath.Join(filepath.Dir(c.path), "tidings.certificates")
	}
	path = strings.TrimPrefix(path, "//")
	return strings.TrimSuffix(path, filepath.Ext(path)) + ".certificates"
}

// Mode returns the permissions of a Unix socket.
func (s *Server) Mode() os.FileMode {
	mode, err := strconv.ParseUint(s.SocketMode, 8, 12)
	if err != nil {
		return 0o660
	}
	return os.FileMode(mode) & os.ModePerm
}

// Hosts returns the host names of the site that need a certificate: that of its address, and those of
// former addresses with https, from which requests are redirected.
func (s *Site) Hosts() []string {
	var out []string
	for i, address := range append([]string{s.URL}, s.FormerURLs...) {
		u, err := url.Parse(address)
		if err != nil || i > 0 && u.Scheme != "https" {
			continue
		}
		if host := strings.ToLower(u.Hostname()); !slices.Contains(out, host) {
			out = append(out, host)
		}
	}
	return out
}

func (c *checker) server() {
	s := &c.config.Server
	c.socket("server.listen", s.Listen)
	if mode, err := strconv.ParseUint(s.SocketMode, 8, 12); err != nil || mode > 0o777 {
		c.wrong("server.socket_mode", fmt.Sprintf("%q is not a file mode", s.SocketMode), `write octal digits in quotes, such as "0660"`)
	}
	c.oneOf("server.tls", s.TLS, "none", "auto", "files")
	c.oneOf("server.hsts", s.HSTS, "auto", "always", "never")
	for i, proxy := range s.TrustedProxies {
		_, err := netip.ParsePrefix(proxy)
		if _, bare := netip.ParseAddr(proxy); bare == nil {
			err = nil
		}
		c.failed(fmt.Sprintf("server.trusted_proxies[%d]", i), wrongFormat(err, proxy, "an address or a network"), "write an address or network such as 10.0.0.0/8")
	}
	if s.TLS == "none" {
		c.needsTLS()
		return
	}
	if s.ListenHTTP != "none" {
		c.socket("server.listen_http", s.ListenHTTP)
		if s.ListenHTTP == s.Listen {
			c.wrong("server.listen_http", "it is the same as server.listen", "use another port, or none")
		}
	}
	site, err := url.Parse(c.config.Site.URL)
	if err != nil {
		return // reported for site.url
	}
	if site.Scheme != "https" {
		c.wrong("server.tls", fmt.Sprintf("it is %s, but site.url is %s", s.TLS, c.config.Site.URL), "begin site.url with https://, or set server.tls to none")
	}
	if s.TLS == "auto" {
		c.acme(site.Hostname())
		return
	}
	c.required("server.cert_file", s.CertFile, "name the PEM file of the certificate, or use tls: auto")
	c.path("server.cert_file", &s.CertFile, "name the PEM file of the certificate")
	c.required("server.key_file", s.KeyFile, "name the PEM file of the certificate's private key")
	c.path("server.key_file", &s.KeyFile, "name the PEM file of the certificate's private key")
	c.config.secrets = append(c.config.secrets, secretFile{"server.key_file", s.KeyFile, "a private key"})
}

// needsTLS reports keys that have no effect without TLS.
func (c *checker) needsTLS() {
	s := &c.config.Server
	for key, value := range map[string]string{"cert_file": s.CertFile, "key_file": s.KeyFile} {
		if value != "" {
			c.wrong("server."+key, "it has no effect with server.tls: none", "set server.cert_file and server.key_file, and remove server.tls or set it to files")
		}
	}
	if s.ListenHTTP != "" && s.ListenHTTP != "none" {
		c.wrong("server.listen_http", "it has no effect without TLS", "remove it, or set server.tls")
	}
	if s.ACME != (ACME{}) {
		c.wrong("server.acme", "it has no effect without server.tls: auto", "set server.tls to auto, or remove server.acme")
	}
}

func (c *checker) acme(host string) {
	s := &c.config.Server
	for key, value := range map[string]string{"cert_file": s.CertFile, "key_file": s.KeyFile} {
		if value != "" {
			c.wrong("server."+key, "it has no effect with server.tls: auto", "remove it, or set server.tls to files")
		}
	}
	if strings.HasPrefix(s.Listen, "unix:") {
		c.wrong("server.listen", "a certificate authority cannot reach a Unix socket", "use a port such as :443, or a proxy and server.tls: none")
	}
	_, err := netip.ParseAddr(host)
	public := s.ACME.Directory == letsEncrypt
	switch {
	case err == nil:
		c.wrong("server.tls", fmt.Sprintf("auto needs a host name, but site.url has the address %s", host), "use a host name in site.url, or cert_file and key_file")
	case public && !isPublicName(host):
		c.wrong("server.tls", fmt.Sprintf("Let's Encrypt gives no certificates for %s", host), "use a public host name in site.url, name your own authority in server.acme.directory, or use cert_file and key_file")
	}
	c.address("server.acme.directory", s.ACME.Directory)
	if !strings.HasPrefix(s.ACME.Directory, "https://") {
		c.wrong("server.acme.directory", fmt.Sprintf("%q is not an https address", s.ACME.Directory), "use the address of an ACME directory, such as "+letsEncrypt)
	}
	c.required("server.acme.email", s.ACME.Email, "write the mail address that the certificate authority may write to")
	if s.ACME.Email != "" {
		_, err := subscriber.ParseAddress(s.ACME.Email)
		c.failed("server.acme.email", err, "write an address such as webmaster@example.org")
	}
	c.path("server.acme.ca_file", &s.ACME.CAFile, "name a PEM file with certificates")
	s.ACME.Folder = c.relative(s.ACME.Folder)
}

// isPublicName reports whether a host name can exist in the public DNS.
func isPublicName(host string) bool {
	host = strings.TrimSuffix(host, ".")
	last := host[strings.LastIndexByte(host, '.')+1:]
	return last != host && !slices.Contains([]string{"localhost", "local", "internal", "test", "example", "invalid", "lan", "home", "onion", "arpa"}, strings.ToLower(last))
}

// socket checks where a server listens; see package listen.
func (c *checker) socket(key, value string) {
	if path, isUnix := strings.CutPrefix(value, "unix:"); isUnix {
		switch {
		case !filepath.IsAbs(path):
			c.wrong(key, fmt.Sprintf("%q is not an absolute path", path), "write one such as unix:/run/tidings/http.sock")
		case len(path) > 100:
			c.wrong(key, fmt.Sprintf("the path has %d bytes, which is too long for a socket", len(path)), "use a path of at most 100 bytes")
		}
		return
	}
	if name, isSystemd := strings.CutPrefix(value, "systemd"); isSystemd && (name == "" || len(name) > 1 && name[0] == ':') {
		return
	}
	c.listen(key, value)
}

// warnACME warns of ports at which a public authority does not look for the site.
func (c *Config) warnACME(warn func(key, what, fix string)) {
	s := &c.Server
	other := func(listen, port string) bool { // sockets of systemd are not known before they are passed
		return !strings.HasPrefix(listen, "systemd") && !strings.HasSuffix(listen, ":"+port)
	}
	if s.TLS == "auto" && s.ACME.Directory == letsEncrypt && other(s.Listen, "443") && other(s.ListenHTTP, "80") {
		warn("server.listen", "Let's Encrypt checks the host at port 443 or 80, and the service listens on neither", "use :443, or forward port 443 to "+s.Listen)
	}
}
