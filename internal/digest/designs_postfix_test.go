package digest

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/mailer"
)

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
	testkit.Slow(t) // runs Postfix
	python, err := exec.LookPath("/usr/bin/python3")
	if err != nil {
		t.Skip("SKIPPED: python3 is not installed")
	}
	postfix := testkit.StartPostfix(t, testkit.PostfixOptions{Domain: "reader.example"})
	folder := filepath.Join(postfix.Maildir, "new")
	want := map[string]Variant{}
	for i, design := range designs {
		lang := []string{"en", "ar", "ja", "en"}[i]
		v, mail := designMail(t, design, lang)
		want["<12."+design+"."+lang+"@post.example>"] = v
		sendToPostfix(t, postfix.Port, mail)
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
