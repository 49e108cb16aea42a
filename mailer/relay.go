package mailer

import (
	"cmp"
	"crypto/tls"
	"net"
	"strconv"
	"time"
)

// Protocol is the protocol of a relay.
type Protocol string

// The protocols. The empty one is SMTP.
const (
	SMTP Protocol = "smtp"
	LMTP Protocol = "lmtp" // RFC 2033
)

// Security is how a connection is encrypted.
type Security string

// The values of Security. Empty means StartTLS, or NoTLS for a Unix socket.
const (
	StartTLS      Security = "starttls"      // STARTTLS is required
	ImplicitTLS   Security = "implicit"      // TLS from the first byte, RFC 8314
	Opportunistic Security = "opportunistic" // STARTTLS if offered, else no TLS
	NoTLS         Security = "none"
)

// Mechanism is a SASL mechanism.
type Mechanism string

// The mechanisms. Empty means AuthAuto if there is a user name, else AuthNone.
const (
	AuthAuto    Mechanism = "auto" // the strongest that the relay offers
	AuthPlain   Mechanism = "plain"
	AuthLogin   Mechanism = "login"
	AuthSCRAM   Mechanism = "scram" // SHA-256 before SHA-1, with channel binding if possible
	AuthXOAuth2 Mechanism = "xoauth2"
	AuthNone    Mechanism = "none"
)

// Relay is the address and the settings of an SMTP server that mail is sent through.
type Relay struct {
	Name     string // for errors and logs
	Host     string
	Port     int
	Socket   string // path of a Unix socket, in place of Host and Port
	Protocol Protocol
	Security Security
	TLS      *tls.Config // roots and the like; nil for the system's. ServerName is set from Host
	Auth     Mechanism
	Username string
	Password string // or the token for XOAUTH2
	Helo     string // the name sent with EHLO; "localhost" if empty
	Timeouts Timeouts
	// NoPipelining sends one command at a time even if the relay offers PIPELINING.
	NoPipelining bool
}

// Timeouts bound the steps of the SMTP dialogue. Zero values mean the defaults, which for commands
// and replies are those of RFC 5321, section 4.5.3.2. A shorter Final causes duplicates: the server
// may accept a mail after the client has given up.
type Timeouts struct {
	Connect time.Duration // connection, greeting, TLS and AUTH each; 30 s
	Command time.Duration // MAIL, RCPT and DATA; 5 min
	Body    time.Duration // writing the body; 3 min
	Final   time.Duration // the reply after the final dot; 10 min
}

// withDefaults returns the relay with defaults in place of empty settings.
func (r Relay) withDefaults() Relay {
	r.Protocol = cmp.Or(r.Protocol, SMTP)
	if r.Security == "" && r.Socket != "" {
		r.Security = NoTLS
	}
	r.Security = cmp.Or(r.Security, StartTLS)
	if r.Username == "" {
		r.Auth = AuthNone
	}
	r.Auth = cmp.Or(r.Auth, AuthAuto)
	r.Helo = cmp.Or(r.Helo, "localhost")
	if r.Socket != "" {
		r.Host = cmp.Or(r.Host, "localhost")
	}
	r.Timeouts = r.Timeouts.withDefaults()
	r.TLS = r.tlsConfig()
	return r
}

func (r Relay) tlsConfig() *tls.Config {
	config := &tls.Config{}
	if r.TLS != nil {
		config = r.TLS.Clone()
	}
	config.ServerName = cmp.Or(config.ServerName, r.Host)
	config.MinVersion = max(config.MinVersion, tls.VersionTLS12)
	return config
}

// label names the relay in errors.
func (r Relay) label() string {
	return cmp.Or(r.Name, r.Socket, net.JoinHostPort(r.Host, strconv.Itoa(r.Port)))
}

func (t Timeouts) withDefaults() Timeouts {
	return Timeouts{
		Connect: cmp.Or(t.Connect, 30*time.Second),
		Command: cmp.Or(t.Command, 5*time.Minute),
		Body:    cmp.Or(t.Body, 3*time.Minute),
		Final:   cmp.Or(t.Final, 10*time.Minute),
	}
}
