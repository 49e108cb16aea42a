package mailer_test

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/sink"
	"github.com/tidings-press/tidings/mailer"
)

func sendOne(t *testing.T, relay mailer.Relay) {
	t.Helper()
	for i, o := range send(t.Context(), dial(t, relay), envelopesTo(2)) {
		if o.class != mailer.Accepted {
			t.Errorf("mail %d: %v", i, o)
		}
	}
}

func TestDialReachesServersOfAllKinds(t *testing.T) {
	t.Parallel()
	cert := testkit.NewCertificate(t)
	users := map[string]string{"press": "pässword"}
	socket, path := testkit.ListenUnix(t)
	lmtp, lmtpPath := testkit.ListenUnix(t)
	for name, test := range map[string]struct {
		inbox testkit.InboxOptions
		relay mailer.Relay
	}{
		"plain":               {testkit.InboxOptions{}, mailer.Relay{Security: mailer.NoTLS}},
		"STARTTLS":            {testkit.InboxOptions{Certificate: &cert}, mailer.Relay{}},
		"implicit TLS":        {testkit.InboxOptions{Certificate: &cert, Implicit: true}, mailer.Relay{Security: mailer.ImplicitTLS}},
		"opportunistic":       {testkit.InboxOptions{Certificate: &cert}, mailer.Relay{Security: mailer.Opportunistic}},
		"opportunistic, none": {testkit.InboxOptions{}, mailer.Relay{Security: mailer.Opportunistic}},
		"AUTH over STARTTLS":  {testkit.InboxOptions{Certificate: &cert, Users: users}, mailer.Relay{Username: "press", Password: "pässword"}},
		"AUTH PLAIN by name":  {testkit.InboxOptions{Certificate: &cert, Users: users}, mailer.Relay{Username: "press", Password: "pässword", Auth: mailer.AuthPlain}},
		"Unix socket":         {testkit.InboxOptions{Listener: socket}, mailer.Relay{Socket: path}},
		"LMTP, Unix socket":   {testkit.InboxOptions{Listener: lmtp, LMTP: true}, mailer.Relay{Socket: lmtpPath, Protocol: mailer.LMTP}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inbox := testkit.StartInbox(t, test.inbox)
			relay := test.relay
			relay.TLS = &tls.Config{RootCAs: cert.Roots}
			if relay.Socket == "" {
				relay.Host, relay.Port = "127.0.0.1", inbox.Port()
			}
			sendOne(t, relay)
			if n := len(inbox.Mails()); n != 2 {
				t.Errorf("%d mails arrived, want 2", n)
			}
		})
	}
}

func TestMechanisms(t *testing.T) {
	t.Parallel()
	cert := testkit.NewCertificate(t)
	wire := testkit.StartSMTPServer(t, sink.Options{TLS: cert.Server, Users: map[string]string{"press": "sécret"}})
	for _, mechanism := range []mailer.Mechanism{mailer.AuthAuto, mailer.AuthPlain, mailer.AuthLogin, mailer.AuthSCRAM, mailer.AuthXOAuth2} {
		relay := plainRelay(wire.Port())
		relay.Security, relay.TLS = mailer.StartTLS, &tls.Config{RootCAs: cert.Roots}
		relay.Username, relay.Password, relay.Auth = "press", "sécret", mechanism
		sendOne(t, relay)
		relay.Password = "wrong"
		_, err := mailer.Dial(t.Context(), relay)
		var failed *mailer.DialError
		if !errors.As(err, &failed) || !errors.Is(err, mailer.ErrAuth) || failed.Reply.Code != 535 || failed.Temporary() {
			t.Errorf("%s with a wrong password: %v", mechanism, err)
		}
	}
}

