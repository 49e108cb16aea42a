package mailer_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/sink"
	"github.com/tidings-press/tidings/mailer"
)

// scripted starts a server that answers each command by its verb, and the body by ".". An answer
// may be several replies; an empty one leaves the client waiting, and "cut" ends the connection.
func scripted(t *testing.T, answers map[string]string) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go converse(conn, answers)
		}
	}()
	return listener.Addr().(*net.TCPAddr).Port
}

func converse(conn net.Conn, answers map[string]string) {
	defer conn.Close()
	fmt.Fprint(conn, "220 scripted\r\n")
	lines, inBody := bufio.NewScanner(conn), false
	for lines.Scan() {
		verb, _, _ := strings.Cut(lines.Text(), " ")
		if inBody && verb != "." {
			continue
		}
		said, known := answers[verb]
		if !known {
			said = map[string]string{"EHLO": "250-scripted\r\n250 PIPELINING", "DATA": "354 go on"}[verb]
			if said == "" {
				said = "250 ok"
			}
		}
		if said == "cut" {
			return
		}
		if _, err := io.WriteString(conn, said+"\r\n"); err != nil {
			return
		}
		inBody = verb == "DATA" && strings.HasPrefix(said, "354")
	}
}

// TestRepliesToTheBody: only a clear acceptance counts as sent and only a clear refusal as not
// sent. After any other reply the mail is uncertain and the connection is closed, since its next
// reply could be about another mail.
func TestRepliesToTheBody(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		said   string
		class  mailer.Class
		usable bool
	}{
		"yes":                {"250 2.0.0 queued", mailer.Accepted, true},
		"yes in lines":       {"250-2.0.0 queued\r\n250 as 1234", mailer.Accepted, true},
		"yes, will forward":  {"251 fine", mailer.Accepted, true},
		"no":                 {"550 5.1.1 no such user", mailer.Suppress, true},
		"later":              {"451 4.3.0 not now", mailer.Later, true},
		"closing":            {"421 4.3.2 bye", mailer.Later, false},
		"another 354":        {"354 go on", mailer.Uncertain, false},
		"no SMTP":            {"HTTP/1.1 200 OK", mailer.Uncertain, false},
		"an odd code":        {"199 what", mailer.Uncertain, false},
		"two codes":          {"250-yes\r\n550 no", mailer.Uncertain, false},
		"nothing but a line": {"", mailer.Uncertain, false},
		"a cut":              {"cut", mailer.Uncertain, false},
		"half a reply":       {"250-yes\r\n", mailer.Uncertain, false},
		"without an end":     {strings.Repeat("250-yes\r\n", 200) + "250 yes", mailer.Uncertain, false},
		"a line too long":    {"250 " + strings.Repeat("x", 1<<20), mailer.Uncertain, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			relay := plainRelay(scripted(t, map[string]string{".": test.said}))
			if test.class == mailer.Uncertain {
				relay.Timeouts.Final = time.Second // some of these wait until it is over
			}
			conn := dial(t, relay)
			got := send(t.Context(), conn, envelopesTo(1))
			if len(got) != 1 || got[0].class != test.class || conn.Usable() != test.usable {
				t.Errorf("%+v, usable %v; want %s, %v", got, conn.Usable(), test.class, test.usable)
			}
			if accepted := conn.Accepted() == 1; accepted != (test.class == mailer.Accepted) {
				t.Errorf("%d mails are counted as accepted", conn.Accepted())
			}
		})
	}
}

