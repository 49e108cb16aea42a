package store_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// addSubscribers adds n active subscribers to a digest.
func addSubscribers(t *testing.T, s *store.Store, digestName string, n int) {
	t.Helper()
	for i := range n {
		p, err := s.AddSubscriber(t.Context(), subscriber.Subscriber{
			Address: subscriber.MustParseAddress(fmt.Sprintf("reader%d@example.org", i)), State: subscriber.Active,
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Subscribe(t.Context(), p.ID, digestName, nil); err != nil {
			t.Fatal(err)
		}
	}
}

// addVariants adds variants to the content that an edition is approved with.
func addVariants(t *testing.T, f store.Frozen, html ...string) store.Frozen {
	t.Helper()
	for i, text := range html {
		if n, err := f.Add(digest.Variant{HTML: text}); n != i || err != nil {
			t.Fatalf("variant %d is number %d, %v", i, n, err)
		}
	}
	return f
}

// approveEdition plans and approves an edition for all subscribers of the digest.
func approveEdition(t *testing.T, s *store.Store, id string, articles ...string) store.Edition {
	t.Helper()
	e := store.Edition{Edition: digest.Edition{ID: id, Digest: "weekly", ScheduledFor: "manual:" + id, Articles: articles, Created: s.Now()}}
	e, err := s.CreateDraft(t.Context(), e, nil)
	if err != nil {
		t.Fatal(err)
	}
	groups, err := s.PreferenceGroups(t.Context(), "weekly")
	if err != nil {
		t.Fatal(err)
	}
	e, err = s.Approve(t.Context(), e, addVariants(t, store.Frozen{Groups: groups, Choice: make([]int, len(groups)), ChunkSize: 10}, "x"))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// claim claims a chunk. PostgreSQL skips rows that are locked at that moment, so it may take more
// than one try.
func claim(t *testing.T, s *store.Store, node string, lease time.Duration) store.Chunk {
	t.Helper()
	var c *store.Chunk
	testkit.Eventually(t, "a chunk", func() bool {
		var err error
		if c, err = s.ClaimChunk(t.Context(), node, lease); err != nil {
			t.Fatalf("ClaimChunk: %v", err)
		}
		return c != nil
	})
	return *c
}

func TestEditionIsSentToEverySubscriberOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		addSubscribers(t, s, "weekly", 25)
		e := approveEdition(t, s, "e1", "a1")
		if e.Recipients.Count != 25 {
			t.Fatalf("audience %+v", e.Recipients)
		}
		r := s.NewRecorder()
		defer r.Close()
		sent := map[int64]bool{}
		for range 3 {
			c := claim(t, s, "n1", time.Minute)
			people, err := s.Recipients(t.Context(), c, false)
			if err != nil {
				t.Fatal(err)
			}
			var last *store.Outcome
			for _, p := range people {
				in := store.Intent{Chunk: c, Subscriber: p.Subscriber, Nonce: p.Subscriber + 1000}
				granted, err := r.Record(t.Context(), store.RecorderEntry{Outcome: last, Intent: &in})
				if err != nil || !granted || sent[p.Subscriber] {
					t.Fatalf("reader %d: granted %v, twice %v, %v", p.Subscriber, granted, sent[p.Subscriber], err)
				}
				sent[p.Subscriber] = true
				last = &store.Outcome{Intent: in, State: digest.DeliverySent, Code: 250}
			}
			if _, err := r.Record(t.Context(), store.RecorderEntry{Outcome: last}); err != nil {
				t.Fatal(err)
			}
			finished, err := s.ReleaseChunk(t.Context(), c, false)
			if err != nil || finished != (len(sent) == 25) {
				t.Fatalf("after %d: finished %v, %v", len(sent), finished, err)
			}
		}
		if c, err := s.ClaimChunk(t.Context(), "n1", time.Minute); c != nil || err != nil {
			t.Errorf("another chunk was claimed: %v, %v", c, err)
		}
		counts, err := s.EditionCounts(t.Context(), e.Seq)
		if err != nil || counts != (store.DeliveryCounts{Total: 25, Sent: 25}) {
			t.Errorf("counts %+v, %v", counts, err)
		}
		if e, err = s.Edition(t.Context(), "e1"); err != nil || e.State != digest.Sent || e.Finished.IsZero() {
			t.Errorf("edition %+v, %v", e, err)
		}
	})
}

