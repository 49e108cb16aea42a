package bounce

import (
	"context"
	"crypto/tls"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/testkit"
)

// server is a mailbox that the tests poll.
type server interface {
	Port() int
	Put(mail []byte)
	Count() int
}

// servers starts a server of each protocol.
func servers(t *testing.T) map[string]struct {
	server
	box Mailbox
} {
	t.Helper()
	cert := testkit.NewCertificate(t)
	all := map[string]struct {
		server
		box Mailbox
	}{}
	for _, mode := range []string{"implicit", "starttls", "none"} {
		offered := &cert
		if mode == "none" {
			offered = nil
		}
		imap := testkit.StartIMAP(t, offered, mode == "implicit")
		pop3 := testkit.StartPOP3(t, offered, mode == "implicit")
		box := Mailbox{Host: "127.0.0.1", TLS: mode, Username: "press", Password: "secret", Every: 20 * time.Millisecond, Config: &tls.Config{RootCAs: cert.Roots}}
		box.Protocol, box.Port = "imap", imap.Port()
		all["IMAP, "+mode] = struct {
			server
			box Mailbox
		}{imap, box}
		box.Protocol, box.Port = "pop3", pop3.Port()
		all["POP3, "+mode] = struct {
			server
			box Mailbox
		}{pop3, box}
	}
	return all
}

// startPolling polls until the test ends.
func (b *env) startPolling(t *testing.T, box Mailbox) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.Poll(ctx, box) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("polling ended with %v", err)
		}
	})
}

func TestMailboxesArePolled(t *testing.T) {
	t.Parallel()
	for name, s := range servers(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			s.Put(b.sample(t, "postfix"))
			s.Put(b.sample(t, "vacation"))
			s.Put([]byte(".\r\n..not even a header\r\n"))
			s.Put(b.sample(t, "japanese"))
			b.startPolling(t, s.box)
			testkit.Eventually(t, "the reports' removal", func() bool { return s.Count() == 2 })
			if got := b.recorder.only(t); got.Kind != Bounced || got.ID != testID || got.Source != s.box.Protocol {
				t.Errorf("%+v", got)
			}
			s.Put(b.sample(t, "arf"))
			testkit.Eventually(t, "the second poll", func() bool { return s.Count() == 2 && len(b.recorder.all()) == 2 })
		})
	}
}

func TestMailsStayInMailboxWhileStoreIsUnreachable(t *testing.T) {
	t.Parallel()
	for name, s := range servers(t) {
		if s.box.TLS != "none" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.recorder.setBroken(true)
			s.Put(b.sample(t, "postfix"))
			b.startPolling(t, s.box)
			testkit.Eventually(t, "three tries", func() bool { b.recorder.mu.Lock(); defer b.recorder.mu.Unlock(); return b.recorder.calls >= 3 })
			if s.Count() != 1 {
				t.Error("the report was deleted although nothing was recorded")
			}
			b.recorder.setBroken(false)
			testkit.Eventually(t, "the removal", func() bool { return s.Count() == 0 })
			b.recorder.only(t)
		})
	}
}

func TestFailedPollsReturnTheReason(t *testing.T) {
	t.Parallel()
	cert := testkit.NewCertificate(t)
	for name, s := range servers(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			box := s.box
			if box.TLS == "none" {
				box.Password = "wrong"
			} else {
				box.Config = &tls.Config{RootCAs: cert.Roots} // of another server
			}
			box = box.withDefaults()
			run, err := box.poller()
			if err != nil {
				t.Fatal(err)
			}
			err = b.pollOnce(t.Context(), box, run)
			if err == nil || box.TLS != "none" && !strings.Contains(err.Error(), "certificate") {
				t.Errorf("%v", err)
			}
		})
	}
	if err := setup(t).Poll(t.Context(), Mailbox{Protocol: "carrier pigeon"}); err == nil {
		t.Error("an unknown protocol was accepted")
	}
}

// TestLargeMailboxesAreReadOverSeveralPolls has the report behind more mails than one poll reads.
func TestLargeMailboxesAreReadOverSeveralPolls(t *testing.T) {
	t.Parallel()
	for name, s := range servers(t) {
		if s.box.TLS != "none" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			for range pollMails + 10 {
				s.Put([]byte("From: somebody@example.net\r\n\r\nhello\r\n"))
			}
			s.Put(b.sample(t, "postfix"))
			b.startPolling(t, s.box)
			testkit.Eventually(t, "the last mail", func() bool { return len(b.recorder.all()) == 1 && s.Count() == pollMails+10 })
		})
	}
}
