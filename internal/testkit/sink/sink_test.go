package sink

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// talk is a client that says exactly what it is told to.
type talk struct {
	t    *testing.T
	conn net.Conn
	r    *bufio.Reader
}

func start(t *testing.T, opts Options) (*Server, func() *talk) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := Start(listener, opts)
	t.Cleanup(func() { _ = server.Close() })
	return server, func() *talk {
		conn, err := net.Dial("tcp", server.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		return &talk{t, conn, bufio.NewReader(conn)}
	}
}

// says sends text in one write.
func (c *talk) says(text string) *talk {
	c.t.Helper()
	if _, err := c.conn.Write([]byte(text)); err != nil {
		c.t.Fatal(err)
	}
	return c
}

// hears checks the starts of the next lines; "" is the end of the connection.
func (c *talk) hears(starts ...string) *talk {
	c.t.Helper()
	for _, want := range starts {
		line, err := c.r.ReadString('\n')
		if want == "" && err == nil || want != "" && (err != nil || !strings.HasPrefix(line, want)) {
			c.t.Fatalf("heard %q (%v), want %q", line, err, want)
		}
	}
	return c
}

func (c *talk) greeted() *talk {
	c.t.Helper()
	return c.hears("220").says("HELO me\r\n").hears("250-", "250-PIPELINING", "250-SIZE", "250-8BITMIME", "250 ENH")
}

const one = "MAIL FROM:<a@b>\r\nRCPT TO:<reader%d@example.net>\r\nDATA\r\n"

func TestSinkTakesPipelinedMails(t *testing.T) {
	t.Parallel()
	kept := make(chan Mail, 10)
	server, dial := start(t, Options{Keep: func(m Mail) { kept <- m }})
	c := dial().greeted().says(fmt.Sprintf(one, 1)).hears("250", "250", "354")
	c.says("one\r\n..dot\r\n.\r\n"+fmt.Sprintf(one, 2)).hears("250", "250", "250", "354")
	c.says("\r\n.").says("\r\n").hears("250")
	c.says(fmt.Sprintf(one, 1)).hears("250", "250", "354").says(".\r\nQUIT\r\n").hears("250", "221", "")
	tally := &server.Tally
	if tally.Mails() != 3 || tally.Distinct() != 2 || tally.Doubled() != 1 || tally.Empty() != 1 || !tally.Has(2) || tally.Has(3) {
		t.Errorf("%d mails, %d distinct, %d doubled, %d empty", tally.Mails(), tally.Distinct(), tally.Doubled(), tally.Empty())
	}
	if m := <-kept; string(m.Data) != "one\r\n.dot\r\n" || m.From != "a@b" || m.To[0] != "reader1@example.net" {
		t.Errorf("kept %+v", m)
	}
}

func TestSinkFindsTheDotWhereverItIsCut(t *testing.T) {
	t.Parallel()
	for _, keep := range []func(Mail){nil, func(Mail) {}} {
		server, dial := start(t, Options{Keep: keep})
		c := dial().greeted()
		body := strings.Repeat("x", 100) + "\r\n.\r\n"
		for cut := 1; cut < len(body); cut += 7 {
			c.says(fmt.Sprintf(one, cut)).hears("250", "250", "354").says(body[:cut])
			c.says(body[cut:]).hears("250")
		}
		large := strings.Repeat("line of a large body\r\n", 40000)
		c.says(fmt.Sprintf(one, 999)).hears("250", "250", "354").says(large + ".\r\n").hears("250")
		if got := server.Tally.Bytes(); got != int64(len(large)+15*102) {
			t.Errorf("%d octets, want %d", got, len(large)+15*102)
		}
	}
}

func TestSinkKeepsTheOrderOfCommands(t *testing.T) {
	t.Parallel()
	_, dial := start(t, Options{})
	dial().greeted().says("RCPT TO:<x@y>\r\nDATA\r\nMAIL FROM:<>\r\nMAIL FROM:<>\r\nRSET\r\nMAIL FROM:<>\r\nNOOP\r\nWHAT\r\n").
		hears("503", "554", "250", "503", "250", "250", "250", "500")
}

func TestSinkOptions(t *testing.T) {
	t.Parallel()
	_, dial := start(t, Options{Greylist: 1, PerConnection: 1, Size: 10})
	c := dial().greeted().says(fmt.Sprintf(one, 1)).hears("250", "451", "554").says("RSET\r\n").hears("250")
	c.says(fmt.Sprintf(one, 1)).hears("250", "250", "354").says("more than ten octets\r\n.\r\n").hears("552")
	c.says(fmt.Sprintf(one, 1)).hears("250", "250", "354").says("few\r\n.\r\n").hears("250").says("MAIL FROM:<>\r\n").hears("421", "")

	server, dial := start(t, Options{Connections: 1})
	dial().hears("220")
	dial().hears("421", "")
	if made, peak := server.Connections(); server.TurnedAway() != 1 || made != 2 || peak != 2 {
		t.Errorf("%d turned away, %d made, %d at once", server.TurnedAway(), made, peak)
	}

	_, dial = start(t, Options{NoPipelining: true})
	dial().hears("220").says("NOOP\r\nNOOP\r\n").hears("503", "")
	_, dial = start(t, Options{Delay: 50 * time.Millisecond})
	begun := time.Now()
	dial().greeted().says("NOOP\r\nNOOP\r\nNOOP\r\n").hears("250", "250", "250")
	if took := time.Since(begun); took < 150*time.Millisecond || took > 5*time.Second {
		t.Errorf("three flights took %v", took)
	}
}

func TestFaultsAreReadFromText(t *testing.T) {
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

func TestFaultsCount(t *testing.T) {
	t.Parallel()
	server, dial := start(t, Options{Faults: []Fault{{At: AtMail, After: 1, Times: 2, Reply: "451 later"}}})
	dial().greeted().says(strings.Repeat("MAIL FROM:<>\r\nRSET\r\n", 4)).hears("250", "250", "451", "250", "451", "250", "250", "250")
	if n := server.FaultCount(0); n != 2 {
		t.Errorf("struck %d times", n)
	}
}
