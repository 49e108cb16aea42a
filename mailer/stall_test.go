package mailer_test

import (
	"net"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/mailer"
)

// stalling is a server that reads nothing any more once it has asked for the body,
// and may say something then.
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
		time.Sleep(50 * time.Millisecond) // the client has begun by then, and its buffers fill
		if last != "" {
			_ = text.PrintfLine("%s", last)
		}
		<-done
	}()
	relay := plainRelay(listener.Addr().(*net.TCPAddr).Port)
	relay.Timeouts.Body = 400 * time.Millisecond
	return relay
}

func TestServersThatStopReadingHaveNotAccepted(t *testing.T) {
	t.Parallel()
	for last, want := range map[string]mailer.Class{"": mailer.Retry, "552 5.3.4 too large": mailer.OurFault, "421 4.3.2 shutting down": mailer.Later} {
		t.Run(last, func(t *testing.T) {
			t.Parallel()
			conn := dial(t, stalling(t, last))
			if err := conn.SendEnvelope(t.Context(), reader(1)); err != nil {
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
