package bounce

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/mailer"
)

// startListener starts a listener and returns how to connect to it.
func (b *env) startListener(t *testing.T, protocol mailer.Protocol) mailer.Relay {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	serve := b.ServeSMTP
	if protocol == mailer.LMTP {
		serve = b.ServeLMTP
	}
	go func() { done <- serve(ctx, listener) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the listener ended with %v", err)
		}
	})
	return mailer.Relay{Host: "127.0.0.1", Port: listener.Addr().(*net.TCPAddr).Port, Protocol: protocol, Security: mailer.NoTLS}
}

// deliver sends a mail with a real client, as a mail server does.
func deliver(t *testing.T, relay mailer.Relay, to string, mail []byte) mailer.Reply {
	t.Helper()
	conn, err := mailer.Dial(t.Context(), relay)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Quit() }()
	if err := conn.SendEnvelope(t.Context(), mailer.Envelope{To: to}); err != nil {
		t.Fatal(err)
	}
	reply, err := conn.AwaitReady(t.Context())
	if err != nil || !reply.OK() {
		return reply
	}
	if reply, err = conn.Deliver(t.Context(), mail, nil); err != nil {
		t.Fatal(err)
	}
	return reply
}

func TestListenersAcceptReports(t *testing.T) {
	t.Parallel()
	for _, protocol := range []mailer.Protocol{mailer.SMTP, mailer.LMTP} {
		t.Run(string(protocol), func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			relay := b.startListener(t, protocol)
			for range 2 {
				if reply := deliver(t, relay, strings.ToUpper(b.paths.ReturnPath(testID)), b.sample(t, "postfix")); reply.Code != 250 {
					t.Errorf("reply %s", reply)
				}
			}
			if got := b.recorder.only(t); got.Kind != Bounced || got.ID != testID || got.Source != string(protocol) {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestListenersRefuseForeignRecipients(t *testing.T) {
	t.Parallel()
	b := setup(t)
	relay := b.startListener(t, mailer.SMTP)
	for _, to := range []string{"somebody@example.com", "b-aaaaaaaaaaaaaaaaaaaaaaaaaaaa@bounces.example.org", "abuse@example.com"} {
		if reply := deliver(t, relay, to, b.sample(t, "postfix")); reply.Code != 550 || reply.Enhanced != "5.1.1" {
			t.Errorf("%s: %s", to, reply)
		}
	}
}

func TestComplaintMailboxIsAccepted(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"complaints@example.org", "Abuse@bounces.example.org", "postmaster@bounces.example.org"} {
		b := setup(t)
		if reply := deliver(t, b.startListener(t, mailer.SMTP), address, b.sample(t, "arf-redacted")); reply.Code != 250 {
			t.Error(reply)
		}
		if got := b.recorder.only(t); got.Kind != Complained {
			t.Errorf("%+v", got)
		}
	}
}

func TestReportsAreDeferredWhileStoreIsUnreachable(t *testing.T) {
	t.Parallel()
	b := setup(t)
	relay := b.startListener(t, mailer.SMTP)
	b.recorder.setBroken(true)
	if reply := deliver(t, relay, b.paths.ReturnPath(testID), b.sample(t, "postfix")); reply.Code != 451 {
		t.Errorf("%s, want 451", reply)
	}
	b.recorder.setBroken(false)
	if reply := deliver(t, relay, b.paths.ReturnPath(testID), b.sample(t, "postfix")); reply.Code != 250 {
		t.Error(reply)
	}
	b.recorder.only(t)
}

func TestRepliesOfPeopleAreAcceptedAndDropped(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if reply := deliver(t, b.startListener(t, mailer.SMTP), b.paths.ReturnPath(testID), b.sample(t, "vacation")); reply.Code != 250 {
		t.Error(reply)
	}
	if b.recorder.calls != 0 {
		t.Errorf("%+v", b.recorder.all())
	}
}

func TestIdleClientsDoNotBlockReports(t *testing.T) {
	t.Parallel()
	b := setup(t)
	relay := b.startListener(t, mailer.SMTP)
	for range 400 { // more than the listener's limit
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", relay.Port))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	if reply := deliver(t, relay, b.paths.ReturnPath(testID), b.sample(t, "postfix")); reply.Code != 250 {
		t.Errorf("a report while 400 clients are idle: %s", reply)
	}
}