func TestDialErrorsNameTheCause(t *testing.T) {
	t.Parallel()
	cert, other := testkit.NewCertificate(t), testkit.NewCertificate(t)
	users := map[string]string{"press": "secret"}
	at := func(stage sink.Stage, do sink.Action, reply string) []sink.Fault {
		return []sink.Fault{{At: stage, Do: do, Reply: reply}}
	}
	for name, test := range map[string]struct {
		opts      sink.Options
		change    func(*mailer.Relay)
		kind      error
		code      int
		temporary bool
	}{
		"banner 554":     {opts: sink.Options{Faults: at(sink.AtBanner, sink.SendReply, "554 5.7.1 blocked")}, kind: mailer.ErrGreeting, code: 554, temporary: true},
		"banner 421":     {opts: sink.Options{Faults: at(sink.AtBanner, sink.SendReply, "421 4.3.2 busy")}, kind: mailer.ErrGreeting, code: 421, temporary: true},
		"banner cut":     {opts: sink.Options{Faults: at(sink.AtBanner, sink.Cut, "")}, kind: mailer.ErrGreeting, temporary: true},
		"banner silence": {opts: sink.Options{Faults: at(sink.AtBanner, sink.Hang, "")}, kind: mailer.ErrGreeting, temporary: true},
		"EHLO 550":       {opts: sink.Options{Faults: at(sink.AtHello, sink.SendReply, "550 no")}, kind: mailer.ErrGreeting, code: 550, temporary: true},
		"EHLO cut":       {opts: sink.Options{Faults: at(sink.AtHello, sink.Cut, "")}, kind: mailer.ErrGreeting, temporary: true},
		"no STARTTLS":    {change: func(r *mailer.Relay) { r.Security = mailer.StartTLS }, kind: mailer.ErrTLS},
		"STARTTLS 454": {opts: sink.Options{TLS: cert.Server, Faults: at(sink.AtStartTLS, sink.SendReply, "454 4.7.0 not now")},
			change: func(r *mailer.Relay) { r.Security = mailer.StartTLS }, kind: mailer.ErrTLS, code: 454, temporary: true},
		"STARTTLS cut": {opts: sink.Options{TLS: cert.Server, Faults: at(sink.AtStartTLS, sink.Cut, "")},
			change: func(r *mailer.Relay) { r.Security = mailer.StartTLS }, kind: mailer.ErrTLS, temporary: true},
		"wrong certificate": {opts: sink.Options{TLS: other.Server},
			change: func(r *mailer.Relay) { r.Security = mailer.StartTLS }, kind: mailer.ErrCertificate},
		"wrong name": {opts: sink.Options{TLS: cert.Server}, change: func(r *mailer.Relay) {
			r.Security, r.TLS.ServerName = mailer.StartTLS, "mail.example.org"
		}, kind: mailer.ErrCertificate},
		"wrong certificate, implicit": {opts: sink.Options{TLS: other.Server, Implicit: true},
			change: func(r *mailer.Relay) { r.Security = mailer.ImplicitTLS }, kind: mailer.ErrCertificate},
		"no common version": {opts: sink.Options{TLS: &tls.Config{Certificates: cert.Server.Certificates, MinVersion: tls.VersionTLS13}},
			change: func(r *mailer.Relay) { r.Security, r.TLS.MaxVersion = mailer.StartTLS, tls.VersionTLS12 }, kind: mailer.ErrTLS},
		"a client certificate is wanted": {opts: sink.Options{TLS: &tls.Config{Certificates: cert.Server.Certificates, ClientAuth: tls.RequireAnyClientCert, MaxVersion: tls.VersionTLS12}},
			change: func(r *mailer.Relay) { r.Security = mailer.StartTLS }, kind: mailer.ErrTLS},
		"AUTH cut": {opts: sink.Options{Users: map[string]string{"press": "secret"}, Faults: at(sink.AtAuth, sink.Cut, "")},
			change: func(r *mailer.Relay) { r.Username, r.Password, r.Auth = "press", "secret", mailer.AuthPlain }, kind: mailer.ErrAuth, temporary: true},
		"no TLS where implicit": {change: func(r *mailer.Relay) { r.Security = mailer.ImplicitTLS }, kind: mailer.ErrTLS},
		"wrong password": {opts: sink.Options{Users: users},
			change: func(r *mailer.Relay) { r.Username, r.Password = "press", "wrong" }, kind: mailer.ErrAuth, code: 535},
		"AUTH 454": {opts: sink.Options{Users: users, Faults: at(sink.AtAuth, sink.SendReply, "454 4.7.0 not now")},
			change: func(r *mailer.Relay) { r.Username = "press" }, kind: mailer.ErrAuth, code: 454, temporary: true},
		"no AUTH": {change: func(r *mailer.Relay) { r.Username = "press" }, kind: mailer.ErrAuth},
		"no such mechanism": {opts: sink.Options{Users: users},
			change: func(r *mailer.Relay) { r.Username, r.Auth = "press", mailer.AuthSCRAM }, kind: mailer.ErrAuth},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wire := testkit.StartSMTPServer(t, test.opts)
			relay := plainRelay(wire.Port())
			if name == "banner silence" {
				relay.Timeouts.Connect = 300 * time.Millisecond
			}
			relay.TLS = &tls.Config{RootCAs: cert.Roots}
			if test.change != nil {
				test.change(&relay)
			}
			_, err := mailer.Dial(t.Context(), relay)
			var failed *mailer.DialError
			if !errors.As(err, &failed) || !errors.Is(err, test.kind) {
				t.Fatalf("%v, want %v", err, test.kind)
			}
			if failed.Reply.Code != test.code || failed.Temporary() != test.temporary {
				t.Errorf("%v: reply %q, temporary %v, want %d and %v", err, failed.Reply, failed.Temporary(), test.code, test.temporary)
			}
		})
	}
}

