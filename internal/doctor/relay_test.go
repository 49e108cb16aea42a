package doctor

import (
	"crypto/tls"
	"net"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/sink"
	"github.com/tidings-press/tidings/mailer"
)

func relayAt(port int) mailer.Relay {
	return mailer.Relay{Name: "out", Host: "127.0.0.1", Port: port, Security: mailer.NoTLS}
}

func TestRelayIsCheckedWithoutSending(t *testing.T) {
	t.Parallel()
	certificate := testkit.NewCertificate(t)
	server := testkit.StartSMTPServer(t, sink.Options{TLS: certificate.Server, Users: map[string]string{"press": "secret"}, Size: 1 << 20})
	relay := relayAt(server.Port())
	relay.Security, relay.TLS, relay.Username, relay.Password = mailer.StartTLS, &tls.Config{RootCAs: certificate.Roots}, "press", "secret"
	o := &Options{Config: config.Default(), Relays: []mailer.Relay{relay}, Now: func() time.Time { return time.Now().AddDate(0, -1, 0) }}
	want(t, o, "relay", OK, "signed in as press")
	want(t, o, "relay", OK, "TLS 1.3, certificate valid until")
	o.Now = time.Now // the certificate is valid for a day
	want(t, o, "relay", Warning, "the certificate of relay out ends")
	o.MaxSizes = []int64{2 << 20}
	want(t, o, "relay", Warning, "max_size of relay out is 2.0 MB")
	o.MaxSizes = []int64{1 << 10}
	want(t, o, "relay", Error, "max_size of relay out")
	o.Relays[0].Password = "wrong"
	want(t, o, "relay", Error, "authentication refused")
	o.Relays[0].TLS = nil
	want(t, o, "relay", Error, "certificate refused")
	if n := len(server.Mails()); n > 0 {
		t.Errorf("the check sent %d mails", n)
	}
}

func TestUnusableRelaysAreErrors(t *testing.T) {
	t.Parallel()
	small := testkit.StartSMTPServer(t, sink.Options{Size: 1 << 10})
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := closed.Addr().(*net.TCPAddr).Port
	_ = closed.Close()
	o := &Options{Config: config.Default(), Relays: []mailer.Relay{relayAt(small.Port())}}
	want(t, o, "relay", Error, "takes mails of up to 0.0 MB")
	want(t, o, "relay", OK, "no TLS, on this machine")
	o.Relays[0].Security = mailer.StartTLS
	want(t, o, "relay", Error, "does not offer STARTTLS")
	o.Relays = []mailer.Relay{relayAt(port)}
	want(t, o, "relay", Error, "cannot connect")
	o.Relays = nil
	want(t, o, "relay", Error, "no relay")
	if f := tlsFindings(o, mailer.Relay{Name: "far", Host: "mail.example.test"}, nil); f[0].Severity != Warning {
		t.Errorf("a connection without TLS over a network is %+v", f)
	}
}
