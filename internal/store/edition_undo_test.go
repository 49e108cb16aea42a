package store_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
)

// approveWithUndo approves an edition that waits 30 seconds for its first mail.
func approveWithUndo(t *testing.T, s *store.Store, e store.Edition) (store.Edition, error) {
	t.Helper()
	groups, err := s.PreferenceGroups(t.Context(), "weekly")
	if err != nil {
		t.Fatal(err)
	}
	frozen := store.Frozen{Groups: groups, Choice: make([]int, len(groups)), ChunkSize: 10, UndoUntil: s.Now().Add(30 * time.Second), Approval: &store.Approval{Editor: 0, Name: "ann"}}
	return s.Approve(t.Context(), e, addVariants(t, frozen, "x"))
}

func newDraft(t *testing.T, s *store.Store, id string, articles ...string) store.Edition {
	t.Helper()
	e := store.Edition{Edition: digest.Edition{ID: id, Digest: "weekly", ScheduledFor: "manual:" + id, Articles: articles, Created: s.Now()}}
	e, err := s.CreateDraft(t.Context(), e, nil)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestNoNodeSendsWhileApprovalCanBeUndone(t *testing.T) {
	t.Parallel()
	eachWithForward(t, func(t *testing.T, s *store.Store, forward func(time.Duration)) {
		addSubscribers(t, s, "weekly", 25)
		draft := newDraft(t, s, "e1", "a1")
		if _, err := approveWithUndo(t, s, draft); err != nil {
			t.Fatal(err)
		}
		forward(29 * time.Second)
		wantNoChunk(t, s, "before the time to undo is over")
		if err := s.UndoApproval(t.Context(), "e1", "undone by ann"); err != nil {
			t.Fatal(err)
		}
		forward(time.Minute)
		wantNoChunk(t, s, "after the undo")
		undone, err := s.Edition(t.Context(), "e1")
		if err != nil {
			t.Fatal(err)
		}
		if undone.State != digest.Draft || !undone.Approved.IsZero() || !undone.UndoUntil.IsZero() || undone.Recipients.Count != 0 || undone.Reason != "undone by ann" {
			t.Errorf("undone: %+v", undone)
		}
		if approvals, err := s.Approvals(t.Context(), undone.Seq); len(approvals) != 0 || err != nil {
			t.Errorf("approvals %+v, %v", approvals, err)
		}
		if counts, err := s.EditionCounts(t.Context(), undone.Seq); counts != (store.DeliveryCounts{}) || err != nil {
			t.Errorf("counts %+v, %v", counts, err)
		}
		var undo *store.UndoError
		if err := s.UndoApproval(t.Context(), "e1", ""); !errors.As(err, &undo) || undo.Have != digest.Draft {
			t.Errorf("a draft was undone: %v", err)
		}
		again, err := approveWithUndo(t, s, undone)
		if err != nil || again.Recipients.Count != 25 {
			t.Fatalf("approved again: %+v, %v", again, err)
		}
		forward(31 * time.Second)
		claim(t, s, "n1", time.Minute)
		if err := s.UndoApproval(t.Context(), "e1", ""); !errors.As(err, &undo) || undo.Have != digest.Sending {
			t.Errorf("undone after the first claim: %v", err)
		}
	})
}

// TestEditionWithoutRecipientsCanBeUndone checks that it is not sent at once.
func TestEditionWithoutRecipientsCanBeUndone(t *testing.T) {
	t.Parallel()
	eachWithForward(t, func(t *testing.T, s *store.Store, forward func(time.Duration)) {
		for _, id := range []string{"e1", "e2"} {
			draft := newDraft(t, s, id, "a"+id)
			if e, err := approveWithUndo(t, s, draft); err != nil || e.State != digest.Approved {
				t.Fatalf("approved %+v, %v", e, err)
			}
		}
		if err := s.UndoApproval(t.Context(), "e1", "undone"); err != nil {
			t.Fatal(err)
		}
		for _, want := range []digest.State{digest.Approved, digest.Sent} {
			if err := s.FinishEmptyEditions(t.Context()); err != nil {
				t.Fatal(err)
			}
			if e, err := s.Edition(t.Context(), "e2"); err != nil || e.State != want {
				t.Errorf("it is %s, %v; want %s", e.State, err, want)
			}
			forward(31 * time.Second)
		}
		if e, err := s.Edition(t.Context(), "e1"); err != nil || e.State != digest.Draft {
			t.Errorf("the undone edition is %s, %v", e.State, err)
		}
	})
}

// TestUndoAndFirstClaimExcludeEachOther lets nodes claim the first chunk while an editor undoes the
// approval: either there is a draft and no chunk, or the edition is sent.
func TestUndoAndFirstClaimExcludeEachOther(t *testing.T) {
	t.Parallel()
	eachWithForward(t, func(t *testing.T, s *store.Store, forward func(time.Duration)) {
		addSubscribers(t, s, "weekly", 25)
		for i := range 10 {
			id := fmt.Sprint("e", i)
			draft := newDraft(t, s, id, fmt.Sprint("a", i))
			if _, err := approveWithUndo(t, s, draft); err != nil {
				t.Fatal(err)
			}
			forward(time.Minute)
			chunks, undone := raceUndo(t, s, id)
			e, err := s.Edition(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			if undone && (e.State != digest.Draft || chunks > 0) || !undone && e.State != digest.Sending {
				t.Errorf("undone %v, but it is %s with %d chunks claimed", undone, e.State, chunks)
			}
			if undone {
				continue
			}
			if err := s.SetEditionState(t.Context(), id, digest.Cancelled, "over"); err != nil {
				t.Fatal(err)
			}
			wantNoChunk(t, s, "after the cancel")
		}
	})
}

// raceUndo claims chunks of an edition on two nodes while its approval is undone. It returns how many
// were claimed, and whether the undo succeeded.
func raceUndo(t *testing.T, s *store.Store, id string) (chunks int, undone bool) {
	t.Helper()
	var work sync.WaitGroup
	var mu sync.Mutex
	for _, node := range []string{"n1", "n2"} {
		work.Go(func() {
			c, err := s.ClaimChunk(t.Context(), node, time.Minute)
			if err != nil {
				t.Errorf("ClaimChunk: %v", err)
			}
			if c != nil {
				mu.Lock()
				chunks++
				mu.Unlock()
			}
		})
	}
	err := s.UndoApproval(t.Context(), id, "undone")
	work.Wait()
	var undo *store.UndoError
	if err != nil && !errors.As(err, &undo) {
		t.Errorf("UndoApproval: %v", err)
	}
	return chunks, err == nil
}
