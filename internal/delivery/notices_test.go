package delivery_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/sink"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// failedEdition makes an edition that fails.
func (b *env) failedEdition(slug, reason string) store.Edition {
	b.t.Helper()
	b.addArticle(slug)
	e, err := b.engine.Draft(b.t.Context(), "weekly", delivery.SendOptions{By: "ann"})
	if err == nil {
		err = b.store.SetEditionState(b.t.Context(), e.ID, digest.Failed, reason)
	}
	if err != nil {
		b.t.Fatal(err)
	}
	return e
}

// headings returns how many mails to an address have each of some headings.
func (b *env) headings(address string, headings ...string) []int {
	out := make([]int, len(headings))
	for _, m := range b.mailsTo(address) {
		for i, heading := range headings {
			if strings.Contains(m, "Subject: "+heading) {
				out[i]++
			}
		}
	}
	return out
}

// TestEditorsGetOneMailPerEvent runs two nodes, and another one later: each event is mailed once.
// Owners, who get alerts about failures and relays, get no second mail about them.
func TestEditorsGetOneMailPerEvent(t *testing.T) {
	t.Parallel()
	each(t, sink.Options{}, func(o *delivery.Options) {
		o.OwnersAlerted, o.Digests[0].Notices = true, map[delivery.Event]bool{delivery.EventSent: true}
	}, func(b *env) {
		ctx := b.t.Context()
		b.editor("ann@gazette.example", "editor")
		b.editor("owner@gazette.example", "owner")
		b.addSubscribers(3)
		b.addArticle("ferries")
		b.start()
		other, err := delivery.New(ctx, b.options)
		if err != nil {
			b.t.Fatal(err)
		}
		second, end := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- other.Run(second) }()
		e := b.send()
		b.sent(e.ID)
		b.failedEdition("bridges", "a template is broken")
		if err := b.store.PutHold(ctx, store.Hold{Relay: "spare", Kind: store.RelayHeld, Until: b.store.Now().Add(time.Hour), Reason: "550 5.7.1 listed"}); err != nil {
			b.t.Fatal(err)
		}
		if _, err := b.store.RecordFeedback(ctx, store.Feedback{Key: "c", Subscriber: 1, Edition: e.ID, Kind: store.FeedbackComplained, At: b.store.Now()}, store.SoftRule{}); err != nil {
			b.t.Fatal(err)
		}
		headings := []string{"Sent: ", "Failed: ", "A relay was stopped: spare", "Reported as spam: "}
		b.eventually("the mails to the editor", func() bool {
			return len(b.mailsTo("ann@gazette.example")) >= 4 && len(b.mailsTo("owner@gazette.example")) >= 2
		})
		end()
		if err := <-done; err != nil {
			b.t.Error(err)
		}
		b.stop()
		b.start() // another node: the events are recorded
		b.failedEdition("cranes", "another template is broken")
		b.eventually("the mail about the last event", func() bool { return b.headings("ann@gazette.example", headings...)[1] == 2 })
		for address, want := range map[string][]int{"ann@gazette.example": {1, 2, 1, 1}, "owner@gazette.example": {1, 0, 0, 1}} {
			for i, n := range b.headings(address, headings...) {
				if n != want[i] {
					b.t.Errorf("%s has %d mails with %q, want %d", address, n, headings[i], want[i])
				}
			}
		}
		for _, m := range b.mailsTo("ann@gazette.example") {
			if strings.Contains(m, "Subject: Sent: ") && !strings.Contains(m, "Sent: 3. Refused: 0. Uncertain: 0. Skipped: 0.") || strings.Contains(m, "Subject: Reported") && !strings.Contains(m, "of 3 who got it: 33.33 %") {
				b.t.Error(m)
			}
		}
	})
}

func TestEventsThatAreSwitchedOffAreNotMailed(t *testing.T) {
	t.Parallel()
	b := setup(t, store.SQLite, sink.Options{})
	b.options.Digests[0].Notices = map[delivery.Event]bool{delivery.EventRelay: false}
	b.editor("ann@gazette.example", "editor")
	b.addSubscribers(1)
	b.addArticle("ferries")
	if err := b.store.PutHold(t.Context(), store.Hold{Relay: "spare", Kind: store.RelayHeld, Until: b.store.Now().Add(time.Hour), Reason: "550 5.7.1 listed"}); err != nil {
		t.Fatal(err)
	}
	b.start()
	b.sent(b.send().ID) // by default there is no mail about it
	b.failedEdition("bridges", "a template is broken")
	b.eventually("all events to be recorded", func() bool {
		pending, err := b.store.EndedWithoutNotice(t.Context(), 10)
		first, err2 := b.store.RecordNotice(t.Context(), "notice: relay spare", time.Hour, nil)
		return err == nil && len(pending) == 0 && err2 == nil && !first
	})
	b.eventually("the mail about the failure", func() bool { return len(b.mailsTo("ann@gazette.example")) > 0 })
	if got := b.headings("ann@gazette.example", "Sent: ", "Failed: ", "A relay"); got[0] != 0 || got[1] != 1 || got[2] != 0 {
		t.Errorf("mails %v", got)
	}
}

// TestNoticeAndItsMailAreStoredTogether checks that of two nodes only one stores the mail.
func TestNoticeAndItsMailAreStoredTogether(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		job := store.Job{Kind: "test", Due: s.Now()}
		for try, want := range []bool{true, false} {
			if first, err := s.RecordNotice(t.Context(), "notice: x", time.Hour, []store.Job{job}); err != nil || first != want {
				t.Errorf("try %d: %v, %v", try, first, err)
			}
		}
		if n := storetest.CountJobs(t, s, "open"); n != 1 {
			t.Errorf("%d jobs, want 1", n)
		}
	})
}
