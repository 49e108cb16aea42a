package certificate_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/certificate"
	"github.com/tidings-press/tidings/internal/testkit"
)

// TestCertificateCoversItsAddresses: a site in a network without names has the address of its machine in its
// URL, as Site.Hosts returns it.
func TestCertificateCoversItsAddresses(t *testing.T) {
	t.Parallel()
	certFile, _ := testkit.NewCertificate(t, "a.example").WriteFiles(t, t.TempDir())
	info, err := certificate.Inspect(certFile)
	if err != nil || !slices.Contains(info.Hosts, "127.0.0.1") {
		t.Fatalf("%+v, %v", info, err)
	}
	now := time.Now()
	for _, host := range []string{"127.0.0.1", "a.example", "A.Example"} {
		if err := info.Covers(host, now); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
	for _, host := range []string{"127.0.0.2", "::2", "b.example", "x.a.example", "example", "", "127.0.0.1.example"} {
		if err := info.Covers(host, now); err == nil || err.Error() != "it is not for "+host {
			t.Errorf("%q: %v", host, err)
		}
	}
}

func TestHostsOfACertificateAreMatchedAsBrowsersDo(t *testing.T) {
	t.Parallel()
	now := time.Now()
	info := certificate.Info{Hosts: []string{"*.example.org", "example.net", "2001:db8::1", "192.0.2.7"}, From: now, Until: now}
	for host, covered := range map[string]bool{
		"news.example.org": true, "NEWS.example.org": true, "example.org": false, "a.b.example.org": false, "example.net": true, "www.example.net": false,
		"2001:db8::1": true, "2001:db8:0:0:0:0:0:1": true, "2001:db8::2": false, "192.0.2.7": true, "192.0.2.70": false,
	} {
		if err := info.Covers(host, now); (err == nil) != covered {
			t.Errorf("%s: %v", host, err)
		}
	}
	for _, at := range []time.Time{now.Add(-1), now.Add(1)} { // its bounds are included
		if err := info.Covers("example.net", at); err == nil {
			t.Errorf("it covers its host at %v", at)
		}
	}
}

// TestCertificateIsFoundBehindOtherBlocks: the server reads one file with the key and the certificate, in any
// order, and so must what tells how long it is valid.
func TestCertificateIsFoundBehindOtherBlocks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	certFile, keyFile := testkit.NewCertificate(t, "a.example").WriteFiles(t, dir)
	read := func(path string) []byte {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	cert, key := read(certFile), read(keyFile)
	for name, content := range map[string][]byte{
		"key first":      slices.Concat(key, cert),
		"key last":       slices.Concat(cert, key),
		"text around it": slices.Concat([]byte("subject: a.example\n"), cert, []byte("the end")),
		"CRLF":           bytes.ReplaceAll(cert, []byte("\n"), []byte("\r\n")),
	} {
		path := filepath.Join(dir, strings.ReplaceAll(name, " ", "-")+".pem")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		var log lockedLog
		if _, err := certificate.OpenFiles(certificate.FileOptions{CertFile: path, KeyFile: keyFile, Host: "a.example", Log: log.logger()}); err != nil {
			t.Errorf("%s: it is not served: %v", name, err)
		}
		if info, err := certificate.Inspect(path); err != nil || !slices.Contains(info.Hosts, "a.example") {
			t.Errorf("%s: %+v, %v", name, info, err)
		}
	}
	for name, content := range map[string][]byte{
		"empty": nil, "key alone": key, "cut off": cert[:len(cert)/2], "zeros": make([]byte, 5000),
		"no certificate in the block": []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
		"too large":                   slices.Concat(cert, make([]byte, 1<<20)),
	} {
		path := filepath.Join(dir, "bad.pem")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if info, err := certificate.Inspect(path); err == nil || !strings.Contains(err.Error(), "bad.pem") {
			t.Errorf("%s: %+v, %v", name, info, err)
		}
	}
	if _, err := certificate.Inspect(dir); err == nil {
		t.Error("a folder has a certificate")
	}
}

// TestFilesThatVanishTwiceAreReportedTwice: an outage of the disk that holds them is told each time.
func TestFilesThatVanishTwiceAreReportedTwice(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	certFile, keyFile := testkit.NewCertificate(t, "a.example").WriteFiles(t, dir)
	var log lockedLog
	files, err := certificate.OpenFiles(certificate.FileOptions{CertFile: certFile, KeyFile: keyFile, Host: "a.example", Log: log.logger()})
	if err != nil {
		t.Fatal(err)
	}
	const problem = "cannot read the certificate's files"
	move := func(from, to string) {
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	for outage := 1; outage <= 3; outage++ {
		move(keyFile, keyFile+".away")
		files.Reload()
		files.Reload()
		if n := log.count(problem); n != outage {
			t.Errorf("outage %d is reported %d times in all", outage, n)
		}
		move(keyFile+".away", keyFile)
		files.Reload()
	}
}
