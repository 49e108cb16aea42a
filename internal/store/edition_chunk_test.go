package store_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// eachWithForward runs a test on both engines with a clock that can be moved forward.
func eachWithForward(t *testing.T, test func(t *testing.T, s *store.Store, forward func(time.Duration))) {
	t.Helper()
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			start, ahead := time.Now(), atomic.Int64{}
			s := storetest.Open(t, engine, store.Options{Clock: func() time.Time { return start.Add(time.Duration(ahead.Load())) }})
			test(t, s, func(d time.Duration) { ahead.Add(int64(d)) })
		})
	}
}

// recordOutcome records the outcome of one mail of a chunk.
func recordOutcome(t *testing.T, s *store.Store, c store.Chunk, reader int64, done store.Outcome) {
	t.Helper()
	r := s.NewRecorder()
	defer r.Close()
	in := store.Intent{Chunk: c, Subscriber: reader, Nonce: s.Now().UnixNano() + reader}
	if granted, err := r.Record(t.Context(), store.RecorderEntry{Intent: &in}); !granted || err != nil {
		t.Fatalf("reader %d: granted %v, %v", reader, granted, err)
	}
	done.Intent = in
	if _, err := r.Record(t.Context(), store.RecorderEntry{Outcome: &done}); err != nil {
		t.Fatal(err)
	}
}

// releaseChunk releases a chunk and reports whether that finished its edition.
func releaseChunk(t *testing.T, s *store.Store, c store.Chunk, resend bool) bool {
	t.Helper()
	finished, err := s.ReleaseChunk(t.Context(), c, resend)
	if err != nil {
		t.Fatal(err)
	}
	return finished
}

// wantNoChunk checks that no chunk can be claimed.
func wantNoChunk(t *testing.T, s *store.Store, when string) {
	t.Helper()
	if c, err := s.ClaimChunk(t.Context(), "n1", time.Minute); c != nil || err != nil {
		t.Fatalf("%s: claimed %+v, %v", when, c, err)
	}
}

// dueSubscribers returns the ids of the subscribers of a chunk whose mail is due now.
func dueSubscribers(t *testing.T, s *store.Store, c store.Chunk, resend bool) []int64 {
	t.Helper()
	in, err := s.Recipients(t.Context(), c, resend)
	if err != nil {
		t.Fatal(err)
	}
	var ids []int64
	for _, p := range in {
		ids = append(ids, p.Subscriber)
	}
	return ids
}

// TestChunkIsClaimedAgainWhenItsNextMailIsDue checks that it is not claimed earlier.
func TestChunkIsClaimedAgainWhenItsNextMailIsDue(t *testing.T) {
	t.Parallel()
	eachWithForward(t, func(t *testing.T, s *store.Store, forward func(time.Duration)) {
		addSubscribers(t, s, "weekly", 3)
		approveEdition(t, s, "e1", "a1")
		c := claim(t, s, "n1", time.Minute)
		all := dueSubscribers(t, s, c, true)
		recordOutcome(t, s, c, all[0], store.Outcome{State: digest.DeliverySent, Code: 250})
		recordOutcome(t, s, c, all[1], store.Outcome{State: digest.DeliveryDeferred, Code: 451, NextTry: s.Now().Add(time.Hour)})
		recordOutcome(t, s, c, all[2], store.Outcome{State: digest.DeliveryDeferred, Code: 451, NextTry: s.Now().Add(3 * time.Hour)})
		if releaseChunk(t, s, c, true) {
			t.Fatal("an edition with two deferred mails counts as sent")
		}
		wantNoChunk(t, s, "at once")
		forward(59 * time.Minute)
		wantNoChunk(t, s, "before the first is due")
		forward(2 * time.Minute)
		c = claim(t, s, "n1", time.Minute)
		if due := dueSubscribers(t, s, c, true); len(due) != 1 || due[0] != all[1] {
			t.Fatalf("the mails of %v are due, want only that of %d", due, all[1])
		}
		recordOutcome(t, s, c, all[1], store.Outcome{State: digest.DeliverySent, Code: 250})
		if releaseChunk(t, s, c, true) {
			t.Fatal("an edition with a deferred mail counts as sent")
		}
		forward(2 * time.Hour)
		c = claim(t, s, "n1", time.Minute)
		recordOutcome(t, s, c, all[2], store.Outcome{State: digest.DeliveryRefused, Code: 550})
		if !releaseChunk(t, s, c, true) {
			t.Error("an edition with no mails left does not count as sent")
		}
	})
}

