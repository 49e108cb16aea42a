package delivery_test

import (
	"testing"

	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/sink"
)

// TestEditionWithOnlyRetriesLeftIsShownAsSent: five full mailboxes of twenty keep an edition open
// for days, although all other subscribers have it.
func TestEditionWithOnlyRetriesLeftIsShownAsSent(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	each(t, sink.Options{Faults: []sink.Fault{{At: sink.AtRcpt, Reply: "452 4.2.2 mailbox full", Times: 5}}}, nil, func(b *env) {
		b.options.Policy.Chunk = 7
		b.addSubscribers(20)
		b.addArticle("ferries")
		b.start()
		e := b.send()
		var last delivery.Progress
		moved := false
		for p := range b.engine.Watch(b.t.Context(), e.ID) {
			moved = moved || p.Rate > 0
			// The rate of the last mails falls to zero while nothing else changes.
			if last = p; p.Retrying() && p.Rate == 0 {
				break
			}
		}
		if last.Edition.State != digest.Sending || last.StateText().String() != "sent, 5 retrying" || last.Idle() {
			b.t.Errorf("%s %+v: %q", last.Edition.State, last.Counts, last.StateText())
		}
		if !moved {
			b.t.Error("no rate was shown while mails were sent")
		}
	})
}

func TestStateTextNamesRetriesOnlyWhenNothingElseIsLeft(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		state  digest.State
		counts store.DeliveryCounts
		want   string
	}{
		{digest.Sending, store.DeliveryCounts{Total: 200, Sent: 195, Deferred: 5}, "sent, 5 retrying"},
		{digest.Sending, store.DeliveryCounts{Total: 200, Sent: 196, Deferred: 5}, "sent, 4 retrying"}, // one is retried now
		{digest.Sending, store.DeliveryCounts{Total: 200, Sent: 190, Refused: 2, Skipped: 1, Uncertain: 2, Deferred: 5}, "sent, 5 retrying"},
		{digest.Sending, store.DeliveryCounts{Total: 5, Deferred: 5}, "none sent yet, 5 retrying"},
		{digest.Sending, store.DeliveryCounts{Total: 200, Sent: 195, Deferred: 5, Warming: 5}, "sending, 5 waiting for warm-up"},
		{digest.Sending, store.DeliveryCounts{Total: 200, Sent: 195, Deferred: 5, Warming: 3}, "sending, 2 retrying and 3 waiting for warm-up"},
		{digest.Sending, store.DeliveryCounts{Total: 200, Sent: 194, Deferred: 5, Warming: 5}, "sending"},
		{digest.Sending, store.DeliveryCounts{Total: 200, Sent: 194, Deferred: 5}, "sending"},
		{digest.Sending, store.DeliveryCounts{Total: 200, Sent: 200}, "sending"},
		{digest.Paused, store.DeliveryCounts{Total: 200, Sent: 195, Deferred: 5}, "paused"},
		{digest.Sent, store.DeliveryCounts{Total: 200, Sent: 195, Refused: 5}, "sent"},
	} {
		if got := delivery.StateText(c.state, c.counts).String(); got != c.want {
			t.Errorf("%s %+v: %q, want %q", c.state, c.counts, got, c.want)
		}
	}
}
