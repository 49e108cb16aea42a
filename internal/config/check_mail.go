package config

import (
	"fmt"
	"math"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/subscriber"
)

func (c *checker) mail() {
	m := &c.config.Mail
	c.domain("mail.return_path_domain", m.ReturnPathDomain)
	c.mailbox("mail.owner", m.Owner)
	selectors := map[string]string{}
	for i := range m.DKIM {
		key, k := fmt.Sprintf("mail.dkim[%d]", i), &m.DKIM[i]
		c.required(key+".domain", k.Domain, "write the domain of the senders")
		c.domain(key+".domain", k.Domain)
		c.required(key+".selector", k.Selector, "write a word such as 2026a")
		c.selector(key+".selector", k.Selector)
		c.unique(key+".selector", k.Selector+"._domainkey."+k.Domain, selectors)
		c.required(key+".key_file", k.KeyFile, `create the file with "tidings dkim keygen"`)
		c.path(key+".key_file", &k.KeyFile, `create the file with "tidings dkim keygen"`)
		c.config.secrets = append(c.config.secrets, secretFile{key + ".key_file", k.KeyFile, "a private key"})
	}
	if m.TestMailbox != nil {
		c.testMailbox(m.TestMailbox)
	}
}

// selector checks a DKIM selector.
func (c *checker) selector(key, value string) {
	if value == "" || IsSelector(value) {
		return
	}
	fix := "use lower-case letters, digits and hyphens, such as 2026a"
	if before, _, found := strings.Cut(value, "._domainkey"); found {
		fix = "write only " + before
	}
	c.wrong(key, fmt.Sprintf("%q is not a DKIM selector", value), fix)
}

// IsSelector reports whether a text is a DKIM selector: labels with dots between them (RFC 6376, section
// 3.1), in lower case.
func IsSelector(text string) bool {
	return hostName.MatchString(text) && strings.ToLower(text) == text && !strings.HasSuffix(text, ".")
}

func (c *checker) domain(key, value string) {
	if value == "" {
		return
	}
	if _, err := subscriber.ParseAddress("a@" + value); err != nil {
		c.wrong(key, fmt.Sprintf("%q is not a domain", value), "use a domain such as example.org")
	}
}

// password reads a password_file into the password.
func (c *checker) password(key string, password *Secret, file string) {
	c.secretFromFile(key, "password", password, file, "a password")
}

// secretFromFile reads the file of the key name_file into the secret of the key name. what is what the
// file contains.
func (c *checker) secretFromFile(key, name string, secret *Secret, file, what string) {
	if file == "" {
		return
	}
	at := key + "." + name + "_file"
	if *secret != "" {
		c.wrong(at, name+" is set too", "remove one of the two")
		return
	}
	path := c.relative(file)
	c.config.secrets = append(c.config.secrets, secretFile{at, path, what})
	data, err := os.ReadFile(path)
	if err != nil {
		c.wrong(at, errorText(err), "name a file that this user can read")
		return
	}
	text := strings.TrimRight(string(data), "\r\n")
	if text == "" || len(text) > 4096 || strings.ContainsAny(text, "\r\n\x00") {
		c.wrong(at, path+" does not contain "+what, "write the "+strings.TrimPrefix(what, "a ")+" into it, in one line")
		return
	}
	*secret = Secret(text)
}

func (c *checker) delivery() {
	d := c.config.Delivery
	c.oneOf("delivery.uncertain", d.Uncertain, "resend", "hold")
	c.notNegative("delivery.retry_for", d.RetryFor)
	if d.Undo < 0 || d.Undo > time.Hour {
		c.wrong("delivery.undo", "it is out of range", "use 0s to 1h, such as 30s")
	}
	c.between("delivery.chunk", d.Chunk, 1, 100_000)
	if d.Lease < time.Second || d.Lease > time.Hour {
		c.wrong("delivery.lease", "it is out of range", "use 1s to 1h, such as 10s")
	}
	c.between("delivery.soft_limit", d.SoftLimit, 1, 1000)
	c.between("delivery.soft_days", d.SoftDays, 0, 365)
	for key, value := range map[string]float64{"complaints_warn": d.ComplaintsWarn, "complaints_stop": d.ComplaintsStop, "refusals_stop": d.RefusalsStop} {
		if !(value >= 0 && value <= 100) {
			c.wrong("delivery."+key, "it is out of range", "use a percentage from 0 (off) to 100, such as 0.3")
		}
	}
}

