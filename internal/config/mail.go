package config

import "time"

// Mail is what holds for all mails.
type Mail struct {
	// Domain of the return path, where bounces go, when something reads them (see `bounces`); the sender's when empty. It must belong to the sender's registered domain.
	ReturnPathDomain string `yaml:"return_path_domain"`
	// Postal address in each mail's footer; many countries ask for one.
	Postal string `yaml:"postal_address"`
	// Address of who runs the list (List-Owner); the sender's when empty.
	Owner string `yaml:"owner"`
	// Keys that sign mails. Two of one domain sign twice, for rotation or for RSA beside Ed25519.
	DKIM []DKIM `yaml:"dkim"`
}

// DKIM is one key that signs mails.
type DKIM struct {
	// Domain that signs; the sender's or one above it.
	Domain string `yaml:"domain"`
	// Selector: the key stands in DNS at SELECTOR._domainkey.DOMAIN.
	Selector string `yaml:"selector"`
	// PEM file with the private key, RSA or Ed25519; "tidings dkim keygen" makes one.
	KeyFile string `yaml:"key_file"`
}

// Relay is an SMTP server that mail is handed to.
type Relay struct {
	// Name in logs and on pages.
	Name string `yaml:"name"`
	// Host name of the server.
	Host string `yaml:"host"`
	// Port; by default 587 with starttls, 465 with implicit, 25 otherwise.
	Port int `yaml:"port"`
	// smtp or lmtp.
	Protocol string `yaml:"protocol"`
	// Unix socket in place of host and port.
	Socket string `yaml:"socket"`
	// starttls (required), implicit, opportunistic (only when offered), or none. A password needs one of the first two, except to this machine.
	TLS string `yaml:"tls"`
	// PEM file with certificates to trust besides the system's.
	CAFile string `yaml:"ca_file"`
	// auto, plain, login, scram, xoauth2 or none.
	Auth string `yaml:"auth"`
	// User name; none for a relay that asks for none.
	Username string `yaml:"username"`
	// Password, best as ${SMTP_PASSWORD} from the environment.
	Password Secret `yaml:"password"`
	// File that holds the password.
	PasswordFile string `yaml:"password_file"`
	// Name that we greet with: a host name or an address such as [192.0.2.1]; this machine's when empty.
	Helo string `yaml:"helo"`
	// Share of the mail beside other relays; 0 is for failover only.
	Weight int `yaml:"weight"`
	// Most connections at once over all nodes; 0 for as many as help.
	Connections int `yaml:"connections"`
	// Connections that each node opens and keeps to; 0 for as many as help.
	ConnectionsPerNode int `yaml:"connections_per_node"`
	// Most mails per second over all nodes; 0 for no limit.
	PerSecond float64 `yaml:"per_second"`
	// Most mails per hour over all nodes; 0 for no limit.
	PerHour int `yaml:"per_hour"`
	// Mails over one connection before it is opened anew; 0 for no limit.
	PerConnection int `yaml:"per_connection"`
	// Largest mail that it takes; 0B for no limit.
	MaxSize Size `yaml:"max_size"`
	// Header lines for the mail service behind it, such as "X-PM-KeepID: true". Names begin with X-; {message_id} stands for the mail's Message-ID.
	ExtraHeaders []HeaderLine `yaml:"extra_headers"`
}

// Delivery is how editions are sent.
type Delivery struct {
	// Mails in doubt after a crash: resend (with the same Message-ID), or hold until an editor decides.
	Uncertain string `yaml:"uncertain"`
	// How long a mail is tried that a server puts off.
	RetryFor time.Duration `yaml:"retry_for"`
	// Subscribers that a node claims at once.
	Chunk int `yaml:"chunk"`
	// How long a node that falls silent keeps its work from the others; the nodes' clocks must agree better than that.
	Lease time.Duration `yaml:"lease"`
	// Soft bounces in a row before a subscriber is suppressed.
	SoftLimit int `yaml:"soft_limit"`
	// Days that these must span at least.
	SoftDays int `yaml:"soft_days"`
}

// Bounces is where bounce mails and complaints come in.
type Bounces struct {
	// Address and port to listen on for SMTP, such as :2525; empty for none.
	SMTP string `yaml:"smtp"`
	// Address and port to listen on for LMTP; empty for none.
	LMTP string `yaml:"lmtp"`
	// Further addresses that the listeners take mail for, such as one that a feedback loop was told. Those of `abuse` and `postmaster` at the domains of return paths are taken anyway.
	Addresses []string `yaml:"addresses"`
	// Another program reads the mail to return paths and unsubscribe addresses. Without it, a listener or a mailbox, mails go out without a "mailto:" to unsubscribe; without a webhook too, their return path is the sender.
	ReadElsewhere bool `yaml:"read_elsewhere"`
	// Mailbox that is polled.
	Mailbox *Mailbox `yaml:"mailbox"`
	// Mail services that report by HTTP.
	Webhooks []Webhook `yaml:"webhooks"`
}

// Mailbox is polled for bounce mails.
type Mailbox struct {
	// imap or pop3.
	Protocol string `yaml:"protocol"`
	// Host name of the server.
	Host string `yaml:"host"`
	// Port; the protocol's own when left out.
	Port int `yaml:"port"`
	// implicit, starttls or none; none only to this machine.
	TLS string `yaml:"tls"`
	// User name.
	Username string `yaml:"username"`
	// Password, best as ${BOUNCE_PASSWORD} from the environment.
	Password Secret `yaml:"password"`
	// File that holds the password.
	PasswordFile string `yaml:"password_file"`
	// How often it is polled.
	Every time.Duration `yaml:"every"`
}

// Webhook takes bounce events from a mail service.
type Webhook struct {
	// Name in its address, /webhooks/NAME: lower-case letters, digits and hyphens.
	Name string `yaml:"name"`
	// ses, postmark, sendgrid or generic.
	Service string `yaml:"service"`
	// What its requests are signed or authenticated with.
	Secret Secret `yaml:"secret"`
}