// TestRepliesToTheEnvelope: before the body no mail can be uncertain, and a refusal that was read
// is kept, whatever the server does next.
func TestRepliesToTheEnvelope(t *testing.T) {
	t.Parallel()
	gone := "550 5.1.1 no such user"
	for name, test := range map[string]struct {
		answers   map[string]string
		pipelined outcome
		single    outcome
		usable    [2]bool // pipelined, and one at a time
	}{
		"250 to DATA":       {map[string]string{"DATA": "250 ok"}, outcome{mailer.Retry, mailer.StageData, 0}, outcome{mailer.Retry, mailer.StageData, 0}, [2]bool{}},
		"354 to MAIL":       {map[string]string{"MAIL": "354 go on"}, outcome{mailer.Retry, mailer.StageMail, 0}, outcome{mailer.Retry, mailer.StageMail, 0}, [2]bool{}},
		"354 to RCPT":       {map[string]string{"RCPT": "354 go on"}, outcome{mailer.Retry, mailer.StageRcpt, 0}, outcome{mailer.Retry, mailer.StageRcpt, 0}, [2]bool{}},
		"refused, then 354": {map[string]string{"RCPT": gone, "DATA": "354 go on"}, outcome{mailer.Suppress, mailer.StageRcpt, 550}, outcome{mailer.Suppress, mailer.StageRcpt, 550}, [2]bool{true, true}},
		"refused, then 250": {map[string]string{"RCPT": gone, "DATA": "250 ok"}, outcome{mailer.Suppress, mailer.StageRcpt, 550}, outcome{mailer.Suppress, mailer.StageRcpt, 550}, [2]bool{true, true}},
		"refused, then 421": {map[string]string{"RCPT": gone, "DATA": "421 4.3.2 bye"}, outcome{mailer.Suppress, mailer.StageRcpt, 550}, outcome{mailer.Suppress, mailer.StageRcpt, 550}, [2]bool{false, true}},
		"refused, then cut": {map[string]string{"RCPT": gone, "DATA": "cut"}, outcome{mailer.Retry, mailer.StageData, 0}, outcome{mailer.Suppress, mailer.StageRcpt, 550}, [2]bool{false, true}},
		"421 to MAIL":       {map[string]string{"MAIL": "421 4.3.2 bye"}, outcome{mailer.Later, mailer.StageMail, 421}, outcome{mailer.Later, mailer.StageMail, 421}, [2]bool{}},
		"a cut at RCPT":     {map[string]string{"RCPT": "cut"}, outcome{mailer.Retry, mailer.StageRcpt, 0}, outcome{mailer.Retry, mailer.StageRcpt, 0}, [2]bool{}},
		"a cut at DATA":     {map[string]string{"DATA": "cut"}, outcome{mailer.Retry, mailer.StageData, 0}, outcome{mailer.Retry, mailer.StageData, 0}, [2]bool{}},
		"no SMTP at RCPT":   {map[string]string{"RCPT": "hello"}, outcome{mailer.Retry, mailer.StageRcpt, 0}, outcome{mailer.Retry, mailer.StageRcpt, 0}, [2]bool{}},
	} {
		for i, want := range []outcome{test.pipelined, test.single} {
			t.Run(fmt.Sprintf("%s, %s", name, []string{"pipelined", "one at a time"}[i]), func(t *testing.T) {
				t.Parallel()
				relay := plainRelay(scripted(t, test.answers))
				relay.NoPipelining = i == 1
				conn := dial(t, relay)
				got := send(t.Context(), conn, envelopesTo(1))
				if len(got) != 1 || got[0] != want || conn.Usable() != test.usable[i] || conn.Accepted() != 0 {
					t.Errorf("%+v, usable %v; want %+v, %v", got, conn.Usable(), want, test.usable[i])
				}
			})
		}
	}
}

// TestRefusedTransactionIsResetBeforeTheNext: RSET clears the transaction that a refusal leaves
// open, and a server that then ends the connection has not refused the next recipient.
func TestRefusedTransactionIsResetBeforeTheNext(t *testing.T) {
	t.Parallel()
	for said, want := range map[string]outcome{
		"421 4.3.2 bye": {mailer.Later, mailer.StageMail, 421},
		"cut":           {mailer.Retry, mailer.StageMail, 0},
	} {
		relay := plainRelay(scripted(t, map[string]string{"RCPT": "550 5.1.1 no", "RSET": said}))
		relay.NoPipelining = true
		conn := dial(t, relay)
		got := send(t.Context(), conn, envelopesTo(2))
		if len(got) != 2 || got[0].class != mailer.Suppress || got[1] != want || conn.Usable() {
			t.Errorf("RSET, %s: %+v, usable %v", said, got, conn.Usable())
		}
	}
}

