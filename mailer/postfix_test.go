package mailer_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/mailer"
)

// postfixSink runs Postfix's smtp-sink, as an implementation independent of ours, and returns the
// folder that it writes mails to. Each has a loopback address of its own: of two that start at once, one
// could get the port that was free for the other.
func postfixSink(t *testing.T, args ...string) (relay mailer.Relay, dir string) {
	t.Helper()
	const program = "/usr/sbin/smtp-sink"
	if _, err := os.Stat(program); err != nil {
		t.Skipf("SKIPPED: Debian's postfix is needed for smtp-sink: %v", err)
	}
	host := fmt.Sprintf("127.%d.%d.%d", 1+rand.N(254), rand.N(256), 1+rand.N(254))
	listener, err := net.Listen("tcp", host+":0")
	if err != nil {
		t.Fatal(err)
	}
	relay = plainRelay(listener.Addr().(*net.TCPAddr).Port)
	relay.Host = host
	_ = listener.Close()
	dir, err = os.MkdirTemp("", "sink")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if os.Getuid() == 0 {
		args = append(args, "-u", "nobody")
	}
	cmd := exec.Command(program, append(args, "-d", filepath.Join(dir, "%M."), fmt.Sprintf("%s:%d", host, relay.Port), "64")...)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return relay, dir
}

// dialSoon dials until the server is up.
func dialSoon(t *testing.T, relay mailer.Relay) *mailer.Conn {
	t.Helper()
	for deadline := time.Now().Add(testkit.Timeout); ; time.Sleep(10 * time.Millisecond) {
		conn, err := mailer.Dial(t.Context(), relay)
		if err == nil {
			t.Cleanup(func() { _ = conn.Close() })
			return conn
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

func TestPostfixAcceptsOurMails(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		args       []string
		protocol   mailer.Protocol
		pipelining bool
	}{
		"pipelined": {nil, mailer.SMTP, true},
		"single":    {[]string{"-p"}, mailer.SMTP, false},
		"LMTP":      {[]string{"-L"}, mailer.LMTP, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			relay, dir := postfixSink(t, test.args...)
			relay.Protocol = test.protocol
			conn := dialSoon(t, relay)
			if conn.Pipelining() != test.pipelining {
				t.Errorf("pipelining is %v", conn.Pipelining())
			}
			const mails = 50
			for i, o := range send(t.Context(), conn, envelopesTo(mails)) {
				if o.class != mailer.Accepted {
					t.Errorf("mail %d: %v", i, o)
				}
			}
			if err := conn.Quit(); err != nil {
				t.Error(err)
			}
			files, err := filepath.Glob(filepath.Join(dir, "*"))
			if err != nil || len(files) != mails {
				t.Fatalf("%d mails were written, want %d (%v)", len(files), mails, err)
			}
			for _, file := range files {
				data, err := os.ReadFile(file)
				if err != nil || !bytes.Contains(data, []byte("Subject: x\n\nhello\n")) || bytes.Count(data, []byte("X-Rcpt-Args")) != 1 {
					t.Fatalf("%v\n%s", err, data)
				}
			}
		})
	}
}

func TestPostfixRefusalsAreRead(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		args []string
		want outcome
	}{
		"hard at RCPT":      {[]string{"-f", "rcpt"}, outcome{mailer.Soft, mailer.StageRcpt, 500}},
		"soft at RCPT":      {[]string{"-r", "rcpt"}, outcome{mailer.Later, mailer.StageRcpt, 450}},
		"hard at MAIL":      {[]string{"-f", "mail"}, outcome{mailer.OurFault, mailer.StageMail, 500}},
		"soft at DATA":      {[]string{"-r", "data"}, outcome{mailer.Later, mailer.StageData, 450}},
		"soft after dot":    {[]string{"-r", "."}, outcome{mailer.Later, mailer.StageFinal, 450}},
		"cut after dot":     {[]string{"-q", "."}, outcome{mailer.Uncertain, mailer.StageFinal, 0}},
		"disconnect at 421": {[]string{"-Q", "rcpt"}, outcome{mailer.Later, mailer.StageRcpt, 421}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			relay, _ := postfixSink(t, test.args...)
			got := send(t.Context(), dialSoon(t, relay), envelopesTo(1))
			if len(got) != 1 || got[0] != test.want {
				t.Errorf("%v, want %v", got, test.want)
			}
		})
	}
}
