package delivery_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/sink"
	"github.com/tidings-press/tidings/mailer"
	"github.com/tidings-press/tidings/templates"
)

// queueSingleMails queues n single mails.
func (b *env) queueSingleMails(n int) {
	b.t.Helper()
	for i := range n {
		to := subscriber.MustParseAddress(fmt.Sprintf("reader%d@example.org", i))
		if err := b.engine.SendSingleMail(b.t.Context(), to, templates.Rendered{Subject: "Please confirm", Text: "Hello\n", HTML: "<p>Hello</p>"}); err != nil {
			b.t.Fatal(err)
		}
	}
}

func TestSingleMailsArriveOnce(t *testing.T) {
	t.Parallel()
	each(t, sink.Options{Greylist: 0}, nil, func(b *env) {
		b.start()
		b.queueSingleMails(30)
		b.eventually("all are sent", func() bool { return len(b.server.Received()) == 30 })
		b.wantOneMailEach(30)
	})
}

// TestSingleMailUnderWayAtAStopIsSentOnce stops the node after the server has the mail, and before it
// answers.
func TestSingleMailUnderWayAtAStopIsSentOnce(t *testing.T) {
	t.Parallel()
	each(t, sink.Options{Delay: 200 * time.Millisecond}, nil, func(b *env) {
		c := b.warmupClock()
		b.start()
		b.queueSingleMails(1)
		b.eventually("the server has it", func() bool { return len(b.server.Mails()) == 1 })
		b.stop()
		c.advance(time.Hour) // over the lease of the job
		b.start()
		if err := b.engine.SendSingleMail(b.t.Context(), subscriber.MustParseAddress("later@example.org"), templates.Rendered{Subject: "Later", Text: "Hello\n"}); err != nil {
			b.t.Fatal(err)
		}
		b.eventually("a later one", func() bool { return len(b.server.Received()) == 2 })
		b.wantOneMailEach(2)
	})
}

// TestSingleMailsTryWrongPasswordOnce: many servers lock an account after some wrong passwords.
// Editions do not try the password either.
func TestSingleMailsTryWrongPasswordOnce(t *testing.T) {
	t.Parallel()
	b := setup(t, store.SQLite, sink.Options{Users: map[string]string{"press": "secret"}})
	r := &b.options.Relays[0]
	r.Username, r.Password, r.Auth = "press", "wrong", mailer.AuthPlain
	b.addSubscribers(10)
	b.addArticle("ferries")
	b.start()
	b.queueSingleMails(50)
	b.eventually("the hold is shown", func() bool {
		holds, err := b.store.Holds(t.Context())
		return err == nil && len(holds) == 1 && holds[0].Kind == store.ConnectionHeld
	})
	b.send()
	time.Sleep(time.Second)
	if made, _ := b.server.Connections(); made > 2 { // one for a single mail, and one of an edition at the same moment
		t.Errorf("%d connections tried the password", made)
	}
	b.stop()
	r.Password = "secret"
	b.start()
	b.eventually("all are sent", func() bool { return b.server.Tally.Mails() == 60 })
}

// TestSingleMailsKeepRelayLimits checks a relay's limits over all nodes.
func TestSingleMailsKeepRelayLimits(t *testing.T) {
	t.Parallel()
	each(t, sink.Options{}, func(o *delivery.Options) { o.Relays[0].PerHour, o.Relays[0].Connections = 20, 1 }, func(b *env) {
		b.atBeginOfHour()
		b.start()
		b.queueSingleMails(40)
		b.eventually("as many as an hour allows", func() bool { return len(b.server.Mails()) == 20 })
		time.Sleep(500 * time.Millisecond)
		if got := len(b.server.Mails()); got != 20 {
			b.t.Errorf("%d mails in an hour, 20 are allowed", got)
		}
		if _, peak := b.server.Connections(); peak > 1 {
			b.t.Errorf("%d connections at once", peak)
		}
	})
}

// TestQueuedSingleMailsAreSentInParallel: a slow server must not make the last of many mails wait
// for all others.
func TestQueuedSingleMailsAreSentInParallel(t *testing.T) {
	t.Parallel()
	each(t, sink.Options{Delay: 100 * time.Millisecond}, nil, func(b *env) {
		b.start()
		b.queueSingleMails(40)
		b.eventually("all are sent", func() bool { return len(b.server.Received()) == 40 })
		b.wantOneMailEach(40)
		made, peak := b.server.Connections()
		if peak != 4 || made > 12 { // the relay allows four, and each takes many mails
			b.t.Errorf("%d connections, %d at once", made, peak)
		}
	})
}

func TestSingleMailGetsConnectionDuringEdition(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	each(t, sink.Options{Delay: 100 * time.Millisecond}, func(o *delivery.Options) { o.Relays[0].Connections = 2 }, func(b *env) {
		b.importSubscribers(300)
		b.addArticle("ferries")
		b.start()
		e := b.send()
		b.untilProgress(e.ID, "under way", func(p delivery.Progress) bool { return p.Counts.Sent > 20 })
		to := subscriber.MustParseAddress("waiting@example.org")
		if err := b.engine.SendSingleMail(b.t.Context(), to, templates.Rendered{Subject: "Please confirm", Text: "Hello\n", HTML: "<p>Hello</p>"}); err != nil {
			b.t.Fatal(err)
		}
		b.eventually("the single mail is there", func() bool { return b.server.Received()["waiting@example.org"] == 1 })
		if p, err := b.engine.Progress(b.t.Context(), e.ID); err != nil || p.Counts.Sent > 240 {
			b.t.Errorf("the single mail waited for the edition: %+v, %v", p.Counts, err)
		}
		if _, peak := b.server.Connections(); peak > 2 {
			b.t.Errorf("%d connections at once", peak)
		}
		b.sent(e.ID)
		b.wantOneMailEach(301)
	})
}
