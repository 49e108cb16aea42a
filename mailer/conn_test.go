package mailer_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/sink"
	"github.com/tidings-press/tidings/mailer"
)

const body = "Subject: x\r\n\r\nhello\r\n"

func plainRelay(port int) mailer.Relay {
	return mailer.Relay{Host: "127.0.0.1", Port: port, Security: mailer.NoTLS, Timeouts: mailer.Timeouts{
		Connect: 20 * time.Second, Command: 20 * time.Second, Body: 20 * time.Second, Final: 20 * time.Second,
	}}
}

func dial(t *testing.T, relay mailer.Relay) *mailer.Conn {
	t.Helper()
	conn, err := mailer.Dial(t.Context(), relay)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func envelopeTo(i int) mailer.Envelope {
	return mailer.Envelope{From: "b-1@example.org", To: fmt.Sprintf("reader%d@example.net", i)}
}

// outcome is the result of sending one mail.
type outcome struct {
	class mailer.Class
	stage mailer.Stage
	code  int
}

// send sends one mail to each envelope over one connection, until it breaks, in the same way as the
// delivery engine.
func send(ctx context.Context, conn *mailer.Conn, envelopes []mailer.Envelope) []outcome {
	var all []outcome
	note := func(reply mailer.Reply, err error) mailer.Class {
		o := outcome{class: mailer.Classify(reply, err), stage: reply.Stage, code: reply.Code}
		var broken *mailer.BrokenError
		if errors.As(err, &broken) {
			o.stage = broken.Stage
		}
		all = append(all, o)
		return o.class
	}
	open := false
	for i := range envelopes {
		if !conn.Usable() {
			break
		}
		if !open {
			if err := conn.SendEnvelope(ctx, envelopes[i]); err != nil {
				note(mailer.Reply{}, err)
				continue
			}
		}
		open = false
		reply, err := conn.AwaitReady(ctx)
		if err != nil || !reply.OK() {
			note(reply, err)
			continue
		}
		var next *mailer.Envelope
		if i+1 < len(envelopes) {
			next = &envelopes[i+1]
		}
		reply, err = conn.Deliver(ctx, []byte(body), next)
		note(reply, err)
		open = next != nil
	}
	return all
}

func envelopesTo(n int) []mailer.Envelope {
	all := make([]mailer.Envelope, n)
	for i := range all {
		all[i] = envelopeTo(i)
	}
	return all
}

func TestEachRecipientGetsOneMail(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string]sink.Options{
		"pipelined":              {},
		"one command at a time":  {NoPipelining: true},
		"LMTP":                   {LMTP: true},
		"354 after refused RCPT": {Lenient: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			opts.Faults = []sink.Fault{
				{At: sink.AtRcpt, Match: "reader3@", Reply: "550 5.1.1 no such user"},
				{At: sink.AtRcpt, Match: "reader4@", Reply: "450 4.2.1 try later"},
				{At: sink.AtMail, After: 6, Times: 1, Reply: "451 4.3.0 not now"},
				{At: sink.AfterDot, Match: "reader9@", Reply: "554 5.7.1 spam"},
			}
			wire := testkit.StartSMTPServer(t, opts)
			relay := plainRelay(wire.Port())
			if opts.LMTP {
				relay.Protocol = mailer.LMTP
			}
			conn := dial(t, relay)
			if conn.Pipelining() == opts.NoPipelining {
				t.Errorf("pipelining is %v", conn.Pipelining())
			}
			got := send(t.Context(), conn, envelopesTo(20))
			if err := conn.Quit(); err != nil {
				t.Errorf("Quit: %v", err)
			}
			want := map[int]outcome{
				3: {mailer.Suppress, mailer.StageRcpt, 550}, 4: {mailer.Later, mailer.StageRcpt, 450},
				6: {mailer.Later, mailer.StageMail, 451}, 9: {mailer.OurFault, mailer.StageFinal, 554},
			}
			received := wire.Received()
			for i, o := range got {
				w, refused := want[i]
				if !refused {
					w = outcome{mailer.Accepted, mailer.StageFinal, 250}
				}
				if o != w {
					t.Errorf("mail %d: %v, want %v", i, o, w)
				}
				if n := received[envelopeTo(i).To]; (n == 1) == refused || n > 1 {
					t.Errorf("mail %d was received %d times", i, n)
				}
			}
			if len(got) != 20 || wire.Tally.Mails() != 16 || wire.Tally.Empty() != 0 || conn.Accepted() != 16 {
				t.Errorf("%d outcomes, %d mails received (%d empty), %d counted by the client", len(got), wire.Tally.Mails(), wire.Tally.Empty(), conn.Accepted())
			}
			for _, m := range wire.Mails() {
				if string(m.Data) != body {
					t.Errorf("body %q", m.Data)
				}
			}
		})
	}
}

// TestBrokenConnectionsReportTheCertainOutcome breaks a connection at its third mail, at every
// stage and in every way.
func TestBrokenConnectionsReportTheCertainOutcome(t *testing.T) {
	t.Parallel()
	for _, stage := range []sink.Stage{sink.AtMail, sink.AtRcpt, sink.AtData, sink.InBody, sink.AfterDot, sink.AfterReply} {
		for action, word := range map[sink.Action]string{sink.Cut: "cut", sink.Hang: "hang", sink.SendReply: "421"} {
			for _, single := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s at %s, single commands %v", word, stage, single), func(t *testing.T) {
					t.Parallel()
					fault := sink.Fault{At: stage, Do: action, Reply: "421 4.3.2 closing", After: 2}
					wire := testkit.StartSMTPServer(t, sink.Options{Faults: []sink.Fault{fault}, NoPipelining: single})
					relay := plainRelay(wire.Port())
					if action == sink.Hang {
						relay.Timeouts.Command, relay.Timeouts.Final = time.Second, time.Second
					}
					conn := dial(t, relay)
					got := send(t.Context(), conn, envelopesTo(5))
					checkBroken(t, wire, got, stage, action)
				})
			}
		}
	}
}

