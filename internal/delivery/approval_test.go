package delivery_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
)

// twoEditors runs a test on both engines with a draft that two editors must approve.
func twoEditors(t *testing.T, test func(b *drafting, draft store.Edition, ann, bob delivery.Approver)) {
	t.Helper()
	eachDrafting(t, time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC), func(d *delivery.Definition) { d.Approvers = 2 }, func(b *drafting) {
		ann, err := b.store.EditorByEmail(b.t.Context(), "ann@gazette.example")
		if err != nil {
			b.t.Fatal(err)
		}
		bob := b.editor("bob@gazette.example", "owner")
		b.addArticle("ferries")
		b.tickOver()
		test(b, b.editions(1)[0], delivery.Approver{Editor: ann.ID, Name: ann.Email}, delivery.Approver{Editor: bob.ID, Name: bob.Email})
	})
}

// approveAs approves the present content of a draft and checks the state that follows.
func (b *drafting) approveAs(id string, by delivery.Approver, want digest.State) {
	b.t.Helper()
	if e, err := b.engine.ApproveAs(b.t.Context(), id, by, b.review(id).Fingerprint); err != nil || e.State != want {
		b.t.Errorf("approved by %s, it is %s, %v; want %s", by.Name, e.State, err, want)
	}
}

func TestTwoDifferentEditorsMustApprove(t *testing.T) {
	t.Parallel()
	twoEditors(t, func(b *drafting, draft store.Edition, ann, bob delivery.Approver) {
		var needs *delivery.NeedsEditorError
		if _, err := b.engine.ApproveUnchanged(b.t.Context(), draft.ID, b.review(draft.ID).Fingerprint); !errors.As(err, &needs) {
			b.t.Errorf("approved without an editor: %v", err)
		}
		b.approveAs(draft.ID, ann, digest.Draft)
		b.approveAs(draft.ID, ann, digest.Draft) // the same editor counts once
		b.approveAs(draft.ID, bob, digest.Approved)
		approvals, err := b.store.Approvals(b.t.Context(), draft.Seq)
		if err != nil || len(approvals) != 2 || approvals[0].Name != ann.Name || approvals[1].Name != bob.Name {
			b.t.Errorf("recorded %+v, %v", approvals, err)
		}
	})
}

// TestSendByHandNeedsTwoEditorsToo: "send now" is the first approval, not a way around the second.
func TestSendByHandNeedsTwoEditorsToo(t *testing.T) {
	t.Parallel()
	twoEditors(t, func(b *drafting, _ store.Edition, ann, bob delivery.Approver) {
		ctx := b.t.Context()
		b.addArticle("bridges")
		shown, err := b.engine.Preview(ctx, "weekly", delivery.PreviewOptions{})
		if err != nil {
			b.t.Fatal(err)
		}
		var needs *delivery.NeedsEditorError
		for _, o := range []delivery.SendOptions{{By: "command line"}, {By: "command line", Expect: &shown.Fingerprint}} {
			if _, err := b.engine.Send(ctx, "weekly", o); !errors.As(err, &needs) {
				b.t.Errorf("sent without an editor: %v", err)
			}
		}
		b.editions(1)
		e, err := b.engine.Send(ctx, "weekly", delivery.SendOptions{By: ann.Name, Editor: ann.Editor, Expect: &shown.Fingerprint})
		if err != nil || e.State != digest.Draft {
			b.t.Fatalf("sent by one editor: %s, %v", e.State, err)
		}
		b.approveAs(e.ID, bob, digest.Approved)
	})
}

// TestChangeDiscardsEarlierApproval changes an article between the two approvals: the editors are
// asked again, by the second approval or, if no editor approves, by the next review.
func TestChangeDiscardsEarlierApproval(t *testing.T) {
	t.Parallel()
	twoEditors(t, func(b *drafting, draft store.Edition, ann, bob delivery.Approver) {
		edit := func(text string) {
			b.editArticle("ferries", func(a *article.Article) { a.HTML, a.Hash = "<p>"+text+"</p>", text })
		}
		b.approveAs(draft.ID, ann, digest.Draft)
		shown := b.review(draft.ID).Fingerprint
		edit("Another text.")
		var changed *delivery.ChangedError
		if _, err := b.engine.ApproveAs(b.t.Context(), draft.ID, bob, shown); !errors.As(err, &changed) {
			b.t.Errorf("the second editor approved what was shown before the change: %v", err)
		}
		b.approveAs(draft.ID, bob, digest.Draft)
		if n := b.mailsQueued("Changed, please approve again"); n != 2 {
			b.t.Errorf("%d mails ask for approval again, want one to each editor", n)
		}
		edit("A third text.")
		for range 2 { // the second time there is nothing left to discard
			if err := b.engine.ReviewApprovals(b.t.Context()); err != nil {
				b.t.Fatal(err)
			}
		}
		if n := b.mailsQueued("Changed, please approve again"); n != 4 {
			b.t.Errorf("%d mails ask for approval again, want two more", n)
		}
		if approvals, err := b.store.Approvals(b.t.Context(), draft.Seq); err != nil || len(approvals) != 0 {
			b.t.Errorf("approvals %+v, %v", approvals, err)
		}
		b.approveAs(draft.ID, ann, digest.Draft)
		b.approveAs(draft.ID, bob, digest.Approved)
	})
}

