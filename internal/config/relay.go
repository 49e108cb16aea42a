package config

import (
	"cmp"
	"fmt"
	"math"
	"net/netip"
	"regexp"
	"strings"

	"github.com/tidings-press/tidings/internal/warmup"
)

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
	// User name; empty for a relay without authentication.
	Username string `yaml:"username"`
	// Password, best as ${SMTP_PASSWORD} from the environment.
	Password Secret `yaml:"password"`
	// File that holds the password.
	PasswordFile string `yaml:"password_file"`
	// Name to give in EHLO: a host name or an address such as [192.0.2.1]; this machine's when empty.
	Helo string `yaml:"helo"`
	// Share of the mail in relation to the other relays; 0 for failover only.
	Weight int `yaml:"weight"`
	// Maximum number of connections, over all nodes; 0 lets the program find the number.
	Connections int `yaml:"connections"`
	// Fixed number of connections of each node; 0 lets the program find the number.
	ConnectionsPerNode int `yaml:"connections_per_node"`
	// Maximum number of mails per second, over all nodes; 0 for no limit.
	PerSecond float64 `yaml:"per_second"`
	// Maximum number of mails per hour, over all nodes; 0 for no limit.
	PerHour int `yaml:"per_hour"`
	// Warm-up of a new sender, over all nodes: the mails of the first day and the factor by which a day's number grows, such as "500/day x2" or "500/day x1.5 max 20000"; empty for none. See docs/delivery.md.
	Warmup string `yaml:"warmup"`
	// The same for the mails to each recipient domain.
	WarmupPerDomain string `yaml:"warmup_per_domain"`
	// Maximum number of mails over one connection; 0 for no limit.
	PerConnection int `yaml:"per_connection"`
	// Maximum size of a mail that it accepts; 0B for no limit.
	MaxSize Size `yaml:"max_size"`
	// Header lines for the mail service behind it, such as "X-PM-KeepID: true". Names begin with X-; {message_id} stands for the mail's Message-ID.
	ExtraHeaders []HeaderLine `yaml:"extra_headers"`
}

func (r *Relay) fill() {
	r.Name = cmp.Or(r.Name, r.Host, r.Socket)
	r.Protocol = cmp.Or(r.Protocol, "smtp")
	if r.Socket != "" {
		r.TLS = cmp.Or(r.TLS, "none")
	}
	r.TLS = cmp.Or(r.TLS, "starttls")
	r.Auth = cmp.Or(r.Auth, "auto")
	if r.Port == 0 && r.Socket == "" {
		r.Port = map[string]int{"starttls": 587, "implicit": 465}[r.TLS]
		r.Port = cmp.Or(r.Port, 25)
	}
}

// preset sets the default of a key for which 0 has a meaning of its own.
func (r *Relay) preset() { r.Weight = 1 }

// encrypted reports whether the connection always has TLS before a password is sent.
func (r *Relay) encrypted() bool { return r.TLS == "starttls" || r.TLS == "implicit" }

func (c *checker) relays() {
	names := map[string]string{}
	for i := range c.config.Relays {
		key, r := fmt.Sprintf("relays[%d]", i), &c.config.Relays[i]
		c.unique(key+".name", r.Name, names)
		c.relay(key, r)
		c.limits(key, r)
		c.password(key, &r.Password, r.PasswordFile)
		c.clearPassword(key, r)
		c.extraHeaders(key+".extra_headers", r.ExtraHeaders)
	}
}

