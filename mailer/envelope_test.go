package mailer_test

import (
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/sink"
	"github.com/tidings-press/tidings/mailer"
)

// answer sends one envelope and returns the reply to it.
func answer(t *testing.T, opts sink.Options, env mailer.Envelope) (mailer.Reply, *mailer.Conn) {
	t.Helper()
	wire := testkit.StartSMTPServer(t, opts)
	conn := dial(t, plainRelay(wire.Port()))
	if err := conn.SendEnvelope(t.Context(), env); err != nil {
		t.Fatal(err)
	}
	reply, err := conn.AwaitReady(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return reply, conn
}

func TestInvalidEnvelopesAreRefusedLocally(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		opts  sink.Options
		env   mailer.Envelope
		class mailer.Class
	}{
		"line break":       {sink.Options{}, mailer.Envelope{To: "a@b.example>\r\nRCPT TO:<c@d.example"}, mailer.Unsendable},
		"space":            {sink.Options{}, mailer.Envelope{To: "a b@example.net"}, mailer.Unsendable},
		"no @":             {sink.Options{}, mailer.Envelope{To: "nobody"}, mailer.Unsendable},
		"too long":         {sink.Options{}, mailer.Envelope{To: strings.Repeat("x", 300) + "@example.net"}, mailer.Unsendable},
		"empty":            {sink.Options{}, mailer.Envelope{}, mailer.Unsendable},
		"bad return path":  {sink.Options{}, mailer.Envelope{From: "a b", To: "a@example.net"}, mailer.OurFault},
		"no SMTPUTF8":      {sink.Options{}, mailer.Envelope{To: "jürgen@example.net"}, mailer.Unsendable},
		"no such domain":   {sink.Options{}, mailer.Envelope{To: "a@\u2028.example"}, mailer.Unsendable},
		"sender in UTF-8":  {sink.Options{}, mailer.Envelope{To: "a@example.net", NeedsUTF8: true}, mailer.OurFault},
		"UTF-8 return":     {sink.Options{}, mailer.Envelope{From: "jürgen@example.org", To: "a@example.net"}, mailer.OurFault},
		"larger than SIZE": {sink.Options{Size: 1000}, mailer.Envelope{To: "a@example.net", Size: 1001}, mailer.OurFault},
	} {
		for _, single := range []bool{false, true} {
			test.opts.NoPipelining = single
			reply, conn := answer(t, test.opts, test.env)
			if got := mailer.Classify(reply, nil); got != test.class || !conn.Usable() {
				t.Errorf("%s: %s is %s, want %s; usable %v", name, reply, got, test.class, conn.Usable())
			}
			if got := send(t.Context(), conn, envelopesTo(1)); len(got) != 1 || got[0].class != mailer.Accepted {
				t.Errorf("%s: the next mail: %v", name, got)
			}
		}
	}
}

func TestRefusedNextEnvelopeDoesNotAffectThePreviousMail(t *testing.T) {
	t.Parallel()
	wire := testkit.StartSMTPServer(t, sink.Options{})
	envelopes := envelopesTo(4)
	envelopes[1].To, envelopes[2].To = "not an address", "jürgen@example.net"
	got := send(t.Context(), dial(t, plainRelay(wire.Port())), envelopes)
	want := []mailer.Class{mailer.Accepted, mailer.Unsendable, mailer.Unsendable, mailer.Accepted}
	for i, o := range got {
		if o.class != want[i] {
			t.Errorf("mail %d: %v, want %s", i, o, want[i])
		}
	}
	if len(got) != 4 || wire.Tally.Mails() != 2 {
		t.Errorf("%d outcomes, %d mails", len(got), wire.Tally.Mails())
	}
}

func TestDomainsAreSentInASCII(t *testing.T) {
	t.Parallel()
	wire := testkit.StartSMTPServer(t, sink.Options{SMTPUTF8: true, Size: 5000})
	conn := dial(t, plainRelay(wire.Port()))
	if conn.MaxSize() != 5000 {
		t.Errorf("size %d", conn.MaxSize())
	}
	envelopes := []mailer.Envelope{
		{From: "news@bücher.example", To: "leser@bücher.example", Size: 300}, {From: "news@example.org", To: "jürgen@bücher.example"}, {To: "reader1@example.net"},
	}
	for i, o := range send(t.Context(), conn, envelopes) {
		if o.class != mailer.Accepted {
			t.Errorf("mail %d: %v", i, o)
		}
	}
	received := wire.Received()
	for _, to := range []string{"leser@xn--bcher-kva.example", "jürgen@xn--bcher-kva.example", "reader1@example.net"} {
		if received[to] != 1 {
			t.Errorf("%s got %d mails of %v", to, received[to], received)
		}
	}
	if from := wire.Mails()[0].From; from != "news@xn--bcher-kva.example" {
		t.Errorf("from %s", from)
	}
}

func TestSMTPUTF8IsRequestedOnlyWhenNeeded(t *testing.T) {
	t.Parallel()
	opts := sink.Options{SMTPUTF8: true, Faults: []sink.Fault{{At: sink.AtMail, Match: "SMTPUTF8", Reply: "550 5.6.7 not that"}}}
	if reply, _ := answer(t, opts, mailer.Envelope{From: "a@bücher.example", To: "b@bücher.example"}); reply.Code != 354 {
		t.Errorf("domains alone: %s", reply)
	}
	if reply, _ := answer(t, opts, mailer.Envelope{From: "a@example.org", To: "jürgen@example.net"}); reply.Code != 550 {
		t.Errorf("a local part: %s", reply)
	}
	if reply, _ := answer(t, opts, mailer.Envelope{From: "a@example.org", To: "b@example.net", NeedsUTF8: true}); reply.Code != 550 {
		t.Errorf("a sender in the header: %s", reply)
	}
}

func TestSenderWithUnicodeLocalPartNeedsSMTPUTF8(t *testing.T) {
	t.Parallel()
	for email, want := range map[string]bool{"jürgen@example.org": true, "news@bücher.example": false, "news@example.org": false} {
		for _, msg := range []mailer.Message{
			{From: mailer.Address{Name: "Jürgen", Email: email}},
			{From: mailer.Address{Email: "news@example.org"}, ReplyTo: mailer.Address{Email: email}},
		} {
			msg.To, msg.Text, msg.MessageID = mailer.Address{Email: "a@example.net"}, "Hello", "1@example.org"
			compiled, err := mailer.Compile(msg)
			if err != nil {
				t.Fatal(err)
			}
			if compiled.NeedsUTF8() != want {
				t.Errorf("from %s, replies to %s: needs SMTPUTF8 %t, want %t", msg.From.Email, msg.ReplyTo.Email, !want, want)
			}
		}
	}
}