func TestMailOfADeadNodeIsUncertainAndItsIntentsAreRefused(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		addSubscribers(t, s, "weekly", 5)
		e := approveEdition(t, s, "e1", "a1")
		r := s.NewRecorder()
		defer r.Close()
		old := claim(t, s, "frozen", time.Millisecond)
		people, _ := s.Recipients(t.Context(), old, false)
		in := store.Intent{Chunk: old, Subscriber: people[0].Subscriber, Nonce: 7}
		if granted, err := r.Record(t.Context(), store.RecorderEntry{Intent: &in}); !granted || err != nil {
			t.Fatal(granted, err)
		}
		time.Sleep(5 * time.Millisecond) // the lease expires
		now := claim(t, s, "other", time.Minute)
		left, _ := s.Recipients(t.Context(), now, false)
		if len(left) != 4 {
			t.Errorf("%d mails are left, want 4: one is uncertain", len(left))
		}
		late := store.Intent{Chunk: old, Subscriber: people[1].Subscriber, Nonce: 8}
		if granted, err := r.Record(t.Context(), store.RecorderEntry{Intent: &late}); granted || err != nil {
			t.Errorf("an intent of an old epoch: %v, %v", granted, err)
		}
		if why, err := s.DenialReason(t.Context(), late); why != "lost" || err != nil {
			t.Errorf("why %q, %v", why, err)
		}
		counts, _ := s.EditionCounts(t.Context(), e.Seq)
		if counts.Uncertain != 1 {
			t.Errorf("counts %+v", counts)
		}
		// The reply arrives after all.
		if _, err := r.Record(t.Context(), store.RecorderEntry{Outcome: &store.Outcome{Intent: in, State: digest.DeliverySent, Code: 250}}); err != nil {
			t.Fatal(err)
		}
		d, err := storetest.Delivery(t, s, e, in.Subscriber)
		if err != nil || d.State != digest.DeliverySent || d.Reason == "" {
			t.Errorf("delivery %+v, %v: want sent, with the earlier doubt in the reason", d, err)
		}
	})
}

// TestConcurrentLateOutcomesAreAllCounted has a node that was frozen record, on many connections at
// once, the outcomes of mails that have become uncertain since.
func TestConcurrentLateOutcomesAreAllCounted(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		addSubscribers(t, s, "weekly", 10)
		for round := range 30 {
			e := approveEdition(t, s, fmt.Sprint("e", round), fmt.Sprint("a", round))
			first, second := s.NewRecorder(), s.NewRecorder() // two nodes held the chunk
			old := claim(t, s, "frozen", time.Millisecond)
			people, _ := s.Recipients(t.Context(), old, false)
			var intents []store.Intent
			for i, p := range people {
				in := store.Intent{Chunk: old, Subscriber: p.Subscriber, Nonce: int64(i + 1)}
				if granted, err := first.Record(t.Context(), store.RecorderEntry{Intent: &in}); !granted || err != nil {
					t.Fatal(granted, err)
				}
				intents = append(intents, in)
			}
			time.Sleep(5 * time.Millisecond) // the lease expires
			releaseChunk(t, s, claim(t, s, "other", time.Minute), false)
			var answers sync.WaitGroup
			for i, in := range intents[1:] {
				r := first
				if i%2 == 1 {
					r = second
				}
				answers.Go(func() {
					if _, err := r.Record(t.Context(), store.RecorderEntry{Outcome: &store.Outcome{Intent: in, State: digest.DeliverySent, Code: 250}}); err != nil {
						t.Error(err)
					}
				})
			}
			answers.Wait()
			first.Close()
			second.Close()
			counts, err := s.EditionCounts(t.Context(), e.Seq)
			if err != nil || counts.Sent != int64(len(intents)-1) || counts.Uncertain != 1 {
				t.Fatalf("round %d: of %d uncertain mails all but one were sent; the counts are %+v, %v", round, len(intents), counts, err)
			}
			if _, err := s.ResolveUncertain(t.Context(), e, false); err != nil {
				t.Fatal(err)
			}
			releaseChunk(t, s, claim(t, s, "other", time.Minute), false)
		}
	})
}

func TestUnsubscribedOrPausedRecipientsAreRefused(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		addSubscribers(t, s, "weekly", 4)
		approveEdition(t, s, "e1", "a1")
		r := s.NewRecorder()
		defer r.Close()
		c := claim(t, s, "n1", time.Minute)
		people, _ := s.Recipients(t.Context(), c, false)
		ask := func(i int) (bool, string) {
			in := store.Intent{Chunk: c, Subscriber: people[i].Subscriber, Nonce: int64(i + 1)}
			granted, err := r.Record(t.Context(), store.RecorderEntry{Intent: &in})
			if err != nil {
				t.Fatal(err)
			}
			why, err := s.DenialReason(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			return granted, why
		}
		if err := s.Unsubscribe(t.Context(), people[0].Subscriber, "weekly"); err != nil {
			t.Fatal(err)
		}
		if granted, why := ask(0); granted || why != "unsubscribed" {
			t.Errorf("left: granted %v, %q", granted, why)
		}
		if err := s.Suppress(t.Context(), subscriber.MustParseAddress("reader1@example.org"), store.ComplainedReason, ""); err != nil {
			t.Fatal(err)
		}
		if granted, why := ask(1); granted || why != "complained" {
			t.Errorf("complained: granted %v, %q", granted, why)
		}
		if err := s.SetEditionState(t.Context(), "e1", digest.Paused, ""); err != nil {
			t.Fatal(err)
		}
		if granted, why := ask(2); granted || why != "stopped" {
			t.Errorf("paused: granted %v, %q", granted, why)
		}
		if err := s.SetEditionState(t.Context(), "e1", digest.Sending, ""); err != nil {
			t.Fatal(err)
		}
		if granted, _ := ask(2); !granted {
			t.Error("the subscriber resumed, but the mail is not granted")
		}
	})
}

