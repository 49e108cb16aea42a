package delivery_test

import (
	"fmt"
	"testing"

	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/sink"
)

// TestWaitingDraftsDoNotBlockSchedule covers drafts that wait for an editor and drafts of digests
// that were removed from the configuration.
func TestWaitingDraftsDoNotBlockSchedule(t *testing.T) {
	t.Parallel()
	each(t, sink.Options{}, nil, func(b *env) {
		b.addSubscribers(3)
		b.newDeliveryEngine()
		for i := range 25 {
			b.addArticle(fmt.Sprint("waits", i))
			if _, err := b.engine.Draft(b.t.Context(), "weekly", delivery.SendOptions{By: "ann"}); err != nil {
				b.t.Fatal(err)
			}
			gone := store.Edition{Automatic: true, Edition: digest.Edition{ID: fmt.Sprint("gone", i), Digest: "gone", ScheduledFor: fmt.Sprint("tick", i), Created: b.store.Now()}}
			if _, err := b.store.CreateDraft(b.t.Context(), gone, nil); err != nil {
				b.t.Fatal(err)
			}
		}
		b.options.Digests[0].Schedule = secondsSchedule(b.t)
		b.addArticle("ferries")
		b.start()
		var e store.Edition
		b.eventually("an edition by schedule", func() bool {
			last, err := b.store.Editions(b.t.Context(), "weekly", 1)
			if err != nil {
				b.t.Fatal(err)
			}
			e = last[0]
			return e.Automatic
		})
		b.sent(e.ID)
		b.wantOneMailEach(3)
	})
}

// TestCancelledEditionKeepsItsArticlesAfterFirstMail also covers an edition that was paused and
// resumed before its first mail.
func TestCancelledEditionKeepsItsArticlesAfterFirstMail(t *testing.T) {
	t.Parallel()
	each(t, sink.Options{PerConnection: 1, Faults: []sink.Fault{{At: sink.AtRcpt, After: 1, Reply: "450 4.2.1 later"}}}, nil, func(b *env) {
		b.addSubscribers(5)
		b.addArticle("ferries")
		b.newDeliveryEngine()
		e := b.send()
		if err := b.engine.Pause(b.t.Context(), e.ID, ""); err != nil {
			b.t.Fatal(err)
		}
		if err := b.engine.Resume(b.t.Context(), e.ID); err != nil {
			b.t.Fatal(err)
		}
		b.start()
		b.untilProgress(e.ID, "sent to one subscriber", func(p progress) bool { return p.Counts.Sent == 1 && p.Counts.Deferred == 4 })
		if err := b.engine.Cancel(b.t.Context(), e.ID, "a wrong headline"); err != nil {
			b.t.Fatal(err)
		}
		b.untilProgress(e.ID, "cancelled", func(p progress) bool { return p.Counts.Skipped == 4 })
		if again, err := b.engine.SendNow(b.t.Context(), "weekly", "ann"); err == nil {
			b.t.Errorf("articles that one subscriber has received were sent again: %+v", again.Articles)
		}
	})
}
