package digest

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/mailer"
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

// startPostfix runs Postfix with a configuration of its own. It returns its port and the folder for new mails.
func startPostfix(t *testing.T) (port int, mails string) {
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
	port = listener.Addr().(*net.TCPAddr).Port
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
virtual_mailbox_domains = reader.example
virtual_mailbox_base = %[1]s/mail
virtual_mailbox_maps = static:mia/
virtual_minimum_uid = 1
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
`, dir)
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
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/usr/sbin/postfix", "-c", dir, "start-fg")
	cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = log, log, &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = exec.Command("/usr/sbin/postfix", "-c", dir, "stop").Run()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if text, err := os.ReadFile(log.Name()); err == nil && t.Failed() {
			t.Logf("%s", text)
		}
	})
	return port, filepath.Join(dir, "mail", "mia", "new")
}

// readMails is a program for Python that reads mails and prints what it finds as JSON.
const readMails = `
import email, email.policy, json, sys
out = []
for name in sys.argv[1:]:
    with open(name, 'rb') as f:
        m = email.message_from_binary_file(f, policy=email.policy.default)
    part = lambda kind: m.get_body((kind,)).get_content().replace('\r\n', '\n')
    defects = [str(d) for p in m.walk() for d in p.defects]
    out.append({'ID': m['Message-ID'], 'Subject': m['Subject'], 'To': m['To'], 'HTML': part('html'), 'Text': part('plain'), 'Defects': defects})
print(json.dumps(out))
`

// TestDesignsSurvivePostfix sends a mail of each design through Postfix. Python's parser finds the same
// text in it as the preview shows.
func TestDesignsSurvivePostfix(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("runs Postfix")
	}
	python, err := exec.LookPath("/usr/bin/python3")
	if err != nil {
		t.Skip("SKIPPED: python3 is not installed")
	}
	port, folder := startPostfix(t)
	want := map[string]Variant{}
	for i, design := range designs {
		lang := []string{"en", "ar", "ja", "en"}[i]
		v, mail := designMail(t, design, lang)
		want["<12."+design+"."+lang+"@post.example>"] = v
		sendToPostfix(t, port, mail)
	}
	var files []string
	for deadline := time.Now().Add(testkit.Timeout); len(files) < len(want); time.Sleep(25 * time.Millisecond) {
		if files, err = filepath.Glob(filepath.Join(folder, "*")); err != nil || time.Now().After(deadline) {
			t.Fatalf("%d mails arrived, want %d (%v)", len(files), len(want), err)
		}
	}
	slices.Sort(files)
	out, err := exec.Command(python, append([]string{"-c", readMails}, files...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	var read []struct {
		ID, Subject, To, HTML, Text string
		Defects                     []string
	}
	if err := json.Unmarshal(out, &read); err != nil {
		t.Fatal(err)
	}
	for _, m := range read {
		v, sent := want[m.ID]
		delete(want, m.ID)
		if !sent || m.Subject != v.Subject || m.To != mailValues.Address || len(m.Defects) > 0 {
			t.Errorf("%s: subject %q, to %q, defects %q", m.ID, m.Subject, m.To, m.Defects)
		}
		if m.HTML != v.HTML || m.Text != v.Text {
			t.Errorf("%s differs: %s\n%s", m.ID, firstDifference(v.HTML, m.HTML), firstDifference(v.Text, m.Text))
		}
	}
	if len(want) > 0 {
		t.Errorf("missing: %v", want)
	}
}

// sendToPostfix waits until Postfix listens and hands a mail to it.
func sendToPostfix(t *testing.T, port int, mail []byte) {
	t.Helper()
	relay := mailer.Relay{Host: "127.0.0.1", Port: port, Security: mailer.NoTLS, Timeouts: mailer.Timeouts{
		Connect: testkit.Timeout, Command: testkit.Timeout, Body: testkit.Timeout, Final: testkit.Timeout,
	}}
	conn, err := mailer.Dial(t.Context(), relay)
	for deadline := time.Now().Add(testkit.Timeout); err != nil; conn, err = mailer.Dial(t.Context(), relay) {
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		time.Sleep(25 * time.Millisecond)
	}
	defer conn.Close()
	if err := conn.SendEnvelope(t.Context(), mailer.Envelope{From: "news@post.example", To: mailValues.Address, Rendered: true}); err != nil {
		t.Fatal(err)
	}
	reply, err := conn.AwaitReady(t.Context())
	if err != nil || !reply.OK() {
		t.Fatalf("%v %v", reply, err)
	}
	if reply, err = conn.Deliver(t.Context(), mail, nil); err != nil || !reply.OK() {
		t.Fatalf("%v %v", reply, err)
	}
}
