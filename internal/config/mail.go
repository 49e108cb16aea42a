package config

import "time"

// Mail holds the settings of all mails.
type Mail struct {
	// Domain of the return path, to which bounces go when something reads them (see `bounces`); the sender's when empty. It must belong to the sender's registered domain.
	ReturnPathDomain string `yaml:"return_path_domain"`
	// Postal address in each mail's footer; many countries require one.
	Postal string `yaml:"postal_address"`
	// Address of the list's owner (List-Owner); the sender's when empty.
	Owner string `yaml:"owner"`
	// Keys that sign mails. Two of one domain sign twice, for rotation or for RSA beside Ed25519.
	DKIM []DKIM `yaml:"dkim"`
	// Mailbox in which the test mails of `tidings doctor --send-to` arrive. It is only read.
	TestMailbox *TestMailbox `yaml:"test_mailbox"`
}

// TestMailbox is where test mails arrive.
type TestMailbox struct {
	// imap, pop3 or maildir.
	Protocol string `yaml:"protocol"`
	// Path of a Maildir, or name of an IMAP folder (INBOX when left out).
	Folder string `yaml:"folder"`
	// Host name of the server; a Maildir has none.
	Host string `yaml:"host"`
	// Port; the protocol's own when left out.
	Port int `yaml:"port"`
	// implicit, starttls or none; none only to this machine.
	TLS string `yaml:"tls"`
	// User name.
	Username string `yaml:"username"`
	// Password, best as ${TEST_MAILBOX_PASSWORD} from the environment.
	Password Secret `yaml:"password"`
	// File that holds the password.
	PasswordFile string `yaml:"password_file"`
}

// DKIM is one key that signs mails.
type DKIM struct {
	// Domain that signs; the sender's or one above it.
	Domain string `yaml:"domain"`
	// Selector: the DNS record of the key is at SELECTOR._domainkey.DOMAIN.
	Selector string `yaml:"selector"`
	// PEM file with the private key, RSA or Ed25519; "tidings dkim keygen" creates one.
	KeyFile string `yaml:"key_file"`
}

// Check says what is checked before an edition is sent, and what errors do.
type Check struct {
	// What errors do to an edition that no editor waived them for: block keeps it from being sent, harmful does so for editions without an editor only if the mail would break the law, be cut off or be empty, warn only reports them.
	Errors string `yaml:"errors"`
	// Whether links and images of other sites are requested.
	Links bool `yaml:"links"`
	// Whether they may have addresses that are not public, for a newsletter within a network.
	Intranet bool `yaml:"intranet"`
	// Address and port of a spamd, such as 127.0.0.1:783; empty for none.
	SpamAssassin string `yaml:"spamassassin"`
	// Address of an Rspamd, such as http://127.0.0.1:11333; empty for none.
	Rspamd string `yaml:"rspamd"`
}

// Delivery says how editions are sent.
type Delivery struct {
	// Uncertain mails after a crash: resend (with the same Message-ID), or hold until an editor decides.
	Uncertain string `yaml:"uncertain"`
	// How long an edition that an editor approves or sends waits before its first mail. Until then it can be undone; 0 sends at once. Editions that a schedule sends do not wait.
	Undo time.Duration `yaml:"undo"`
	// Whether the first edition or message to more than 1,000 subscribers is held until `tidings doctor` has run without errors, or an owner has let it pass. Once such an edition was sent, none is held.
	FirstSendCheck bool `yaml:"first_send_check"`
	// How long to retry a message that the server defers.
	RetryFor time.Duration `yaml:"retry_for"`
	// How many subscribers a node claims at once.
	Chunk int `yaml:"chunk"`
	// After this time without a heartbeat, other nodes take over a node's work. The nodes' clocks must differ by less.
	Lease time.Duration `yaml:"lease"`
	// Soft bounces in a row before a subscriber is suppressed.
	SoftLimit int `yaml:"soft_limit"`
	// Minimum number of days between the first and the last of them.
	SoftDays int `yaml:"soft_days"`
	// Editors are warned when so many percent of the recipients of an edition report it as spam; 0 for never.
	ComplaintsWarn float64 `yaml:"complaints_warn"`
	// An edition is paused when so many percent of the recipients of the digest's editions of the last 7 days, at least 5 people, report one as spam; 0 for never.
	ComplaintsStop float64 `yaml:"complaints_stop"`
	// An edition is paused when so many percent of its recipients, of 200 at least, do not exist; 0 for never.
	RefusalsStop float64 `yaml:"refusals_stop"`
}

// Bounces says where bounce mails and complaints arrive.
type Bounces struct {
	// Address and port to listen on for SMTP, such as :2525; empty for none.
	SMTP string `yaml:"smtp"`
	// Address and port to listen on for LMTP; empty for none.
	LMTP string `yaml:"lmtp"`
	// Further addresses that the listeners accept mail for, such as the one registered with a feedback loop. `abuse` and `postmaster` at the domains of return paths are always accepted.
	Addresses []string `yaml:"addresses"`
	// Whether another program reads the mail to return paths and unsubscribe addresses. If neither this nor a listener nor a mailbox is set, mails have no "mailto:" address for unsubscribing. If no webhook is set either, the return path of mails is the sender.
	ReadElsewhere bool `yaml:"read_elsewhere"`
	// Mailbox to poll.
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
	// Time between polls.
	Every time.Duration `yaml:"every"`
}

// Webhook takes bounce events from a mail service.
type Webhook struct {
	// Name in its address, /webhooks/NAME: lower-case letters, digits and hyphens.
	Name string `yaml:"name"`
	// ses, postmark, sendgrid, mailgun, brevo, mailjet, sparkpost, resend, mandrill or generic.
	Service string `yaml:"service"`
	// What its requests are signed or authenticated with.
	Secret Secret `yaml:"secret"`
}