func TestArticleIsInOneEditionWhenNodesComposeAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		at := s.Now()
		if _, err := s.EnsureDigest(t.Context(), store.DigestState{Name: "weekly", Spec: "x", Next: at, NextKey: "tick1"}); err != nil {
			t.Fatal(err)
		}
		var wait sync.WaitGroup
		won := make(chan string, 16)
		for i := range 8 {
			wait.Go(func() {
				id := fmt.Sprintf("e%d", i)
				e := store.Edition{Edition: digest.Edition{ID: id, Digest: "weekly", ScheduledFor: "tick1", Articles: []string{"a1", "a2"}, Created: at}}
				advance := &store.ScheduleUpdate{From: at, Next: at.Add(time.Hour), NextKey: "tick2"}
				if i%2 == 1 {
					e.ScheduledFor, advance = "manual:"+id, nil
				}
				if _, err := s.CreateDraft(t.Context(), e, advance); err == nil {
					won <- id
				} else if err != store.ErrTaken {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		if len(won) != 1 {
			t.Errorf("%d editions were made, want 1", len(won))
		}
		id := <-won
		// An edition that is cancelled before its first mail releases its articles.
		if err := s.SetEditionState(t.Context(), id, digest.Cancelled, ""); err != nil {
			t.Fatal(err)
		}
		again := store.Edition{Edition: digest.Edition{ID: "again", Digest: "weekly", ScheduledFor: "manual:again", Articles: []string{"a1"}, Created: at}}
		if _, err := s.CreateDraft(t.Context(), again, nil); err != nil {
			t.Errorf("after the cancellation: %v", err)
		}
	})
}

func TestHeldMailsWaitForAnEditorsDecision(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		addSubscribers(t, s, "weekly", 1)
		e := approveEdition(t, s, "e1", "a1")
		r := s.NewRecorder()
		defer r.Close()
		c := claim(t, s, "n1", time.Minute)
		people, _ := s.Recipients(t.Context(), c, false)
		in := store.Intent{Chunk: c, Subscriber: people[0].Subscriber, Nonce: 1}
		if _, err := r.Record(t.Context(), store.RecorderEntry{Intent: &in}); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Record(t.Context(), store.RecorderEntry{Outcome: &store.Outcome{Intent: in, State: digest.DeliveryUncertain, Reason: "in doubt: cut"}}); err != nil {
			t.Fatal(err)
		}
		r.DiscardCounts(c) // as a node does before it releases a chunk
		if finished, err := s.ReleaseChunk(t.Context(), c, false); finished || err != nil {
			t.Fatalf("finished %v, %v", finished, err)
		}
		if c, _ := s.ClaimChunk(t.Context(), "n1", time.Minute); c != nil {
			t.Fatal("a held mail was claimed")
		}
		held, err := s.Deliveries(t.Context(), e, []digest.DeliveryState{digest.DeliveryUncertain}, 0, 10)
		if err != nil || len(held) != 1 || held[0].Address != "reader0@example.org" {
			t.Fatalf("held %+v, %v", held, err)
		}
		if n, err := s.ResolveUncertain(t.Context(), e, true); n != 1 || err != nil {
			t.Fatalf("decided %d, %v", n, err)
		}
		c = claim(t, s, "n1", time.Minute)
		if people, _ := s.Recipients(t.Context(), c, false); len(people) != 1 || people[0].Tries != 1 {
			t.Errorf("people %+v", people)
		}
	})
}

func TestCancelledEditionSkipsRemainingRecipients(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		addSubscribers(t, s, "weekly", 15)
		e := approveEdition(t, s, "e1", "a1")
		if err := s.SetEditionState(t.Context(), "e1", digest.Cancelled, "a wrong headline"); err != nil {
			t.Fatal(err)
		}
		if c, err := s.ClaimChunk(t.Context(), "n1", time.Minute); c != nil || err != nil {
			t.Fatalf("%v, %v", c, err)
		}
		counts, err := s.EditionCounts(t.Context(), e.Seq)
		if err != nil || counts != (store.DeliveryCounts{Total: 15, Skipped: 15}) {
			t.Errorf("counts %+v, %v", counts, err)
		}
	})
}

