package mailer_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/sink"
	"github.com/tidings-press/tidings/mailer"
)

// TestSCRAMIsBoundToTheChannel offers one mechanism at a time, so that no weaker one can be used,
// over implicit TLS and STARTTLS and with both kinds of channel binding.
func TestSCRAMIsBoundToTheChannel(t *testing.T) {
	t.Parallel()
	cert := testkit.NewCertificate(t)
	for _, mechanism := range []string{"SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1"} {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			t.Run(fmt.Sprintf("%s over %s", mechanism, tls.VersionName(version)), func(t *testing.T) {
				t.Parallel()
				wire := testkit.StartSMTPServer(t, sink.Options{TLS: cert.Server, Users: map[string]string{"press": "sécret"}, Mechanisms: mechanism})
				relay := plainRelay(wire.Port())
				relay.Security, relay.TLS = mailer.StartTLS, &tls.Config{RootCAs: cert.Roots, MinVersion: version, MaxVersion: version}
				relay.Username, relay.Password, relay.Auth = "press", "sécret", mailer.AuthSCRAM
				sendOne(t, relay)
				relay.Password = "wrong"
				var failed *mailer.DialError
				if _, err := mailer.Dial(t.Context(), relay); !errors.As(err, &failed) || !errors.Is(err, mailer.ErrAuth) || failed.Reply.Code != 535 {
					t.Errorf("with a wrong password: %v", err)
				}
			})
		}
	}
}

// TestStrongestMechanismIsUsed: the server refuses AUTH with a reply that names the mechanism
// it was asked for.
func TestStrongestMechanismIsUsed(t *testing.T) {
	t.Parallel()
	cert := testkit.NewCertificate(t)
	for offered, want := range map[string]string{
		"LOGIN PLAIN SCRAM-SHA-1 SCRAM-SHA-256 SCRAM-SHA-1-PLUS SCRAM-SHA-256-PLUS": "SCRAM-SHA-256-PLUS",
		"LOGIN PLAIN SCRAM-SHA-1-PLUS SCRAM-SHA-256":                                "SCRAM-SHA-256",
		"LOGIN PLAIN SCRAM-SHA-1":                                                   "SCRAM-SHA-1",
		"XOAUTH2 LOGIN PLAIN":                                                       "PLAIN",
		"XOAUTH2 LOGIN":                                                             "LOGIN",
	} {
		faults := []sink.Fault{{At: sink.AtAuth, Match: "AUTH " + want, Reply: "535 5.7.8 asked for " + want}}
		wire := testkit.StartSMTPServer(t, sink.Options{TLS: cert.Server, Users: map[string]string{"press": "secret"}, Mechanisms: offered, Faults: faults})
		relay := plainRelay(wire.Port())
		relay.Security, relay.TLS = mailer.StartTLS, &tls.Config{RootCAs: cert.Roots}
		relay.Username, relay.Password = "press", "secret"
		var failed *mailer.DialError
		if _, err := mailer.Dial(t.Context(), relay); !errors.As(err, &failed) || failed.Reply.Text != "asked for "+want {
			t.Errorf("%s: %v, want %s", offered, err, want)
		}
	}
}

// TestSCRAMPlusDetectsAManInTheMiddle relays one TLS connection into another, with a certificate
// that the client trusts: the password is right, but the channel is another one.
func TestSCRAMPlusDetectsAManInTheMiddle(t *testing.T) {
	t.Parallel()
	cert := testkit.NewCertificate(t)
	wire := testkit.StartSMTPServer(t, sink.Options{TLS: cert.Server, Implicit: true, Users: map[string]string{"press": "secret"}, Mechanisms: "SCRAM-SHA-256-PLUS"})
	between, err := tls.Listen("tcp", "127.0.0.1:0", cert.Server)
	if err != nil {
		t.Fatal(err)
	}
	defer between.Close()
	go func() {
		for {
			conn, err := between.Accept()
			if err != nil {
				return
			}
			onward, err := tls.Dial("tcp", wire.Addr().String(), &tls.Config{RootCAs: cert.Roots, ServerName: "127.0.0.1"})
			if err != nil {
				t.Error(err)
				_ = conn.Close()
				return
			}
			go func() { _, _ = io.Copy(onward, conn); _ = onward.Close() }()
			go func() { _, _ = io.Copy(conn, onward); _ = conn.Close() }()
		}
	}()
	relay := plainRelay(wire.Port())
	relay.Security, relay.TLS = mailer.ImplicitTLS, &tls.Config{RootCAs: cert.Roots}
	relay.Username, relay.Password, relay.Auth = "press", "secret", mailer.AuthSCRAM
	sendOne(t, relay)
	relay.Port = between.Addr().(*net.TCPAddr).Port
	if _, err := mailer.Dial(t.Context(), relay); !errors.Is(err, mailer.ErrAuth) {
		t.Errorf("through a man in the middle: %v", err)
	}
}
