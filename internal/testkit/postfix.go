package testkit

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// postfixServices are the processes of a Postfix that takes mails on a port and stores them.
const postfixServices = `127.0.0.1:%d inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
proxymap unix - - n - - proxymap
virtual unix - n n - - virtual
postlog unix-dgram n - n - 1 postlogd
`

// PostfixOptions configure a Postfix.
type PostfixOptions struct {
	Domain   string // whose mail is delivered
	Settings string // further lines of main.cf
}

// Postfix is Debian's Postfix, which delivers the mail to all addresses of a domain to one Maildir.
type Postfix struct {
	Port    int
	Maildir string
}

// StartPostfix runs Postfix with a configuration of its own until the test ends, and waits until it
// listens. The test is skipped if Postfix is not installed or the user is not root.
func StartPostfix(t testing.TB, o PostfixOptions) *Postfix {
	t.Helper()
	if _, err := os.Stat("/usr/sbin/postfix"); err != nil || os.Getuid() != 0 {
		t.Skip("SKIPPED: Debian's postfix is needed, and root to run it")
	}
	dir, err := os.MkdirTemp("", "postfix") // T.TempDir is closed to Postfix's user
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := port(listener.Addr())
	_ = listener.Close()
	config := fmt.Sprintf(`compatibility_level = 3.6
queue_directory = %[1]s/queue
data_directory = %[1]s/data
maillog_file = /dev/stdout
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.reader.example
mydestination =
local_recipient_maps =
alias_maps =
mynetworks = 127.0.0.0/8
smtpd_recipient_restrictions = permit_mynetworks, reject
virtual_mailbox_domains = %[2]s
virtual_mailbox_base = %[1]s/mail
virtual_mailbox_maps = static:mailbox/
virtual_minimum_uid = 1
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
%[3]s
`, dir, o.Domain, o.Settings)
	for _, folder := range []string{"queue", "data", "mail"} {
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(filepath.Join(dir, "mail"), 65534, 65534); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"main.cf": config, "master.cf": fmt.Sprintf(postfixServices, port)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command("chown", "postfix", filepath.Join(dir, "data")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	output, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/usr/sbin/postfix", "-c", dir, "start-fg")
	cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = output, output, &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = exec.Command("/usr/sbin/postfix", "-c", dir, "stop").Run()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if text, err := os.ReadFile(output.Name()); err == nil && t.Failed() {
			t.Logf("%s", text)
		}
	})
	awaitListening(t, port)
	return &Postfix{port, filepath.Join(dir, "mail", "mailbox")}
}

// awaitListening waits until a server greets on a port of the loopback.
func awaitListening(t testing.TB, port int) {
	t.Helper()
	Eventually(t, "Postfix's greeting", func() bool {
		conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", fmt.Sprint(port)))
		if err != nil {
			return false
		}
		defer conn.Close()
		_ = conn.SetReadDeadline(time.Now().Add(Timeout))
		n, err := conn.Read(make([]byte, 4))
		return err == nil && n > 0
	})
}
