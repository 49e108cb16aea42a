package sink

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// client is an SMTP client that sends exactly the given text.
type client struct {
	t    *testing.T
	conn net.Conn
	r    *bufio.Reader
}

func start(t *testing.T, opts Options) (*Server, func() *client) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := Start(listener, opts)
	t.Cleanup(func() { _ = server.Close() })
	return server, func() *client {
		conn, err := net.Dial("tcp", server.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		_ = conn.SetDeadline(time.Now().Add(3 * time.Minute))
		return &client{t, conn, bufio.NewReader(conn)}
	}
}

// send sends text in one write.
func (c *client) send(text string) *client {
	c.t.Helper()
	if _, err := c.conn.Write([]byte(text)); err != nil {
		c.t.Fatal(err)
	}
	return c
}

// expect checks how the next lines start; "" stands for the end of the connection.
func (c *client) expect(starts ...string) *client {
	c.t.Helper()
	for _, want := range starts {
		line, err := c.r.ReadString('\n')
		if want == "" && err == nil || want != "" && (err != nil || !strings.HasPrefix(line, want)) {
			c.t.Fatalf("received %q (%v), want %q", line, err, want)
		}
	}
	return c
}

func (c *client) greet() *client {
	c.t.Helper()
	return c.expect("220").send("HELO me\r\n").expect("250-", "250-PIPELINING", "250-SIZE", "250-8BITMIME", "250 ENH")
}

const transaction = "MAIL FROM:<a@b>\r\nRCPT TO:<reader%d@example.net>\r\nDATA\r\n"

func TestPipelinedMailsAreCounted(t *testing.T) {
	t.Parallel()
	kept := make(chan Mail, 10)
	server, dial := start(t, Options{Keep: func(m Mail) { kept <- m }})
	c := dial().greet().send(fmt.Sprintf(transaction, 1)).expect("250", "250", "354")
	c.send("one\r\n..dot\r\n.\r\n"+fmt.Sprintf(transaction, 2)).expect("250", "250", "250", "354")
	c.send("\r\n.").send("\r\n").expect("250")
	c.send(fmt.Sprintf(transaction, 1)).expect("250", "250", "354").send(".\r\nQUIT\r\n").expect("250", "221", "")
	tally := &server.Tally
	if tally.Mails() != 3 || tally.Distinct() != 2 || tally.Duplicates() != 1 || tally.Empty() != 1 || !tally.Has(2) || tally.Has(3) {
		t.Errorf("%d mails, %d distinct, %d doubled, %d empty", tally.Mails(), tally.Distinct(), tally.Duplicates(), tally.Empty())
	}
	if m := <-kept; string(m.Data) != "one\r\n.dot\r\n" || m.From != "a@b" || m.To[0] != "reader1@example.net" {
		t.Errorf("kept %+v", m)
	}
}

func TestFinalDotIsFoundAcrossReads(t *testing.T) {
	t.Parallel()
	for _, keep := range []func(Mail){nil, func(Mail) {}} {
		server, dial := start(t, Options{Keep: keep})
		c := dial().greet()
		body := strings.Repeat("x", 100) + "\r\n.\r\n"
		for cut := 1; cut < len(body); cut += 7 {
			c.send(fmt.Sprintf(transaction, cut)).expect("250", "250", "354").send(body[:cut])
			c.send(body[cut:]).expect("250")
		}
		large := strings.Repeat("line of a large body\r\n", 40000)
		c.send(fmt.Sprintf(transaction, 999)).expect("250", "250", "354").send(large + ".\r\n").expect("250")
		if got := server.Tally.Bytes(); got != int64(len(large)+15*102) {
			t.Errorf("%d octets, want %d", got, len(large)+15*102)
		}
	}
}

func TestCommandsOutOfOrderAreRefused(t *testing.T) {
	t.Parallel()
	_, dial := start(t, Options{})
	dial().greet().send("RCPT TO:<x@y>\r\nDATA\r\nMAIL FROM:<>\r\nMAIL FROM:<>\r\nRSET\r\nMAIL FROM:<>\r\nNOOP\r\nWHAT\r\n").
		expect("503", "554", "250", "503", "250", "250", "250", "500")
}

func TestOptionsLimitSessions(t *testing.T) {
	t.Parallel()
	_, dial := start(t, Options{Greylist: 1, PerConnection: 1, Size: 10})
	c := dial().greet().send(fmt.Sprintf(transaction, 1)).expect("250", "451", "554").send("RSET\r\n").expect("250")
	c.send(fmt.Sprintf(transaction, 1)).expect("250", "250", "354").send("more than ten octets\r\n.\r\n").expect("552")
	c.send(fmt.Sprintf(transaction, 1)).expect("250", "250", "354").send("few\r\n.\r\n").expect("250").send("MAIL FROM:<>\r\n").expect("421", "")

	server, dial := start(t, Options{Connections: 1})
	dial().expect("220")
	dial().expect("421", "")
	if made, peak := server.Connections(); server.Refused() != 1 || made != 2 || peak != 2 {
		t.Errorf("%d refused, %d made, %d at once", server.Refused(), made, peak)
	}

	_, dial = start(t, Options{NoPipelining: true})
	dial().expect("220").send("NOOP\r\nNOOP\r\n").expect("503", "")
	_, dial = start(t, Options{Delay: 50 * time.Millisecond})
	begun := time.Now()
	dial().greet().send("NOOP\r\nNOOP\r\nNOOP\r\n").expect("250", "250", "250")
	if took := time.Since(begun); took < 150*time.Millisecond {
		t.Errorf("three delayed groups of replies took %v", took)
	}
}

func TestParseFault(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Fault{
		"RCPT:550 5.1.1 no": {At: AtRcpt, Reply: "550 5.1.1 no"}, "dot:cut": {At: AfterDot, Do: Cut}, "body:hang": {At: InBody, Do: Hang},
	} {
		if got, err := ParseFault(text); err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "RCPT", "RCPT:", "moon:cut", "RCPT:999 x"} {
		if got, err := ParseFault(text); err == nil {
			t.Errorf("%q gives %+v", text, got)
		}
	}
}

func TestFaultAppliesAfterAndTimes(t *testing.T) {
	t.Parallel()
	server, dial := start(t, Options{Faults: []Fault{{At: AtMail, After: 1, Times: 2, Reply: "451 later"}}})
	dial().greet().send(strings.Repeat("MAIL FROM:<>\r\nRSET\r\n", 4)).expect("250", "250", "451", "250", "451", "250", "250", "250")
	if n := server.FaultCount(0); n != 2 {
		t.Errorf("the fault was applied %d times, want 2", n)
	}
}
