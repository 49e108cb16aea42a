package delivery_test

import (
	"net/mail"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit/sink"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
	"github.com/tidings-press/tidings/mailer"
	"github.com/tidings-press/tidings/templates"
)

const unsubscribeLink = "https://gazette.example/unsubscribe/token"

// addPending adds a subscriber who has not confirmed yet.
func (b *env) addPending(address string) subscriber.Subscriber {
	b.t.Helper()
	sub, err := b.store.AddSubscriber(b.t.Context(), subscriber.Subscriber{Address: subscriber.MustParseAddress(address), State: subscriber.Pending})
	if err != nil {
		b.t.Fatal(err)
	}
	return sub
}

// sendToSubscriber sends a single mail to a subscriber.
func (b *env) sendToSubscriber(sub subscriber.Subscriber, unsubscribe string) {
	b.t.Helper()
	err := b.engine.SendToSubscriber(b.t.Context(), sub, unsubscribe, templates.Rendered{Subject: "Hello", Text: "Hello\n", HTML: "<p>Hello</p>"})
	if err != nil {
		b.t.Fatal(err)
	}
}

// paths returns the codec that the engine signs addresses with.
func (b *env) paths() *mailer.SignedAddresses {
	b.t.Helper()
	secret, err := b.store.Secret(b.t.Context(), "deliveries")
	if err != nil {
		b.t.Fatal(err)
	}
	paths, err := mailer.NewSignedAddresses(secret, "gazette.example")
	if err != nil {
		b.t.Fatal(err)
	}
	return paths
}

// TestSingleMailsHaveSignedReturnPath checks that each return path and Message-ID identifies the
// subscriber, and that a mail with an unsubscribe link has the headers for it.
func TestSingleMailsHaveSignedReturnPath(t *testing.T) {
	t.Parallel()
	b := setup(t, store.SQLite, sink.Options{})
	b.start()
	sub := b.addPending("ada@example.net")
	b.sendToSubscriber(sub, "")
	b.sendToSubscriber(sub, unsubscribeLink)
	if err := b.engine.SendSingleMail(t.Context(), subscriber.MustParseAddress("editor@example.net"), templates.Rendered{Subject: "Sign in", Text: "Hello\n"}); err != nil {
		t.Fatal(err)
	}
	b.eventually("all are sent", func() bool { return len(b.server.Mails()) == 3 })
	seen := map[string]bool{}
	for _, m := range b.server.Mails() {
		purpose, id, err := b.paths().Parse(m.From)
		if err != nil || purpose != mailer.PurposeReturnPath || id.Edition == "" || seen[m.From] {
			t.Errorf("the return path %s identifies %+v (%v), or is used twice", m.From, id, err)
		}
		seen[m.From] = true
		if toReader := m.To[0] == "ada@example.net"; toReader != (id.Person.ID == sub.UID) {
			t.Errorf("the return path of the mail to %s identifies %s", m.To[0], id.Person)
		}
		got, err := mail.ReadMessage(strings.NewReader(string(m.Data)))
		if err != nil {
			t.Fatal(err)
		}
		if purpose, named, err := b.paths().Parse(got.Header.Get("Message-ID")); err != nil || purpose != mailer.PurposeMessageID || named != id {
			t.Errorf("the Message-ID %s identifies %+v (%v), want %+v", got.Header.Get("Message-ID"), named, err, id)
		}
		list := got.Header.Get("List-Unsubscribe")
		switch {
		case list == "":
			if got.Header.Get("List-Unsubscribe-Post") != "" {
				t.Error("a mail without an unsubscribe URL offers one-click unsubscription")
			}
		case !strings.HasPrefix(list, "<"+unsubscribeLink+">, <mailto:u-") || got.Header.Get("List-Unsubscribe-Post") != "List-Unsubscribe=One-Click":
			t.Errorf("List-Unsubscribe: %s, -Post: %s", list, got.Header.Get("List-Unsubscribe-Post"))
		}
	}
}

