package delivery_test

import (
	"fmt"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit/sink"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// TestDeadMailboxesThrottleNeitherDomainNorRelay: Outlook.com and Orange refuse dead mailboxes with
// codes of the protocol class, and other subscribers there get their mail.
func TestDeadMailboxesThrottleNeitherDomainNorRelay(t *testing.T) {
	t.Parallel()
	for name, reply := range map[string]string{
		"outlook.com": "550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302). [AM0EUR02FT035.eop-EUR02.prod.protection.outlook.com]",
		"orange":      "550 5.5.0 Adresse d au moins un destinataire invalide. Invalid recipient. OFR_416 [416]",
		"laposte":     "554 Adresse destinataire invalide. Invalid recipient. LPN007_416",
		"yandex":      "550 5.7.1 No such user!",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := setupFaulty(t, sink.Options{Faults: []sink.Fault{{At: sink.AtRcpt, Match: "reader1", Reply: reply}}})
			f.options.Relays[0].Connections = 1
			f.addSubscribers(40) // reader1 and reader10 to reader19 are dead
			f.addArticle("ferries")
			f.start()
			if p := f.sent(f.send().ID); p.Counts != (store.DeliveryCounts{Total: 40, Sent: 29, Refused: 11}) {
				t.Errorf("counts %+v", p.Counts)
			}
			f.wantOneMailEach(29)
			f.wantState(1, subscriber.Bounced)
			f.wantState(2, subscriber.Active)
			if holds, err := f.store.Holds(t.Context()); err != nil || len(holds) != 0 {
				t.Errorf("holds: %+v, %v", holds, err)
			}
		})
	}
}

// subscribe adds an address to the weekly digest.
func (b *env) subscribe(address string) subscriber.Subscriber {
	b.t.Helper()
	sub, err := b.store.AddSubscriber(b.t.Context(), subscriber.Subscriber{Address: subscriber.MustParseAddress(address), State: subscriber.Active})
	if err == nil {
		err = b.store.Subscribe(b.t.Context(), sub.ID, "weekly", nil)
	}
	if err != nil {
		b.t.Fatal(err)
	}
	return sub
}

// TestQuotedLocalPartsReceiveMail: RFC 5321, section 4.1.2, allows spaces and more in them.
func TestQuotedLocalPartsReceiveMail(t *testing.T) {
	t.Parallel()
	b := setup(t, store.SQLite, sink.Options{})
	addresses := []string{`"two words"@example.org`, `"a@b"@example.org`, `"say \"hi\""@example.org`}
	for _, address := range addresses {
		b.subscribe(address)
	}
	b.addArticle("ferries")
	b.start()
	if p := b.sent(b.send().ID); p.Counts != (store.DeliveryCounts{Total: 3, Sent: 3}) {
		t.Errorf("counts %+v", p.Counts)
	}
	received := b.server.Received()
	for _, address := range addresses {
		if received[address] != 1 {
			t.Errorf("%s is not among %v", address, received)
		}
	}
	for _, m := range b.server.Mails() {
		got, err := mail.ReadMessage(strings.NewReader(string(m.Data)))
		if err != nil {
			t.Fatal(err)
		}
		if to := got.Header.Get("To"); to != "<"+m.To[0]+">" {
			t.Errorf("To: %s in the mail to %s", to, m.To)
		}
	}
}

// TestUnsendableAddressIsNotSuppressed: an address with Unicode in its local part cannot be sent to
// a relay without SMTPUTF8, which does not mean that the mailbox is dead.
func TestUnsendableAddressIsNotSuppressed(t *testing.T) {
	t.Parallel()
	b := setup(t, store.SQLite, sink.Options{})
	sub := b.subscribe("jürgen@example.org")
	b.addSubscribers(3)
	for i := range 4 {
		b.addArticle(fmt.Sprintf("ferries-%d", i))
		if i == 0 {
			b.start()
		}
		e := b.send()
		if p := b.sent(e.ID); p.Counts != (store.DeliveryCounts{Total: 4, Sent: 3, Skipped: 1}) {
			t.Errorf("counts %+v", p.Counts)
		}
		kept, err := b.store.Edition(t.Context(), e.ID)
		if err != nil {
			t.Fatal(err)
		}
		d, err := storetest.Delivery(t, b.store, kept, sub.ID)
		if err != nil || d.State != digest.DeliverySkipped || !strings.Contains(d.Reason, "SMTPUTF8") || d.Code != 0 || d.Reply != "" {
			t.Errorf("%+v, %v", d, err)
		}
	}
	if got, err := b.store.Subscriber(t.Context(), sub.ID); err != nil || got.State != subscriber.Active || got.Soft != 0 {
		t.Errorf("%+v, %v", got, err)
	}
	if back, err := b.store.FeedbackOf(t.Context(), sub.ID, 10); err != nil || len(back) != 0 {
		t.Errorf("recorded %+v, %v", back, err)
	}
}

// TestPersistentlyFullMailboxIsSoftBounce: a mail that its server defers until the retries end
// counts as a soft bounce when the mailbox is full, and not when the server blocks us.
func TestPersistentlyFullMailboxIsSoftBounce(t *testing.T) {
	t.Parallel()
	f := setupFaulty(t, sink.Options{Faults: []sink.Fault{
		{At: sink.AtRcpt, Match: "reader1@", Reply: "452 4.2.2 mailbox full"},
		{At: sink.AtRcpt, Match: "reader2@", Reply: "450 4.2.0 your address is on a block list"},
	}})
	f.addSubscribers(4)
	f.addArticle("ferries")
	f.start()
	e := f.send()
	for range 3 {
		f.eventually("both mails are deferred", func() bool {
			p, err := f.engine.Progress(t.Context(), e.ID)
			return err == nil && p.Counts.Deferred == 2 && p.Counts.Sent == 2
		})
		faults := f.server.FaultCount(0) + f.server.FaultCount(1)
		f.forward(25 * time.Hour)
		f.eventually("both mails are tried again", func() bool { return f.server.FaultCount(0)+f.server.FaultCount(1) == faults+2 })
	}
	if p := f.sent(e.ID); p.Counts != (store.DeliveryCounts{Total: 4, Sent: 2, Refused: 2}) {
		t.Errorf("counts %+v", p.Counts)
	}
	for n, want := range map[int]int{1: 1, 2: 0} {
		sub, err := f.store.SubscriberByAddress(t.Context(), subscriber.MustParseAddress(fmt.Sprintf("reader%d@example.org", n)))
		if err != nil || sub.Soft != want || sub.State != subscriber.Active {
			t.Errorf("subscriber %d has %d soft bounces and is %s (%v), want %d", n, sub.Soft, sub.State, err, want)
		}
	}
}