func TestApprovalOfDisabledEditorDoesNotCount(t *testing.T) {
	t.Parallel()
	twoEditors(t, func(b *drafting, draft store.Edition, ann, bob delivery.Approver) {
		b.approveAs(draft.ID, ann, digest.Draft)
		editor, err := b.store.EditorByID(b.t.Context(), ann.Editor)
		if err != nil {
			b.t.Fatal(err)
		}
		editor.Disabled = b.clock.Now()
		if err := b.store.UpdateEditor(b.t.Context(), editor, ""); err != nil {
			b.t.Fatal(err)
		}
		b.approveAs(draft.ID, bob, digest.Draft)
	})
}

// TestTwoEditorsAtOnceApprove lets both approve at the same moment on two nodes: one of them
// completes the approval.
func TestTwoEditorsAtOnceApprove(t *testing.T) {
	t.Parallel()
	twoEditors(t, func(b *drafting, draft store.Edition, ann, bob delivery.Approver) {
		other, err := delivery.New(b.t.Context(), b.options)
		if err != nil {
			b.t.Fatal(err)
		}
		shown := b.review(draft.ID).Fingerprint
		var both sync.WaitGroup
		for node, by := range map[*delivery.Engine]delivery.Approver{b.engine: ann, other: bob} {
			both.Go(func() {
				if _, err := node.ApproveAs(b.t.Context(), draft.ID, by, shown); err != nil {
					b.t.Error(err)
				}
			})
		}
		both.Wait()
		if e := b.editions(1)[0]; e.State != digest.Approved {
			b.t.Errorf("after both approvals it is %s", e.State)
		}
	})
}

// TestCompleteApprovalOfDeadNodeIsCarriedOut stores both approvals as a node does that ends before
// it freezes the edition.
func TestCompleteApprovalOfDeadNodeIsCarriedOut(t *testing.T) {
	t.Parallel()
	twoEditors(t, func(b *drafting, draft store.Edition, ann, bob delivery.Approver) {
		b.approveAs(draft.ID, ann, digest.Draft)
		approvals, err := b.store.Approvals(b.t.Context(), draft.Seq)
		if err != nil || len(approvals) != 1 {
			b.t.Fatalf("approvals %+v, %v", approvals, err)
		}
		second := approvals[0]
		second.Editor, second.Name = bob.Editor, bob.Name
		if _, err := b.store.RecordApproval(b.t.Context(), draft, second); err != nil {
			b.t.Fatal(err)
		}
		if err := b.engine.ReviewApprovals(b.t.Context()); err != nil {
			b.t.Fatal(err)
		}
		if e := b.editions(1)[0]; e.State != digest.Approved {
			b.t.Errorf("it is %s", e.State)
		}
	})
}

// TestOnlyEditorsWhoMayApproveCount: neither a writer's approval counts, nor the approval of an editor who
// became a writer since.
func TestOnlyEditorsWhoMayApproveCount(t *testing.T) {
	t.Parallel()
	twoEditors(t, func(b *drafting, draft store.Edition, ann, bob delivery.Approver) {
		ctx := b.t.Context()
		writer := b.editor("writer@gazette.example", "writer")
		var refused *delivery.ApproverError
		if _, err := b.engine.ApproveAs(ctx, draft.ID, delivery.Approver{Editor: writer.ID, Name: writer.Email}, b.review(draft.ID).Fingerprint); !errors.As(err, &refused) {
			b.t.Errorf("a writer approves: %v", err)
		}
		b.approveAs(draft.ID, ann, digest.Draft)
		if _, err := b.store.SetRole(ctx, ann.Editor, store.WriterRole); err != nil {
			b.t.Fatal(err)
		}
		b.approveAs(draft.ID, bob, digest.Draft)
		carla := b.editor("carla@gazette.example", "editor")
		b.approveAs(draft.ID, delivery.Approver{Editor: carla.ID, Name: carla.Email}, digest.Approved)
	})
}

// TestLastApprovalSucceedsWhileApprovalsAreReviewed has the nodes' review of approvals freeze the
// draft at the moment in which the last editor approves it.
func TestLastApprovalSucceedsWhileApprovalsAreReviewed(t *testing.T) {
	t.Parallel()
	twoEditors(t, func(b *drafting, draft store.Edition, ann, bob delivery.Approver) {
		b.approveAs(draft.ID, ann, digest.Draft)
		ctx, stop := context.WithCancel(b.t.Context())
		var reviews sync.WaitGroup
		for range 4 {
			reviews.Go(func() {
				for ctx.Err() == nil {
					_ = b.engine.ReviewApprovals(ctx)
				}
			})
		}
		b.approveAs(draft.ID, bob, digest.Approved)
		stop()
		reviews.Wait()
	})
}