func checkBroken(t *testing.T, wire *testkit.SMTPServer, got []outcome, stage sink.Stage, action sink.Action) {
	t.Helper()
	want := mailer.Retry
	switch {
	case stage == sink.AfterReply:
		want = mailer.Accepted
	case action == sink.SendReply && stage != sink.InBody:
		want = mailer.Later
	case stage == sink.AfterDot, stage == sink.InBody:
		want = mailer.Uncertain // the dot was sent: a small body is sent in one write
	}
	if len(got) < 3 || got[0].class != mailer.Accepted || got[1].class != mailer.Accepted {
		t.Fatalf("outcomes %v", got)
	}
	if got[2].class != want && !(stage == sink.InBody && action == sink.SendReply && got[2].class == mailer.Later) {
		t.Errorf("the current mail is %v, want %s", got[2], want)
	}
	for i, o := range got {
		n := wire.Received()[envelopeTo(i).To]
		switch o.class {
		case mailer.Accepted:
			if n != 1 {
				t.Errorf("mail %d counts as accepted but was received %d times", i, n)
			}
		case mailer.Uncertain:
		default:
			if n != 0 {
				t.Errorf("mail %d counts as %s but was received %d times", i, o.class, n)
			}
		}
	}
}

func TestAcceptedButUnansweredIsUncertain(t *testing.T) {
	t.Parallel()
	wire := testkit.StartSMTPServer(t, sink.Options{Faults: []sink.Fault{{At: sink.AfterDot, Do: sink.Cut, Accept: true}}})
	got := send(t.Context(), dial(t, plainRelay(wire.Port())), envelopesTo(1))
	if len(got) != 1 || got[0].class != mailer.Uncertain || wire.Tally.Mails() != 1 {
		t.Errorf("%v, %d mails accepted", got, wire.Tally.Mails())
	}
}

func TestLargeBodyCutInTheMiddleWasNotAccepted(t *testing.T) {
	t.Parallel()
	wire := testkit.StartSMTPServer(t, sink.Options{Faults: []sink.Fault{{At: sink.InBody, Do: sink.Cut}}})
	conn := dial(t, plainRelay(wire.Port()))
	if err := conn.SendEnvelope(t.Context(), envelopeTo(1)); err != nil {
		t.Fatal(err)
	}
	if reply, err := conn.AwaitReady(t.Context()); err != nil || reply.Code != 354 {
		t.Fatal(reply, err)
	}
	reply, err := conn.Deliver(t.Context(), []byte(strings.Repeat("line\r\n", 10<<20)), nil)
	if class := mailer.Classify(reply, err); class != mailer.Retry {
		t.Errorf("class %s (%v, %v), want %s", class, reply, err, mailer.Retry)
	}
}

func TestCancellationInterrupts(t *testing.T) {
	t.Parallel()
	wire := testkit.StartSMTPServer(t, sink.Options{Faults: []sink.Fault{{At: sink.AfterDot, Do: sink.Hang, Accept: true}}})
	relay := plainRelay(wire.Port())
	relay.Timeouts = mailer.Timeouts{}
	conn := dial(t, relay)
	ctx, cancel := context.WithCancel(t.Context())
	if err := conn.SendEnvelope(ctx, envelopeTo(1)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.AwaitReady(ctx); err != nil {
		t.Fatal(err)
	}
	go func() { // once the server has the whole mail
		defer cancel()
		for len(wire.Mails()) == 0 && t.Context().Err() == nil {
			time.Sleep(5 * time.Millisecond)
		}
	}()
	_, err := conn.Deliver(ctx, []byte(body), nil)
	if !errors.Is(err, context.Canceled) || mailer.Classify(mailer.Reply{}, err) != mailer.Uncertain || conn.Usable() {
		t.Errorf("%v, usable %v", err, conn.Usable())
	}
}

func TestDotsAreDoubledUnlessTheBodyIsRendered(t *testing.T) {
	t.Parallel()
	inbox := testkit.StartInbox(t, testkit.InboxOptions{})
	conn := dial(t, plainRelay(inbox.Port()))
	text := ".one\r\n..two\r\nthree\r\n.\r\nlast"
	if err := conn.SendEnvelope(t.Context(), envelopeTo(1)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.AwaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	if reply, err := conn.Deliver(t.Context(), []byte(text), nil); err != nil || !reply.OK() {
		t.Fatal(reply, err)
	}
	if got := string(inbox.Mails()[0].Data); got != text+"\r\n" {
		t.Errorf("received %q", got)
	}
}

// TestUnexpectedRepliesEndTheConnection: a reply that comes too early must not be taken for the
// reply to the body.
func TestUnexpectedRepliesEndTheConnection(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]mailer.Class{"250 2.0.0 taken": mailer.Retry, "421 4.4.2 idle too long": mailer.Later, "hello": mailer.Retry} {
		wire := testkit.StartSMTPServer(t, sink.Options{Faults: []sink.Fault{{At: sink.AtData, Reply: "354 go on\r\n" + line}}})
		got := send(t.Context(), dial(t, plainRelay(wire.Port())), envelopesTo(2))
		if len(got) != 1 || got[0].class != want || wire.Tally.Mails() != 0 {
			t.Errorf("%s: %v, want %s; %d mails", line, got, want, wire.Tally.Mails())
		}
	}
}
