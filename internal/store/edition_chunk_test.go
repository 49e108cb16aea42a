package store_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// eachLater runs a test on both engines with a clock that can be put forward.
func eachLater(t *testing.T, test func(t *testing.T, s *store.Store, forward func(time.Duration))) {
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

// ends records what became of one mail of a chunk.
func ends(t *testing.T, s *store.Store, c store.Chunk, reader int64, done store.Outcome) {
	t.Helper()
	r := s.NewRecorder()
	defer r.Close()
	in := store.Intent{Chunk: c, Subscriber: reader, Attempt: s.Now().UnixNano() + reader}
	if granted, err := r.Record(t.Context(), store.RecorderEntry{Intent: &in}); !granted || err != nil {
		t.Fatalf("reader %d: granted %v, %v", reader, granted, err)
	}
	done.Intent = in
	if _, err := r.Record(t.Context(), store.RecorderEntry{Outcome: &done}); err != nil {
		t.Fatal(err)
	}
}

// release gives a chunk back, and says whether that ended its edition.
func release(t *testing.T, s *store.Store, c store.Chunk, resend bool) bool {
	t.Helper()
	finished, err := s.ReleaseChunk(t.Context(), c, resend)
	if err != nil {
		t.Fatal(err)
	}
	return finished
}

// rests checks that no chunk is to be had.
func rests(t *testing.T, s *store.Store, when string) {
	t.Helper()
	if c, err := s.ClaimChunk(t.Context(), "n1", time.Minute); c != nil || err != nil {
		t.Fatalf("%s: there is %+v, %v", when, c, err)
	}
}

// people are the numbers of those whom a chunk is to be sent to now.
func people(t *testing.T, s *store.Store, c store.Chunk, resend bool) []int64 {
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

// TestChunkIsClaimedAgainWhenItsNextMailIsDue: neither before, nor never.
func TestChunkIsClaimedAgainWhenItsNextMailIsDue(t *testing.T) {
	t.Parallel()
	eachLater(t, func(t *testing.T, s *store.Store, forward func(time.Duration)) {
		readers(t, s, "weekly", 3)
		approved(t, s, "e1", "a1")
		c := claim(t, s, "n1", time.Minute)
		all := people(t, s, c, true)
		ends(t, s, c, all[0], store.Outcome{State: digest.DeliverySent, Code: 250})
		ends(t, s, c, all[1], store.Outcome{State: digest.DeliveryDeferred, Code: 451, NextTry: s.Now().Add(time.Hour)})
		ends(t, s, c, all[2], store.Outcome{State: digest.DeliveryDeferred, Code: 451, NextTry: s.Now().Add(3 * time.Hour)})
		if release(t, s, c, true) {
			t.Fatal("an edition with two deferred mails is sent")
		}
		rests(t, s, "at once")
		forward(59 * time.Minute)
		rests(t, s, "before the first is due")
		forward(2 * time.Minute)
		c = claim(t, s, "n1", time.Minute)
		if due := people(t, s, c, true); len(due) != 1 || due[0] != all[1] {
			t.Fatalf("due are %v, want %d alone", due, all[1])
		}
		ends(t, s, c, all[1], store.Outcome{State: digest.DeliverySent, Code: 250})
		if release(t, s, c, true) {
			t.Fatal("an edition with a deferred mail is sent")
		}
		forward(2 * time.Hour)
		c = claim(t, s, "n1", time.Minute)
		ends(t, s, c, all[2], store.Outcome{State: digest.DeliveryRefused, Code: 550})
		if !release(t, s, c, true) {
			t.Error("an edition with nothing left is not sent")
		}
	})
}

// TestUncertainMailIsSentAtMostFiveMoreTimes and then waits for an editor.
func TestUncertainMailIsSentAtMostFiveMoreTimes(t *testing.T) {
	t.Parallel()
	eachLater(t, func(t *testing.T, s *store.Store, forward func(time.Duration)) {
		readers(t, s, "weekly", 1)
		approved(t, s, "e1", "a1")
		for try := range 5 {
			c := claim(t, s, "n1", time.Minute)
			if held := people(t, s, c, false); try > 0 && len(held) != 0 {
				t.Fatalf("held mails are to be sent: %v", held)
			}
			who := people(t, s, c, true)
			if len(who) != 1 {
				t.Fatalf("try %d: %v", try+1, who)
			}
			ends(t, s, c, who[0], store.Outcome{State: digest.DeliveryUncertain, Reason: "in doubt: cut"})
			if release(t, s, c, true) {
				t.Fatal("an edition with a mail in doubt is sent")
			}
			rests(t, s, "right after a doubt")
			forward(3 * time.Second)
		}
		forward(1000 * time.Hour)
		rests(t, s, "after five doubts")
	})
}

// TestLeaseIsRenewedOnlyByItsHolder and a put off one rests for all.
func TestLeaseIsRenewedOnlyByItsHolder(t *testing.T) {
	t.Parallel()
	eachLater(t, func(t *testing.T, s *store.Store, forward func(time.Duration)) {
		readers(t, s, "weekly", 25) // three chunks
		approved(t, s, "e1", "a1")
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
			t.Error("the holder cannot renew")
		}
		forward(50 * time.Second)
		if other := claim(t, s, "n2", time.Minute); other.Number == c.Number {
			t.Fatal("a renewed lease was taken")
		}
		forward(2 * time.Minute)
		taken := claim(t, s, "n3", time.Minute)
		if taken.Number != c.Number || taken.Epoch <= c.Epoch {
			t.Fatalf("%+v after %+v", taken, c)
		}
		if renewed(c) {
			t.Error("who lost a lease renewed it")
		}
		if release(t, s, c, true) || !renewed(taken) {
			t.Error("who lost a lease gave it back")
		}
		if err := s.DeferEdition(t.Context(), taken, time.Hour); err != nil {
			t.Fatal(err)
		}
		if renewed(taken) {
			t.Error("what was put off can be renewed")
		}
		second := claim(t, s, "n3", time.Minute) // n2's, whose lease has run out
		if second.Number == taken.Number {
			t.Error("a chunk that was put off was taken")
		}
		rests(t, s, "while it is put off")
		forward(59 * time.Minute)
		if got := claim(t, s, "n4", time.Minute); got.Number != second.Number {
			t.Errorf("%+v: it was put off for an hour", got)
		}
		forward(2 * time.Minute)
		claim(t, s, "n5", time.Minute)
	})
}

// TestNodeReclaimsItsOwnChunkAfterALostCommit, as when the connection broke in the
// commit of a claim; what it does know of stays its own whatever the clock says.
func TestNodeReclaimsItsOwnChunkAfterALostCommit(t *testing.T) {
	t.Parallel()
	eachLater(t, func(t *testing.T, s *store.Store, forward func(time.Duration)) {
		readers(t, s, "weekly", 3)
		approved(t, s, "e1", "a1")
		c := claim(t, s, "n1", time.Minute)
		rests(t, s, "while its lease runs")
		forward(2 * time.Minute)
		if again, err := s.ClaimChunk(t.Context(), "n1", time.Minute, c); again != nil || err != nil {
			t.Fatalf("a node took what it works on: %+v, %v", again, err)
		}
		if again := claim(t, s, "n1", time.Minute); again.Number != c.Number || again.Epoch != c.Epoch+1 {
			t.Errorf("%+v after %+v", again, c)
		}
	})
}

// TestClockSetBackDelaysNoMail: neither for a lease of a dead holder nor
// for a next try, set when the clock was far ahead.
func TestClockSetBackDelaysNoMail(t *testing.T) {
	t.Parallel()
	eachLater(t, func(t *testing.T, s *store.Store, forward func(time.Duration)) {
		readers(t, s, "weekly", 11) // two chunks
		approved(t, s, "e1", "a1")
		c := claim(t, s, "n1", time.Minute)
		late := people(t, s, c, true)
		for _, id := range late {
			ends(t, s, c, id, store.Outcome{State: digest.DeliveryDeferred, Code: 451, NextTry: s.Now().Add(4 * time.Hour)})
		}
		release(t, s, c, true)
		dead := claim(t, s, "n1", time.Hour)
		forward(-time.Hour)
		rests(t, s, "an hour earlier")
		forward(-240 * time.Hour)
		first, second := claim(t, s, "n2", time.Minute), claim(t, s, "n2", time.Minute)
		if first.Number != c.Number || second.Number != dead.Number {
			t.Errorf("%+v and %+v", first, second)
		}
		if due := people(t, s, first, true); len(due) != len(late) {
			t.Errorf("%d of %d are due", len(due), len(late))
		}
	})
}
