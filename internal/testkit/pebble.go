package testkit

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// Pebble is a certificate authority for tests that gives certificates by ACME. It believes that all
// host names are on this machine.
type Pebble struct {
	Directory string // address of its ACME directory
	CAFile    string // root certificate of its own HTTPS

	program, config string
	dns, address    string
	management      string
	mu              sync.Mutex
	output          strings.Builder
	client          *http.Client
}

// Write records what the programs print.
func (p *Pebble) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.output.Write(text)
}

// Log returns what the authority printed: its requests and what it checked.
func (p *Pebble) Log() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.output.String()
}

// NewPebble prepares the authority that scripts/install-pebble has built; Start starts it. It connects
// to the ports of a site to check who requests a certificate, and its certificates are valid for a
// time. It skips the test if Pebble is not installed.
func NewPebble(t testing.TB, httpPort, tlsPort int, validity time.Duration) *Pebble {
	t.Helper()
	folder := cacheFolder(t, "pebble")
	program := filepath.Join(folder, "pebble")
	if _, err := os.Stat(program); err != nil {
		t.Skip("SKIPPED: Pebble is not installed (make tools)")
	}
	dir := t.TempDir()
	certificate := NewCertificate(t)
	certFile, keyFile := certificate.WriteFiles(t, dir)
	address := make([]string, 3)
	for i := range address {
		port, err := freePort()
		if err != nil {
			t.Fatal(err)
		}
		address[i] = fmt.Sprint("127.0.0.1:", port)
	}
	p := &Pebble{
		Directory: "https://" + address[0] + "/dir", CAFile: certFile, program: program, config: filepath.Join(dir, "pebble.json"),
		address: address[0], management: address[1], dns: address[2],
		client: &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: certificate.Roots}}, Timeout: Timeout},
	}
	settings, err := json.Marshal(map[string]any{"pebble": map[string]any{
		"listenAddress": p.address, "managementListenAddress": p.management, "certificate": certFile, "privateKey": keyFile,
		"httpPort": httpPort, "tlsPort": tlsPort, "keyAlgorithm": "ecdsa",
		"profiles": map[string]any{"default": map[string]any{"description": "for tests", "validityPeriod": int(validity / time.Second)}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.config, settings, 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

// Start starts the authority and its DNS server, until the test ends.
func (p *Pebble) Start(t testing.TB) {
	t.Helper()
	p.run(t, p.program+"-challtestsrv", "-dnsserver", p.dns, "-defaultIPv6", "", "-doh", "", "-http01", "", "-https01", "", "-tlsalpn01", "", "-management", "")
	p.run(t, p.program, "-config", p.config, "-dnsserver", p.dns)
	Eventually(t, "Pebble to answer", func() bool {
		conn, err := net.Dial("tcp", p.address)
		if err != nil {
			return false
		}
		_ = conn.Close()
		return true
	})
}

func (p *Pebble) run(t testing.TB, program string, args ...string) {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), "PEBBLE_VA_NOSLEEP=1", "PEBBLE_WFE_NONCEREJECT=0")
	cmd.Stdout, cmd.Stderr = p, p
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
}

// Roots returns the root certificate of the authority's certificates, which is new at each start.
func (p *Pebble) Roots(t testing.TB) *x509.CertPool {
	t.Helper()
	var text []byte
	Eventually(t, "the root of Pebble", func() bool {
		response, err := p.client.Get("https://" + p.management + "/roots/0")
		if err != nil {
			return false
		}
		defer response.Body.Close()
		text, err = io.ReadAll(io.LimitReader(response.Body, 1<<20))
		return err == nil && response.StatusCode == http.StatusOK
	})
	block, _ := pem.Decode(text)
	if block == nil {
		t.Fatalf("no root certificate in %q", text)
	}
	root, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(root)
	return pool
}