func (c *checker) relay(key string, r *Relay) {
	switch {
	case r.Host == "" && r.Socket == "":
		c.wrong(key+".host", "it is missing", "write the server's name, or use socket with a path")
	case r.Host != "" && r.Socket != "":
		c.wrong(key+".socket", "host is set too", "remove one of the two")
	}
	c.hostOf(key+".host", r.Host)
	if r.Socket == "" {
		c.between(key+".port", r.Port, 1, math.MaxUint16)
	}
	c.oneOf(key+".protocol", r.Protocol, "smtp", "lmtp")
	c.oneOf(key+".tls", r.TLS, "starttls", "implicit", "opportunistic", "none")
	c.oneOf(key+".auth", r.Auth, "auto", "plain", "login", "scram", "xoauth2", "none")
	c.path(key+".ca_file", &r.CAFile, "name a PEM file with certificates")
	c.helo(key+".helo", r.Helo)
	if r.Username == "" && (r.Password != "" || r.PasswordFile != "") {
		c.wrong(key+".username", "a password is set without a username", "add the username")
	}
	if r.Username != "" && r.Password == "" && r.PasswordFile == "" {
		c.wrong(key+".password", "a username is set without a password", "add password: ${SMTP_PASSWORD}, or password_file")
	}
}

func (c *checker) limits(key string, r *Relay) {
	c.between(key+".weight", r.Weight, 0, 1000)
	c.between(key+".connections", r.Connections, 0, 10_000)
	c.between(key+".connections_per_node", r.ConnectionsPerNode, 0, 10_000)
	c.between(key+".per_hour", r.PerHour, 0, math.MaxInt32)
	for name, plan := range map[string]string{"warmup": r.Warmup, "warmup_per_domain": r.WarmupPerDomain} {
		if _, err := warmup.Parse(plan); err != nil {
			c.wrong(key+"."+name, err.Error(), "write for example 500/day x2, or leave it out")
		}
	}
	c.between(key+".per_connection", r.PerConnection, 0, math.MaxInt32)
	if r.PerSecond < 0 || r.PerSecond > 1e6 || math.IsNaN(r.PerSecond) {
		c.wrong(key+".per_second", "it is out of range", "use 0 (no limit) to 1000000")
	}
}

// clearPassword refuses settings that could send a password over a network without TLS (RFC 4954,
// section 4).
func (c *checker) clearPassword(key string, r *Relay) {
	if r.Username == "" || r.Auth == "none" || r.encrypted() || r.Socket != "" || isLocal(r.Host) {
		return
	}
	c.wrong(key+".tls", fmt.Sprintf("%q could send the password to %s without TLS", r.TLS, r.Host), "use starttls or implicit, or remove the username")
}

// hostName matches a host name for EHLO (RFC 5321, section 4.1.2).
var hostName = regexp.MustCompile(`^(?i)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*\.?$`)

func (c *checker) helo(key, value string) {
	literal, isLiteral := strings.CutPrefix(value, "[")
	literal, closed := strings.CutSuffix(literal, "]")
	_, err := netip.ParseAddr(strings.TrimPrefix(literal, "IPv6:"))
	switch {
	case value == "", isLiteral && closed && err == nil, !isLiteral && len(value) <= 253 && hostName.MatchString(value):
		return
	}
	c.wrong(key, fmt.Sprintf("%q is neither a host name nor an address in brackets", value), "use a name such as mail.example.org or an address such as [192.0.2.1]")
}

// extraHeader matches a header line for a mail service. Names without X- are not allowed, since
// receivers refuse mails with a second From or List-Unsubscribe.
var extraHeader = regexp.MustCompile(`^(?i)X-[a-z0-9-]{1,70}: [ -~]{1,400}$`)

func (c *checker) extraHeaders(key string, lines []HeaderLine) {
	names := map[string]bool{}
	for i, line := range lines {
		name, _, _ := strings.Cut(strings.ToLower(line.Reveal()), ":")
		switch at := fmt.Sprintf("%s[%d]", key, i); {
		case !extraHeader.MatchString(line.Reveal()): // without its value, which may be a token
			c.wrong(at, fmt.Sprintf("%q is not a header line of a mail service", line), `write "X-NAME: VALUE" in ASCII, such as "X-PM-KeepID: true"`)
		case names[name]:
			c.wrong(at, fmt.Sprintf("there are two headers %q", name), "remove one")
		}
		names[name] = true
	}
}