func (c *checker) checks() {
	check := c.config.Check
	c.oneOf("check.errors", check.Errors, "block", "harmful", "warn")
	if check.SpamAssassin != "" {
		c.listen("check.spamassassin", check.SpamAssassin)
	}
	if check.Rspamd != "" {
		c.address("check.rspamd", check.Rspamd)
	}
}

func (c *checker) bounces() {
	b := &c.config.Bounces
	for key, address := range map[string]string{"bounces.smtp": b.SMTP, "bounces.lmtp": b.LMTP} {
		if address != "" {
			c.listen(key, address)
		}
	}
	for i, address := range b.Addresses {
		c.mailbox(fmt.Sprintf("bounces.addresses[%d]", i), address)
	}
	if m := b.Mailbox; m != nil {
		c.oneOf("bounces.mailbox.protocol", m.Protocol, "imap", "pop3")
		c.mailServer("bounces.mailbox", m.Host, m.Port, m.TLS, m.Username)
		c.password("bounces.mailbox", &m.Password, m.PasswordFile)
		if m.Every < 1e9 {
			c.wrong("bounces.mailbox.every", m.Every.String()+" is too often", "use 1m or more")
		}
	}
	names := map[string]string{}
	for i, w := range b.Webhooks {
		key := fmt.Sprintf("bounces.webhooks[%d]", i)
		c.oneOf(key+".service", w.Service, "ses", "postmark", "sendgrid", "mailgun", "brevo", "mailjet", "sparkpost", "resend", "mandrill", "generic")
		c.name(key+".name", w.Name, names)
		c.required(key+".secret", string(w.Secret), "write the secret that the service uses, such as ${WEBHOOK_SECRET}")
	}
}

// mailServer checks the server of a mailbox.
func (c *checker) mailServer(key, host string, port int, security, username string) {
	c.required(key+".host", host, "write the server's name")
	c.hostOf(key+".host", host)
	c.between(key+".port", port, 1, math.MaxUint16)
	c.oneOf(key+".tls", security, "implicit", "starttls", "none")
	c.required(key+".username", username, "write the mailbox's user")
	if security == "none" && host != "" && !isLocal(host) {
		c.wrong(key+".tls", "\"none\" would send the password to "+host+" without TLS", "use implicit or starttls")
	}
}

// testMailbox checks the mailbox of test mails. The folder of a Maildir may be created with the first mail.
func (c *checker) testMailbox(m *TestMailbox) {
	const key = "mail.test_mailbox"
	c.oneOf(key+".protocol", m.Protocol, "imap", "pop3", "maildir")
	if m.Protocol == "maildir" {
		c.required(key+".folder", m.Folder, "write the path of the Maildir")
		m.Folder = c.relative(m.Folder)
		if m.Host != "" {
			c.wrong(key+".host", "a Maildir is a folder of this machine", "remove it, or use the protocol imap")
		}
		return
	}
	c.mailServer(key, m.Host, m.Port, m.TLS, m.Username)
	c.password(key, &m.Password, m.PasswordFile)
}

// path checks that a file or folder exists, and makes it relative to the working folder.
func (c *checker) path(key string, path *string, fix string) {
	if *path == "" {
		return
	}
	*path = c.relative(*path)
	if _, err := os.Stat(*path); err != nil {
		c.wrong(key, errorText(err), fix)
	}
}

// existingFolder checks that a folder exists, and makes its path relative to the working folder.
func (c *checker) existingFolder(key string, path *string) {
	c.path(key, path, "name an existing folder")
	if info, err := os.Stat(*path); err == nil && !info.IsDir() {
		c.wrong(key, filepath.ToSlash(*path)+" is not a folder", "name an existing folder")
	}
}

// hostOf checks the name of a server, which stands without a scheme, a port and a user.
func (c *checker) hostOf(key, host string) {
	if net.ParseIP(host) == nil && strings.ContainsAny(host, ":/@[] \t") {
		c.wrong(key, fmt.Sprintf("%q is not a host name", host), "write only the name or address, such as smtp.example.org, and the port in the key port")
	}
}

// errorText returns the file and text of an error, without the name of the system call.
func errorText(err error) string {
	if path, ok := err.(*os.PathError); ok {
		return filepath.ToSlash(path.Path) + ": " + path.Err.Error()
	}
	return err.Error()
}
