package delivery_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/schedule"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/sink"
)

// held returns the edition that a digest's schedule made, once it is held.
func (b *env) held() store.Edition {
	b.t.Helper()
	var found store.Edition
	b.eventually("an edition is held", func() bool {
		all, err := b.store.HeldEditions(context.Background(), 10)
		if err != nil {
			b.t.Fatal(err)
		}
		if len(all) > 0 {
			found = all[0]
		}
		return len(all) > 0
	})
	return found
}

// TestFirstLargeEditionWaitsForAGoodDiagnosis sends a scheduled edition to 1,001 subscribers: it is held
// over restarts, and sent once, as the same edition, when a run of doctor found no errors.
func TestFirstLargeEditionWaitsForAGoodDiagnosis(t *testing.T) {
	t.Parallel()
	each(t, sink.Options{}, func(o *delivery.Options) {
		o.FirstSendCheck = true
		var err error
		if o.Digests[0].Schedule, err = schedule.Parse("* * * * * *", "UTC"); err != nil {
			t.Fatal(err)
		}
	}, func(b *env) {
		ctx := context.Background()
		b.importSubscribers(store.FirstSendLimit + 1)
		b.addArticle("one")
		b.start()
		edition := b.held()
		if !edition.Automatic || edition.State != digest.Draft {
			t.Fatalf("the held edition is %+v", edition)
		}
		b.stop()
		if err := b.store.RecordDiagnosis(ctx, store.Diagnosis{At: time.Now(), Errors: 1}); err != nil {
			t.Fatal(err)
		}
		b.start()
		if again := b.held(); again.ID != edition.ID || len(b.server.Mails()) > 0 {
			t.Fatalf("after a restart %s is held, and %d mails were sent", again.ID, len(b.server.Mails()))
		}
		if err := b.store.RecordDiagnosis(ctx, store.Diagnosis{At: time.Now(), Warnings: 3}); err != nil {
			t.Fatal(err)
		}
		b.sent(edition.ID)
		b.wantOneMailEach(store.FirstSendLimit + 1)
		if err := b.store.RecordDiagnosis(ctx, store.Diagnosis{At: time.Now(), Errors: 1}); err != nil {
			t.Fatal(err)
		}
		if allowed, err := b.store.MaySendFirst(ctx); err != nil || !allowed {
			t.Errorf("after a large edition the next one may be sent: %v, %v", allowed, err)
		}
	})
}

// TestFirstLargeEditionOfAnEditorIsRefused refuses what an editor sends to 1,001 subscribers until an owner
// lets it pass, and nothing to 1,000.
func TestFirstLargeEditionOfAnEditorIsRefused(t *testing.T) {
	t.Parallel()
	each(t, sink.Options{}, func(o *delivery.Options) { o.FirstSendCheck = true }, func(b *env) {
		ctx := context.Background()
		b.importSubscribers(store.FirstSendLimit)
		b.addArticle("one")
		b.start()
		b.sent(b.send().ID)
		b.importList("address\nlast@example.org\n", 1)
		b.addArticle("two")
		var refused *delivery.FirstSendError
		if _, err := b.engine.SendNow(ctx, "weekly", "ann"); !errors.As(err, &refused) {
			t.Fatalf("an edition to 1,001 subscribers: %v", err)
		}
		if err := b.store.AcceptFirstSend(ctx, "ann"); err != nil {
			t.Fatal(err)
		}
		open, err := b.store.OpenEditions(ctx, 10)
		if err != nil || len(open) != 1 {
			t.Fatalf("%d open editions, want the draft that was refused: %v", len(open), err)
		}
		b.sent(open[0].ID)
		if d, err := b.store.Diagnosis(ctx); err != nil || d.AcceptedBy != "ann" || d.Good() {
			t.Errorf("the diagnosis is %+v, %v", d, err)
		}
	})
}
