package config

import (
	"cmp"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
)

// SecurityWarnings returns warnings about secrets at risk: files that everyone on the machine can
// read, and passwords that are sent without TLS. Serve logs them at start.
func (c *Config) SecurityWarnings() []Problem {
	var out []Problem
	warn := func(key, what, fix string) { out = append(out, c.Problem(key, what, fix)) }
	c.warnFiles(warn)
	for i, r := range c.Relays {
		if r.Username != "" && r.Auth != "none" && !r.encrypted() && r.Socket == "" {
			warn(fmt.Sprintf("relays[%d].tls", i), "the password goes to "+r.Host+" without TLS, which is safe only on this machine", "use starttls or implicit")
		}
	}
	if m := c.Bounces.Mailbox; m != nil && m.TLS == "none" {
		warn("bounces.mailbox.tls", "the password goes to "+m.Host+" without TLS, which is safe only on this machine", "use implicit or starttls")
	}
	if m := c.Mail.TestMailbox; m != nil && m.TLS == "none" {
		warn("mail.test_mailbox.tls", "the password goes to "+m.Host+" without TLS, which is safe only on this machine", "use implicit or starttls")
	}
	if host, clear := c.Store.DSN.passwordInClear(); clear {
		warn("store.dsn", "the password may go to "+host+" without TLS", "add sslmode=verify-full or sslmode=require")
	}
	return out
}

// secretFile is a file with a secret, and the key that names it.
type secretFile struct{ key, path, holds string }

// warnFiles warns of files with secrets that everyone can read. Access of the group is allowed,
// since services often get their settings that way.
func (c *Config) warnFiles(warn func(key, what, fix string)) {
	readable := func(key, path, holds string) {
		info, err := os.Stat(path)
		if path != "" && err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o004 != 0 {
			warn(key, fmt.Sprintf("everyone on this machine can read %s, which holds %s", path, holds), "run chmod o-rwx "+path)
		}
	}
	if len(c.literals) > 0 {
		readable(c.literals[0], c.path, "the secret of "+strings.Join(c.literals, ", "))
	}
	for _, file := range c.secrets {
		readable(file.key, file.path, file.holds)
	}
	if path, isFile := strings.CutPrefix(c.Store.DSN.Reveal(), "sqlite:"); isFile {
		readable("store.dsn", strings.TrimPrefix(path, "//"), "the addresses of all subscribers and the keys of the site")
	}
}

// passwordInClear reports whether the password of a PostgreSQL store may be sent without TLS, and to
// which host. sslmode=prefer, the default, falls back to that.
func (d DSN) passwordInClear() (host string, clear bool) {
	u, err := url.Parse(d.Reveal())
	if err != nil || !strings.HasPrefix(u.Scheme, "postgres") || !d.hasPassword() {
		return "", false
	}
	switch u.Query().Get("sslmode") {
	case "require", "verify-ca", "verify-full":
		return "", false
	}
	host = cmp.Or(u.Query().Get("host"), u.Hostname()) // the parameter is stronger
	return host, host != "" && !strings.HasPrefix(host, "/") && !isLocal(host)
}

// isLocal reports whether a host is this machine: "localhost" or a loopback address.
func isLocal(host string) bool {
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