func TestDialToAClosedPortIsTemporary(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	_ = listener.Close()
	_, err = mailer.Dial(t.Context(), plainRelay(port))
	var failed *mailer.DialError
	if !errors.As(err, &failed) || !errors.Is(err, mailer.ErrDial) || !failed.Temporary() {
		t.Errorf("%v", err)
	}
}

func TestDialStopsWithItsContext(t *testing.T) {
	t.Parallel()
	wire := testkit.StartSMTPServer(t, sink.Options{Faults: []sink.Fault{{At: sink.AtHello, Do: sink.Hang}}})
	relay := plainRelay(wire.Port())
	relay.Timeouts.Connect = time.Hour // so that the test would hang
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := mailer.Dial(ctx, relay); err == nil {
		t.Error("a connection was made without a greeting")
	}
}

func TestPasswordsAreNotSentInTheClear(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "0.0.0.0:0") // reached by an address that is not the loopback's
	if err != nil {
		t.Fatal(err)
	}
	wire := testkit.StartSMTPServerOn(t, listener, sink.Options{Users: map[string]string{"press": "secret"}})
	relay := plainRelay(wire.Port())
	relay.Username, relay.Password = "press", "secret"
	if _, err := mailer.Dial(t.Context(), relay); err != nil {
		t.Errorf("to localhost: %v", err)
	}
	relay.Host = "0.0.0.0"
	// The server offers no STARTTLS, as when a man in the middle removes it from the reply. The
	// client does not even answer the challenge of SCRAM, since the answer could be used to guess
	// the password.
	for _, security := range []mailer.Security{mailer.NoTLS, mailer.Opportunistic} {
		for _, mechanism := range []mailer.Mechanism{mailer.AuthAuto, mailer.AuthPlain, mailer.AuthLogin, mailer.AuthSCRAM, mailer.AuthXOAuth2} {
			relay.Auth, relay.Security = mechanism, security
			var failed *mailer.DialError
			if _, err := mailer.Dial(t.Context(), relay); !errors.As(err, &failed) || !errors.Is(err, mailer.ErrAuth) || failed.Reply.Code != 0 || failed.Temporary() {
				t.Errorf("%s with tls %s to another host: %v, want %v before anything is sent", mechanism, security, err, mailer.ErrAuth)
			}
		}
	}
	relay.Security = mailer.StartTLS
	if _, err := mailer.Dial(t.Context(), relay); !errors.Is(err, mailer.ErrTLS) {
		t.Errorf("without the STARTTLS that is required: %v, want %v", err, mailer.ErrTLS)
	}
}

// scriptedServer gives fixed replies, in forms that a well-behaved server does not use.
type scriptedServer struct {
	banner, ehlo, ok, auth string
	tls                    *tls.Config
	afterTLS               string // sent in the clear in one write with the reply to STARTTLS
}

// start serves connections until the test ends; encrypted receives for each MAIL whether it came
// over TLS.
func (s scriptedServer) start(t *testing.T) (port int, encrypted <-chan bool) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	mails := make(chan bool, 10)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go s.serve(conn, mails)
		}
	}()
	return listener.Addr().(*net.TCPAddr).Port, mails
}

func (s scriptedServer) serve(conn net.Conn, mails chan<- bool) {
	defer func() { _ = conn.Close() }()
	_, encrypted := conn.(*tls.Conn)
	if !encrypted {
		_, _ = io.WriteString(conn, s.banner)
	}
	lines := bufio.NewScanner(conn)
	for lines.Scan() {
		verb, _, _ := strings.Cut(strings.ToUpper(lines.Text()), " ")
		reply := s.ok
		switch verb {
		case "EHLO":
			reply = s.ehlo
		case "STARTTLS":
			_, _ = io.WriteString(conn, "220 go ahead\r\n"+s.afterTLS)
			s.serve(tls.Server(conn, s.tls), mails)
			return
		case "AUTH":
			reply = s.auth
		case "MAIL":
			mails <- encrypted
		case "DATA":
			reply = "354\r\n"
		case "QUIT":
			return
		}
		_, _ = io.WriteString(conn, reply)
	}
}