// TestUnreadAddressesAreNotOffered: neither as return paths nor for unsubscribing.
func TestUnreadAddressesAreNotOffered(t *testing.T) {
	t.Parallel()
	b := setup(t, store.SQLite, sink.Options{})
	b.options.ReturnPaths, b.options.UnsubscribeMail = false, false
	b.addSubscribers(2)
	b.addArticle("ferries")
	b.start()
	if _, err := b.engine.SendTest(t.Context(), "weekly", delivery.PreviewOptions{}, subscriber.MustParseAddress("editor@example.net")); err != nil {
		t.Fatal(err)
	}
	b.sendToSubscriber(b.addPending("ada@example.net"), unsubscribeLink)
	b.sent(b.send().ID)
	b.eventually("all are sent", func() bool { return len(b.server.Mails()) == 4 })
	for _, m := range b.server.Mails() {
		if m.From != "editor@gazette.example" {
			t.Errorf("the mail to %s has the return path %s", m.To, m.From)
		}
		got, err := mail.ReadMessage(strings.NewReader(string(m.Data)))
		if err != nil {
			t.Fatal(err)
		}
		if list := got.Header.Get("List-Unsubscribe"); !strings.HasPrefix(list, "<https://") || strings.Contains(list, "mailto:") {
			t.Errorf("List-Unsubscribe: %s", list)
		}
	}
}

// TestRefusedConfirmationIsRecorded checks that confirmations follow the rules for editions.
func TestRefusedConfirmationIsRecorded(t *testing.T) {
	t.Parallel()
	b := setup(t, store.SQLite, sink.Options{Faults: []sink.Fault{
		{At: sink.AtRcpt, Match: "gone@", Reply: "550 5.1.1 no such user"},
		{At: sink.AtRcpt, Match: "full@", Reply: "552 5.2.2 mailbox full"},
		{At: sink.AtRcpt, Match: "block@", Reply: "550 5.7.1 your network is blocked", Times: 1},
	}})
	b.start()
	gone, full, blocked := b.addPending("gone@example.net"), b.addPending("full@example.net"), b.addPending("block@example.net")
	for _, sub := range []subscriber.Subscriber{gone, full, blocked} {
		b.sendToSubscriber(sub, "")
	}
	state := func(sub subscriber.Subscriber) (subscriber.State, int) {
		got, err := b.store.Subscriber(t.Context(), sub.ID)
		if err != nil {
			t.Fatal(err)
		}
		return got.State, got.Soft
	}
	b.eventually("a refusal is recorded", func() bool { s, _ := state(gone); return s == subscriber.Bounced })
	b.eventually("a full mailbox is counted", func() bool { s, n := state(full); return s == subscriber.Pending && n == 1 })
	b.eventually("a block is tried again", func() bool { return b.server.Received()["block@example.net"] == 1 })
	if s, n := state(blocked); s != subscriber.Pending || n != 0 {
		t.Errorf("after a block: %s, %d", s, n)
	}
	if held, err := b.store.Suppression(t.Context(), gone.Address); err != nil || held.Reason != store.BouncedReason {
		t.Errorf("%+v, %v", held, err)
	}
}

// TestSingleMailIsNotSentAfterABounce: a second confirmation that was queued before the first one
// bounced is not sent. A mail to an editor at the same address is none to the subscriber.
func TestSingleMailIsNotSentAfterABounce(t *testing.T) {
	t.Parallel()
	b := setup(t, store.SQLite, sink.Options{Faults: []sink.Fault{{At: sink.AtRcpt, Match: "gone@", Reply: "550 5.1.1 no such user", Times: 1}}})
	b.start()
	gone := b.addPending("gone@example.net")
	b.sendToSubscriber(gone, "")
	b.eventually("the refusal is recorded", func() bool {
		got, err := b.store.Subscriber(t.Context(), gone.ID)
		return err == nil && got.State == subscriber.Bounced
	})
	b.sendToSubscriber(gone, "")
	b.eventually("the second mail has failed", func() bool { return storetest.CountJobs(t, b.store, "failed") == 2 })
	if err := b.engine.SendSingleMail(t.Context(), gone.Address, templates.Rendered{Subject: "Sign in", Text: "Hello\n"}); err != nil {
		t.Fatal(err)
	}
	b.eventually("the mail to the editor is sent", func() bool { return len(b.server.Mails()) == 1 })
}