// TestLMTPConnectionEndsWhenARefusedRecipientGets354: over LMTP the dot would get no reply, and the
// next reply would be taken for it.
func TestLMTPConnectionEndsWhenARefusedRecipientGets354(t *testing.T) {
	t.Parallel()
	port := scripted(t, map[string]string{"LHLO": "250-scripted\r\n250 PIPELINING", "RCPT": "550 5.1.1 no"})
	relay := plainRelay(port)
	relay.Protocol = mailer.LMTP
	conn := dial(t, relay)
	if got := send(t.Context(), conn, envelopesTo(2)); len(got) != 1 || got[0] != (outcome{mailer.Suppress, mailer.StageRcpt, 550}) || conn.Usable() {
		t.Errorf("%+v, usable %v", got, conn.Usable())
	}
}

// TestCallsOutOfOrderSendNothing: a call in the wrong order must not send one mail's body after
// another's envelope.
func TestCallsOutOfOrderSendNothing(t *testing.T) {
	t.Parallel()
	wire := testkit.StartSMTPServer(t, sink.Options{})
	for name, calls := range map[string]string{
		"Ready first": "r", "Deliver first": "d", "Open twice": "oo", "Deliver after Open": "od", "Ready twice": "orr", "Open after Ready": "oro",
		"Deliver twice": "ordd", "Ready after Deliver": "ordr", "Open after Close": "co", "Ready after Close": "ocr", "Deliver after Close": "orcd",
	} {
		conn := dial(t, plainRelay(wire.Port()))
		var err error
		var broken *mailer.BrokenError
		for i, call := range calls {
			if err != nil {
				t.Fatalf("%s: call %d failed already: %v", name, i, err)
			}
			switch call {
			case 'o':
				err = conn.SendEnvelope(t.Context(), envelopeTo(7))
			case 'r':
				_, err = conn.AwaitReady(t.Context())
			case 'd':
				_, err = conn.Deliver(t.Context(), []byte(body), nil)
			case 'c':
				_ = conn.Close()
			}
		}
		if !errors.As(err, &broken) || conn.Usable() || mailer.Classify(mailer.Reply{}, err) != mailer.Retry {
			t.Errorf("%s: %v, usable %v", name, err, conn.Usable())
		}
	}
	if n := wire.Received()["reader7@example.net"]; n != 2 { // sent by the calls in the right order
		t.Errorf("%d mails arrived, want 2", n)
	}
}

// stalling starts a server that stops reading once it has asked for the body, and may then send one
// more reply.
func stalling(t *testing.T, last string) mailer.Relay {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { close(done); _ = listener.Close() })
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		text := textproto.NewConn(conn)
		_ = text.PrintfLine("220 hello")
		for line, err := text.ReadLine(); err == nil; line, err = text.ReadLine() {
			if line == "DATA" {
				_ = text.PrintfLine("354 go on")
				break
			}
			_ = text.PrintfLine("250 ok")
		}
		time.Sleep(50 * time.Millisecond) // by then the client is sending, and its buffers fill
		if last != "" {
			_ = text.PrintfLine("%s", last)
		}
		<-done
	}()
	relay := plainRelay(listener.Addr().(*net.TCPAddr).Port)
	relay.Timeouts.Body = 3 * time.Second // the server says its last word before
	return relay
}

func TestServerThatStopsReadingHasNotAccepted(t *testing.T) {
	t.Parallel()
	for last, want := range map[string]mailer.Class{"": mailer.Retry, "552 5.3.4 too large": mailer.OurFault, "421 4.3.2 shutting down": mailer.Later} {
		t.Run(last, func(t *testing.T) {
			t.Parallel()
			conn := dial(t, stalling(t, last))
			if err := conn.SendEnvelope(t.Context(), envelopeTo(1)); err != nil {
				t.Fatal(err)
			}
			if reply, err := conn.AwaitReady(t.Context()); err != nil || reply.Code != 354 {
				t.Fatal(reply, err)
			}
			reply, err := conn.Deliver(t.Context(), []byte(strings.Repeat("line\r\n", 10<<20)), nil)
			if got := mailer.Classify(reply, err); got != want || conn.Usable() {
				t.Errorf("after %q: %s (%v, %v), want %s", last, got, reply, err, want)
			}
		})
	}
}