func TestRelayLimitsAreShared(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var total int64
		for range 5 {
			n, next, err := s.TakeQuota(t.Context(), "main", "hour", time.Hour, 100, 30)
			if err != nil || !next.After(s.Now()) {
				t.Fatal(next, err)
			}
			total += n
		}
		if total != 100 {
			t.Errorf("%d granted, want 100", total)
		}
		if used, err := s.QuotaUsed(t.Context(), "main", "hour", time.Hour); used != 100 || err != nil {
			t.Errorf("%d used, %v, want 100", used, err)
		}
		if used, err := s.QuotaUsed(t.Context(), "other", "hour", time.Hour); used != 0 || err != nil {
			t.Errorf("of a relay without a limit %d are used, %v", used, err)
		}
		a, _ := s.LeaseConnection(t.Context(), "main", "n1", 2, time.Minute)
		b, _ := s.LeaseConnection(t.Context(), "main", "n2", 2, time.Minute)
		c, err := s.LeaseConnection(t.Context(), "main", "n3", 2, time.Minute)
		if a != 0 || b != 1 || c != -1 || err != nil {
			t.Errorf("connections %d %d %d, %v", a, b, c, err)
		}
		if err := s.ReleaseConnection(t.Context(), "main", "n1", a); err != nil {
			t.Fatal(err)
		}
		if c, _ := s.LeaseConnection(t.Context(), "main", "n3", 2, time.Minute); c != 0 {
			t.Errorf("connection %d, want 0", c)
		}
	})
}

// TestRecipientsOfSeveralStatementsFormWholeChunks has more recipients than one statement handles,
// and numbers of them that do not fill the last chunk.
func TestRecipientsOfSeveralStatementsFormWholeChunks(t *testing.T) {
	t.Parallel()
	const n, size = 4_098, 70
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		s.SetSteps(1_000, 2_000)
		people := func(yield func(subscriber.Row, error) bool) {
			for i := range n {
				row := subscriber.Row{Line: i + 1, Address: subscriber.MustParseAddress(fmt.Sprintf("reader%d@example.org", i)), Language: []string{"en", "fr"}[i%2]}
				if !yield(row, nil) {
					return
				}
			}
		}
		if _, err := s.ImportSubscribers(t.Context(), people, store.ImportOptions{Digests: []string{"weekly"}, State: subscriber.Active}); err != nil {
			t.Fatal(err)
		}
		groups, err := s.PreferenceGroups(t.Context(), "weekly")
		if err != nil || len(groups) != 2 || groups[0].Count != n/2 || groups[1].Count != n/2 {
			t.Fatalf("groups %+v, %v", groups, err)
		}
		e, err := s.CreateDraft(t.Context(), store.Edition{Edition: digest.Edition{ID: "e1", Digest: "weekly", ScheduledFor: "manual:e1", Created: s.Now()}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		f := addVariants(t, store.Frozen{Groups: groups, Choice: []int{0, 1}, ChunkSize: size}, "en", "fr")
		if e, err = s.Approve(t.Context(), e, f); err != nil || e.Recipients.Count != n {
			t.Fatalf("%+v, %v", e.Recipients, err)
		}
		french, err := s.SubscriberByAddress(t.Context(), subscriber.MustParseAddress("reader1@example.org"))
		if err != nil {
			t.Fatal(err)
		}
		if _, v, err := s.VariantFor(t.Context(), e.Seq, french.ID); err != nil || v.HTML != "fr" {
			t.Errorf("the mail of a French subscriber contains %q, %v", v.HTML, err)
		}
		if v, err := s.FullVariant(t.Context(), e.Seq); err != nil || v.HTML != "en" {
			t.Errorf("the first of two equally long variants contains %q, %v", v.HTML, err)
		}
		if _, _, err := s.VariantFor(t.Context(), e.Seq, n+1); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the mail of a subscriber who gets none: %v", err)
		}
		last, total := int64(0), 0
		for number := range (n + size - 1) / size {
			c := claim(t, s, "n1", time.Minute)
			if c.Number != int64(number) || c.First <= last {
				t.Fatalf("chunk %+v after %d, want number %d", c, last, number)
			}
			last = c.Last
			got, err := s.Recipients(t.Context(), c, false)
			if err != nil {
				t.Fatal(err)
			}
			want := min(size, n-number*size)
			if len(got) != want {
				t.Fatalf("chunk %d has %d readers, want %d", number, len(got), want)
			}
			total += len(got)
		}
		if total != n {
			t.Errorf("the chunks have %d recipients, want %d", total, n)
		}
	})
}
