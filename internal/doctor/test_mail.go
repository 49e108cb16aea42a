package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// TestMail holds the settings of the check test-mail, which sends mails and reads them back.
type TestMail struct {
	To     string   // address
	Relays []string // names; each sends one mail
	// Send sends a mail by a relay.
	Send func(ctx context.Context, relay string) (SentMail, error)
	// Read shows the mails of the mailbox that it has not shown before, until visit returns true. Nil
	// without a mailbox.
	Read    func(ctx context.Context, visit func(mail []byte) bool) error
	Mailbox string        // what Read reads, for messages
	Wait    time.Duration // for the arrival; 0 for two minutes
}

// SentMail is a test mail as a relay took it.
type SentMail struct {
	Relay      string
	Code       string // only this mail contains it, in its subject and its text
	From       string // address of the sender
	ReturnPath string
	MessageID  string // without angle brackets
}

// testMailCheck is the name of the check that sends mails. It runs only if there is a TestMail.
const testMailCheck = "test-mail"

const (
	arrivalWait = 2 * time.Minute // when TestMail.Wait is 0
	sendingWait = 6 * time.Minute // for handing the mails to the relays, and for looking up what they need
	firstDelay  = 200 * time.Millisecond
	maxDelay    = 5 * time.Second // between two passes over the mailbox
)

// wait returns how long the arrival is awaited.
func (t *TestMail) wait() time.Duration {
	if t.Wait > 0 {
		return t.Wait
	}
	return arrivalWait
}

// arrived is a test mail as the mailbox has it.
type arrived struct {
	sent SentMail
	data []byte // nil if it did not arrive
}

// checkTestMail sends a mail by each relay, waits for it and checks its headers.
func checkTestMail(ctx context.Context, o *Options) (out []Finding) {
	switch {
	case o.Config == nil:
		return one(withoutConfig)
	case o.Store == nil:
		return one(withoutStore)
	case len(o.TestMail.Relays) == 0:
		return one(Finding{Severity: Error, What: "no test mail was sent, because no relay is configured", Fix: "Add a server under relays."})
	}
	var mails []*arrived
	for _, relay := range o.TestMail.Relays {
		sent, err := o.TestMail.Send(ctx, relay)
		if err != nil {
			out = append(out, Finding{Severity: Error, What: fmt.Sprintf("the test mail to %s could not be sent over relay %s: %v", o.TestMail.To, relay, err), Why: "Editions meet the same refusal.", Fix: "Correct what the server says; the check relay has more."})
			continue
		}
		sent.Relay = relay
		mails = append(mails, &arrived{sent: sent})
	}
	if o.TestMail.Read == nil {
		for _, mail := range mails {
			out = append(out, unread(o, mail.sent))
		}
		return out
	}
	if err := o.TestMail.await(ctx, mails); err != nil {
		return append(out, Finding{Severity: Error, What: fmt.Sprintf("%s cannot be read: %v", o.TestMail.Mailbox, err), Why: "The headers of the test mail could not be checked.", Fix: "Correct mail.test_mailbox (docs/doctor.md)."})
	}
	for _, mail := range mails {
		if mail.data == nil {
			out = append(out, missing(o, mail.sent))
			continue
		}
		out = append(out, checkArrived(ctx, o, mail)...)
	}
	return out
}

// await fills in the mails that arrive in time. It returns an error if a mailbox cannot be read.
func (t *TestMail) await(ctx context.Context, mails []*arrived) error {
	limited, cancel := context.WithTimeout(ctx, t.wait())
	defer cancel()
	open := func() bool {
		return slices.ContainsFunc(mails, func(m *arrived) bool { return m.data == nil })
	}
	visit := func(data []byte) bool {
		for _, mail := range mails {
			if mail.data == nil && mail.sent.isIn(data) {
				mail.data = crlf(data)
				break
			}
		}
		return !open()
	}
	for pause := firstDelay; open(); pause = min(2*pause, maxDelay) {
		if err := t.Read(limited, visit); err != nil {
			if limited.Err() != nil && ctx.Err() == nil {
				return nil // the time is over
			}
			return err
		}
		select {
		case <-limited.Done():
			if err := ctx.Err(); err != nil && !errors.Is(err, context.DeadlineExceeded) {
				return err
			}
			return nil
		case <-time.After(pause):
		}
	}
	return nil
}

// unread is the finding for a mail that no configured mailbox receives.
func unread(o *Options, sent SentMail) Finding {
	return Finding{
		Severity: Notice, What: fmt.Sprintf("relay %s took a test mail to %s; no mailbox is configured in which it can be read", sent.Relay, o.TestMail.To),
		Fix: fmt.Sprintf("Open it there and show its source. Authentication-Results should say spf=pass, dkim=pass with header.d of %s or a domain above it, and dmarc=pass; Return-Path should be <%s>. With mail.test_mailbox set, doctor reads them itself.", domainOf(sent.From), sent.ReturnPath),
	}
}

// missing is the finding for a mail that did not arrive.
func missing(o *Options, sent SentMail) Finding {
	return Finding{
		Severity: Error, What: fmt.Sprintf("the test mail over relay %s did not arrive in %s within %s", sent.Relay, o.TestMail.Mailbox, o.TestMail.wait()),
		Why: fmt.Sprintf("The relay took it for %s. It may be queued there, refused by the next server (a bounce then goes to %s), or filtered into another folder.", o.TestMail.To, sent.ReturnPath),
		Fix: "Look for it in the relay's queue and log and in the folder for spam, and check that mail.test_mailbox is the mailbox of the address. --wait waits longer.",
	}
}
