package testkit

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"maps"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/testkit/sink"
)

// SMTPServer is a scripted SMTP server that stores the mails it accepts. It simulates the faults in
// its options.
type SMTPServer struct {
	*sink.Server
	log mailLog
}

// StartSMTPServer starts a server on a free port of the loopback. It runs until the test
// ends.
func StartSMTPServer(t testing.TB, opts sink.Options) *SMTPServer {
	t.Helper()
	return StartSMTPServerOn(t, listen(t, "tcp", "127.0.0.1:0"), opts)
}

// StartSMTPServerOn starts a server on a listener. Tests use it to restart a server on the
// same port, and for Unix sockets.
func StartSMTPServerOn(t testing.TB, listener net.Listener, opts sink.Options) *SMTPServer {
	t.Helper()
	s := &SMTPServer{}
	if opts.Keep == nil {
		opts.Keep = func(m sink.Mail) { s.log.add(Mail{From: m.From, To: m.To, Data: m.Data, Conn: m.Conn}) }
	}
	s.Server = sink.Start(listener, opts)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// Mails returns the mails accepted so far, in order.
func (s *SMTPServer) Mails() []Mail { return s.log.all() }

// Received returns how many mails each recipient got.
func (s *SMTPServer) Received() map[string]int { return s.log.received() }

// Port returns the port that the server listens on.
func (s *SMTPServer) Port() int { return port(s.Addr()) }

// Mail is a mail that a test server accepted.
type Mail struct {
	From     string
	To       []string
	Data     []byte
	Conn     int64 // number of the connection
	Received time.Time
}

// mailLog stores the mails that a server has accepted.
type mailLog struct {
	mu    sync.Mutex
	mails []Mail
	count map[string]int
}

func (k *mailLog) add(m Mail) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.count == nil {
		k.count = map[string]int{}
	}
	m.Received = time.Now()
	k.mails = append(k.mails, m)
	for _, to := range m.To {
		k.count[to]++
	}
}

func (k *mailLog) all() []Mail {
	k.mu.Lock()
	defer k.mu.Unlock()
	return append([]Mail(nil), k.mails...)
}

func (k *mailLog) received() map[string]int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return maps.Clone(k.count)
}

func port(addr net.Addr) int {
	if tcp, ok := addr.(*net.TCPAddr); ok {
		return tcp.Port
	}
	return 0
}

func listen(t testing.TB, network, address string) net.Listener {
	t.Helper()
	listener, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

// ListenUnix listens on a Unix socket and returns its path. It does not use t.TempDir,
// whose paths can be too long for a socket.
func ListenUnix(t testing.TB) (net.Listener, string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "tidings")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path := filepath.Join(dir, "s")
	return listen(t, "unix", path), path
}

// Certificate is a self-signed certificate for 127.0.0.1 and localhost, with a pool of
// root certificates that contains it.
type Certificate struct {
	Server *tls.Config
	Roots  *x509.CertPool
}

// NewCertificate returns a certificate that is also valid for the given names. It ends in a day.
func NewCertificate(t testing.TB, names ...string) Certificate {
	t.Helper()
	return NewCertificateUntil(t, time.Now().Add(24*time.Hour), names...)
}

// NewCertificateUntil returns a certificate that ends at a time, which may have passed.
func NewCertificateUntil(t testing.TB, end time.Time, names ...string) Certificate {
	t.Helper()
	begin := time.Now().Add(-time.Hour)
	if end.Before(begin) {
		begin = end.Add(-time.Hour)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "tidings test"},
		NotBefore: begin, NotAfter: end,
		DNSNames: append([]string{"localhost"}, names...), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return Certificate{
		Server: &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}},
		Roots:  roots,
	}
}