// TestUncertainMailIsSentAtMostFiveMoreTimes also checks that the mail then waits for an editor.
func TestUncertainMailIsSentAtMostFiveMoreTimes(t *testing.T) {
	t.Parallel()
	eachWithForward(t, func(t *testing.T, s *store.Store, forward func(time.Duration)) {
		addSubscribers(t, s, "weekly", 1)
		approveEdition(t, s, "e1", "a1")
		for try := range 5 {
			c := claim(t, s, "n1", time.Minute)
			if held := dueSubscribers(t, s, c, false); try > 0 && len(held) != 0 {
				t.Fatalf("held mails are due: %v", held)
			}
			sub := dueSubscribers(t, s, c, true)
			if len(sub) != 1 {
				t.Fatalf("try %d: %v", try+1, sub)
			}
			recordOutcome(t, s, c, sub[0], store.Outcome{State: digest.DeliveryUncertain, Reason: "in doubt: cut"})
			if releaseChunk(t, s, c, true) {
				t.Fatal("an edition with an uncertain mail counts as sent")
			}
			wantNoChunk(t, s, "right after an uncertain outcome")
			forward(3 * time.Second)
		}
		forward(1000 * time.Hour)
		wantNoChunk(t, s, "after five uncertain outcomes")
	})
}

// TestLeaseIsRenewedOnlyByItsHolder also checks that no node claims the chunks of a deferred
// edition.
func TestLeaseIsRenewedOnlyByItsHolder(t *testing.T) {
	t.Parallel()
	eachWithForward(t, func(t *testing.T, s *store.Store, forward func(time.Duration)) {
		addSubscribers(t, s, "weekly", 25) // three chunks
		approveEdition(t, s, "e1", "a1")
		renewed := func(c store.Chunk) bool {
			t.Helper()
			ok, err := s.RenewChunk(t.Context(), c, time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			return ok
		}
		c := claim(t, s, "n1", time.Minute)
		forward(50 * time.Second)
		if !renewed(c) {
			t.Error("the holder cannot renew its lease")
		}
		forward(50 * time.Second)
		if other := claim(t, s, "n2", time.Minute); other.Number == c.Number {
			t.Fatal("a chunk with a renewed lease was claimed")
		}
		forward(2 * time.Minute)
		taken := claim(t, s, "n3", time.Minute)
		if taken.Number != c.Number || taken.Epoch <= c.Epoch {
			t.Fatalf("%+v after %+v", taken, c)
		}
		if renewed(c) {
			t.Error("a node renewed a lease that it had lost")
		}
		if releaseChunk(t, s, c, true) || !renewed(taken) {
			t.Error("a node released a lease that it had lost")
		}
		if err := s.DeferEdition(t.Context(), taken, s.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		if renewed(taken) {
			t.Error("the lease of a deferred edition can be renewed")
		}
		second := claim(t, s, "n3", time.Minute) // n2's, whose lease has expired
		if second.Number == taken.Number {
			t.Error("a chunk of a deferred edition was claimed")
		}
		wantNoChunk(t, s, "while the edition is deferred")
		forward(59 * time.Minute)
		if got := claim(t, s, "n4", time.Minute); got.Number != second.Number {
			t.Errorf("claimed %+v: the edition was deferred for an hour", got)
		}
		forward(2 * time.Minute)
		claim(t, s, "n5", time.Minute)
	})
}

// TestNodeReclaimsItsOwnChunkAfterALostCommit: the connection breaks in the commit of a claim. The
// chunks that the node knows of are not claimed again, whatever the clock says.
func TestNodeReclaimsItsOwnChunkAfterALostCommit(t *testing.T) {
	t.Parallel()
	eachWithForward(t, func(t *testing.T, s *store.Store, forward func(time.Duration)) {
		addSubscribers(t, s, "weekly", 3)
		approveEdition(t, s, "e1", "a1")
		c := claim(t, s, "n1", time.Minute)
		wantNoChunk(t, s, "while its lease is valid")
		forward(2 * time.Minute)
		if again, err := s.ClaimChunk(t.Context(), "n1", time.Minute, c); again != nil || err != nil {
			t.Fatalf("a node claimed a chunk that it works on: %+v, %v", again, err)
		}
		if again := claim(t, s, "n1", time.Minute); again.Number != c.Number || again.Epoch != c.Epoch+1 {
			t.Errorf("%+v after %+v", again, c)
		}
	})
}

// TestClockSetBackDelaysNoMail: neither the lease of a dead holder nor a next try may delay a mail
// if it was stored when the clock was far ahead.
func TestClockSetBackDelaysNoMail(t *testing.T) {
	t.Parallel()
	eachWithForward(t, func(t *testing.T, s *store.Store, forward func(time.Duration)) {
		addSubscribers(t, s, "weekly", 11) // two chunks
		approveEdition(t, s, "e1", "a1")
		c := claim(t, s, "n1", time.Minute)
		late := dueSubscribers(t, s, c, true)
		for _, id := range late {
			recordOutcome(t, s, c, id, store.Outcome{State: digest.DeliveryDeferred, Code: 451, NextTry: s.Now().Add(4 * time.Hour)})
		}
		releaseChunk(t, s, c, true)
		dead := claim(t, s, "n1", time.Hour)
		forward(-time.Hour)
		wantNoChunk(t, s, "an hour earlier")
		forward(-240 * time.Hour)
		first, second := claim(t, s, "n2", time.Minute), claim(t, s, "n2", time.Minute)
		if first.Number != c.Number || second.Number != dead.Number {
			t.Errorf("%+v and %+v", first, second)
		}
		if due := dueSubscribers(t, s, first, true); len(due) != len(late) {
			t.Errorf("%d of %d mails are due", len(due), len(late))
		}
	})
}
