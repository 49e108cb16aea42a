package main

import (
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tidings-press/tidings/internal/testkit"
)

// startDNS starts a DNS server with records and sets a variable to its address: dns NAME RECORD...
func startDNS(ts *testscript.TestScript, _ bool, args []string) {
	server := testkit.StartDNS(ts.Value(testKey{}).(testing.TB), strings.Join(args[1:], "\n"))
	ts.Setenv(args[0], server.Address)
}

// writeCertificate writes a certificate for a name and its key to cert.pem and key.pem, and lets the
// programs of the script trust it: certificate NAME
func writeCertificate(ts *testscript.TestScript, _ bool, args []string) {
	t := ts.Value(testKey{}).(testing.TB)
	file, _ := testkit.NewCertificateUntil(t, time.Now().AddDate(1, 0, 0), args[0]).WriteFiles(t, ts.MkAbs("."))
	ts.Setenv("SSL_CERT_FILE", file)
}