func TestServersOfUnusualFormAreUnderstood(t *testing.T) {
	t.Parallel()
	cert := testkit.NewCertificate(t)
	for name, test := range map[string]struct {
		server   scriptedServer
		security mailer.Security
		username string
		wantTLS  bool
	}{
		"starttls in lower case, opportunistic": {scriptedServer{ehlo: "250-mx\r\n250-starttls\r\n250 pipelining\r\n", tls: cert.Server}, mailer.Opportunistic, "", true},
		"Starttls in mixed case, required":      {scriptedServer{ehlo: "250-mx\r\n250 StartTls\r\n", tls: cert.Server}, mailer.StartTLS, "", true},
		"a host that is called starttls":        {scriptedServer{ehlo: "250-STARTTLS\r\n250 SIZE\r\n"}, mailer.Opportunistic, "", false},
		"replies of three digits":               {scriptedServer{banner: "220\r\n", ehlo: "250\r\n", ok: "250\r\n"}, mailer.NoTLS, "", false},
		"a banner of several lines":             {scriptedServer{banner: "220-mx.example ESMTP\r\n220-No spam here\r\n220 ready\r\n", ehlo: "250 mx\r\n"}, mailer.NoTLS, "", false},
		"line ends without CR":                  {scriptedServer{banner: "220-mx\n220 ready\n", ehlo: "250-mx\n250 size 1000000\n", ok: "250 ok\n"}, mailer.NoTLS, "", false},
		"auth in lower case":                    {scriptedServer{ehlo: "250-mx\r\n250 auth plain login\r\n", auth: "235\r\n"}, mailer.NoTLS, "press", false},
		"AUTH=PLAIN":                            {scriptedServer{ehlo: "250-mx\r\n250-AUTH=PLAIN\r\n250 PIPELINING\r\n", auth: "235 2.7.0 ok\r\n"}, mailer.NoTLS, "press", false},
		"no EHLO":                               {scriptedServer{ehlo: "500 5.5.1 command unrecognized\r\n"}, mailer.NoTLS, "", false},
		"a name in Latin-1":                     {scriptedServer{ehlo: "250-mx gr\xfc\xdf Gott\r\n250 SIZE\r\n"}, mailer.NoTLS, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := test.server
			server.banner, server.ok = cmp.Or(server.banner, "220 mx ESMTP\r\n"), cmp.Or(server.ok, "250 2.0.0 ok\r\n")
			port, mails := server.start(t)
			relay := plainRelay(port)
			relay.Security, relay.Username, relay.TLS = test.security, test.username, &tls.Config{RootCAs: cert.Roots}
			conn, err := mailer.Dial(t.Context(), relay)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			if err := conn.SendEnvelope(t.Context(), mailer.Envelope{From: "a@example.org", To: "b@example.org"}); err != nil {
				t.Fatal(err)
			}
			if reply, err := conn.AwaitReady(t.Context()); err != nil || reply.Code != 354 {
				t.Errorf("%q, %v; want 354", reply, err)
			}
			if encrypted := <-mails; encrypted != test.wantTLS {
				t.Errorf("the mail was sent with TLS: %v, want %v", encrypted, test.wantTLS)
			}
		})
	}
}

// TestDataBeforeTheHandshakeIsRefused has a man in the middle who appends a reply to the one to
// STARTTLS, so that the client would take it for a reply over TLS.
func TestDataBeforeTheHandshakeIsRefused(t *testing.T) {
	t.Parallel()
	cert := testkit.NewCertificate(t)
	server := scriptedServer{banner: "220 mx\r\n", ehlo: "250-mx\r\n250 STARTTLS\r\n", tls: cert.Server, afterTLS: "250 mx\r\n"}
	port, _ := server.start(t)
	relay := plainRelay(port)
	relay.Security, relay.TLS = mailer.StartTLS, &tls.Config{RootCAs: cert.Roots}
	if _, err := mailer.Dial(t.Context(), relay); !errors.Is(err, mailer.ErrTLS) {
		t.Errorf("%v, want %v", err, mailer.ErrTLS)
	}
}
