package delivery_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/sink"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// eachUndoing runs a test on both engines, with a running node and a clock that the test moves.
func eachUndoing(t *testing.T, test func(b *env, c *clock)) {
	t.Helper()
	each(t, sink.Options{}, nil, func(b *env) {
		c := &clock{}
		c.now.Store(time.Now().UnixMilli())
		b.store = storetest.Reopen(b.t, b.dsn, store.Options{Clock: c.Now})
		b.options.Store = b.store
		b.editor("ann@gazette.example", "editor") // has the id 1
		b.addSubscribers(3)
		b.addArticle("ferries")
		b.start()
		test(b, c)
	})
}

// request returns the order of an editor who was shown the next edition.
func (b *env) request() delivery.SendOptions {
	b.t.Helper()
	shown, err := b.engine.Preview(b.t.Context(), "weekly", delivery.PreviewOptions{})
	if err != nil {
		b.t.Fatal(err)
	}
	return delivery.SendOptions{By: "ann", Editor: 1, Expect: &shown.Fingerprint, Request: uuid.NewString(), Undo: 30 * time.Second}
}

func TestUndoneEditionIsSentInItsNewForm(t *testing.T) {
	t.Parallel()
	eachUndoing(t, func(b *env, c *clock) {
		ctx := b.t.Context()
		e, err := b.engine.Send(ctx, "weekly", b.request())
		if err != nil || e.State != digest.Approved {
			b.t.Fatalf("sent: %+v, %v", e, err)
		}
		c.advance(29 * time.Second)
		if p, err := b.engine.Progress(ctx, e.ID); err != nil || p.StartsIn != time.Second || p.StateText().String() != "starting in 1 second" {
			b.t.Errorf("progress %+v, %v", p, err)
		}
		if err := b.engine.Undo(ctx, e.ID, "ann"); err != nil {
			b.t.Fatal(err)
		}
		b.compose(e.ID, func(c *delivery.Composition) { c.Subject = "Said better" })
		c.advance(time.Hour)
		b.approveWithUndo(e.ID)
		if len(b.server.Mails()) != 0 {
			b.t.Error("an undone edition was sent")
		}
		c.advance(31 * time.Second)
		b.sent(e.ID)
		b.wantOneMailEach(3)
		for _, m := range b.server.Mails() {
			if !strings.Contains(string(m.Data), "\r\nSubject: Said better\r\n") {
				b.t.Errorf("the mail has another subject:\n%.600s", m.Data)
			}
		}
	})
}

// approveWithUndo approves the present content of a draft.
func (b *env) approveWithUndo(id string) {
	b.t.Helper()
	review, err := b.engine.Review(b.t.Context(), id)
	if err == nil {
		_, err = b.engine.ApproveAs(b.t.Context(), id, delivery.Approver{Editor: 1, Name: "ann", Undo: 30 * time.Second}, review.Fingerprint)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

func TestRequestToSendIsCarriedOutOnce(t *testing.T) {
	t.Parallel()
	eachUndoing(t, func(b *env, c *clock) {
		ctx, order := b.t.Context(), b.request()
		ids := make([]string, 4)
		var work sync.WaitGroup
		for i := range ids {
			work.Go(func() {
				e, err := b.engine.Send(ctx, "weekly", order)
				if err != nil {
					b.t.Errorf("request %d: %v", i, err)
				}
				ids[i] = e.ID
			})
		}
		work.Wait()
		other := order
		other.Request = uuid.NewString()
		if e, err := b.engine.Send(ctx, "weekly", other); !errors.Is(err, delivery.ErrNothingNew) {
			b.t.Errorf("another editor sent the same articles: %+v, %v", e, err)
		}
		if all, err := b.store.Editions(ctx, "weekly", 10); err != nil || len(all) != 1 || all[0].ID != ids[0] {
			b.t.Errorf("editions %+v for %q, %v", all, ids, err)
		}
		if err := b.engine.Undo(ctx, ids[0], "ann"); err != nil {
			b.t.Fatal(err)
		}
		if e, err := b.engine.Send(ctx, "weekly", order); err != nil || e.ID != ids[0] || e.State != digest.Draft {
			b.t.Errorf("a request that was undone gives %+v, %v", e, err)
		}
	})
}

// TestRequestToSendIsFinishedAfterCrash sends again what was asked for on a node that ended after it
// had made the draft.
func TestRequestToSendIsFinishedAfterCrash(t *testing.T) {
	t.Parallel()
	eachUndoing(t, func(b *env, c *clock) {
		ctx, order := b.t.Context(), b.request()
		draft, err := b.engine.Draft(ctx, "weekly", order)
		if err != nil {
			b.t.Fatal(err)
		}
		e, err := b.engine.Send(ctx, "weekly", order)
		if err != nil || e.ID != draft.ID || e.State != digest.Approved {
			b.t.Fatalf("sent again: %+v, %v", e, err)
		}
		c.advance(31 * time.Second)
		b.sent(e.ID)
		b.wantOneMailEach(3)
	})
}

// TestUndoneEditionMissesItsTick approves a draft before its tick, and undoes that: the schedule does
// not send it then, although no approval is needed.
func TestUndoneEditionMissesItsTick(t *testing.T) {
	t.Parallel()
	eachDrafting(t, time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC), func(d *delivery.Definition) { d.AtDeadline = delivery.DeadlineSend }, func(b *drafting) {
		b.addArticle("ferries")
		b.tickOver()
		draft := b.editions(1)[0]
		b.approveWithUndo(draft.ID)
		ahead, err := b.store.Edition(b.t.Context(), draft.ID)
		if err != nil || ahead.State != digest.Approved || !ahead.UndoUntil.IsZero() {
			b.t.Fatalf("approved ahead: %+v, %v", ahead, err)
		}
		b.clock.advance(time.Hour)
		if err := b.engine.Undo(b.t.Context(), draft.ID, "ann"); err != nil {
			b.t.Fatal(err)
		}
		b.clock.advance(24 * time.Hour)
		b.tickOver()
		undone, err := b.store.Edition(b.t.Context(), draft.ID)
		if err != nil || undone.State != digest.Draft || undone.Held != "the approval was undone by ann" {
			b.t.Errorf("after its tick it is %+v, %v", undone, err)
		}
	})
}
