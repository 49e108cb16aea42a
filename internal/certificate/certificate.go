// Package certificate provides the certificates with which the site is served over HTTPS. OpenFiles
// reads them from files, NewACME requests them from a certificate authority (RFC 8555). Both renew
// what they serve while they run. Inspect returns what a certificate is valid for and until when.
package certificate

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

// maxFile is the maximum size of a file with certificates or a key in bytes.
const maxFile = 1 << 20

// newTLSConfig returns the TLS settings of the site: TLS 1.2 or later with Go's choice of ciphers, and
// HTTP/2. get returns the certificate for a handshake.
func newTLSConfig(get func(*tls.ClientHelloInfo) (*tls.Certificate, error), more ...string) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: get, NextProtos: append([]string{"h2", "http/1.1"}, more...)}
}

// Info holds the contents of a certificate.
type Info struct {
	Hosts  []string  `json:"hosts"`
	Issuer string    `json:"issuer"`
	From   time.Time `json:"from"`
	Until  time.Time `json:"until"`
}

// Covers reports whether a certificate is for a host and valid at a time.
func (i Info) Covers(host string, now time.Time) error {
	var leaf x509.Certificate
	for _, name := range i.Hosts {
		if ip := net.ParseIP(name); ip != nil {
			leaf.IPAddresses = append(leaf.IPAddresses, ip)
		} else {
			leaf.DNSNames = append(leaf.DNSNames, name)
		}
	}
	switch {
	case now.After(i.Until):
		return fmt.Errorf("it expired on %s", i.Until.Format(time.DateOnly))
	case now.Before(i.From):
		return fmt.Errorf("it is not valid before %s", i.From.Format(time.DateOnly))
	}
	if err := leaf.VerifyHostname(host); err != nil {
		return fmt.Errorf("it is not for %s", host)
	}
	return nil
}

// Expiring reports whether less than a tenth of a certificate's life is left. Renewal begins when a third
// is left.
func (i Info) Expiring(now time.Time) bool { return i.Until.Sub(now) < i.Until.Sub(i.From)/10 }

// Inspect returns the contents of the first certificate of a PEM file.
func Inspect(path string) (Info, error) {
	data, err := read(path)
	if err != nil {
		return Info{}, err
	}
	block, rest := pem.Decode(data)
	for block != nil && block.Type != "CERTIFICATE" { // its key may come before it, as in the files of some programs
		block, rest = pem.Decode(rest)
	}
	if block == nil {
		return Info{}, fmt.Errorf("%s has no certificate in PEM format", path)
	}
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return Info{}, fmt.Errorf("%s: %w", path, err)
	}
	return infoOf(leaf), nil
}

func infoOf(leaf *x509.Certificate) Info {
	hosts := append([]string(nil), leaf.DNSNames...)
	for _, ip := range leaf.IPAddresses {
		hosts = append(hosts, ip.String())
	}
	issuer := leaf.Issuer.CommonName
	if len(leaf.Issuer.Organization) > 0 {
		issuer = leaf.Issuer.Organization[0] + " " + issuer
	}
	return Info{Hosts: hosts, Issuer: issuer, From: leaf.NotBefore, Until: leaf.NotAfter}
}

// Roots reads root certificates from a PEM file. For "" it returns nil, which means the roots of the
// system.
func Roots(path string) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil
	}
	data, err := read(path)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("%s has no certificate in PEM format", path)
	}
	return pool, nil
}

func read(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = fmt.Errorf("%s is larger than 1 MB", path)
	}
	return data, err
}

// pair is a certificate with its key, as read from two files.
type pair struct {
	certificate *tls.Certificate
	sum         [sha256.Size]byte // of both files
}

// errUnchanged means that the files have the content that was read before.
var errUnchanged = errors.New("the files have not changed")

// readPair reads a certificate and its key. It returns errUnchanged if the files have a known sum, and
// the sum with every other error of the content.
func readPair(certFile, keyFile string, known ...[sha256.Size]byte) (pair, error) {
	cert, err := read(certFile)
	if err != nil {
		return pair{}, err
	}
	key, err := read(keyFile)
	if err != nil {
		return pair{}, err
	}
	p := pair{sum: sha256.Sum256(bytes.Join([][]byte{cert, key}, []byte{0}))}
	for _, sum := range known {
		if sum == p.sum {
			return p, errUnchanged
		}
	}
	loaded, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return p, fmt.Errorf("%s and %s: %w", certFile, keyFile, err)
	}
	p.certificate = &loaded
	return p, nil
}
