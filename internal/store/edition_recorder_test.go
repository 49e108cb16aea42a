package store_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// TestBrokenRepliesNeverFailACommit has replies of a hostile or broken server next to an ordinary
// one: a failed commit would lose the outcome of every mail in it.
func TestBrokenRepliesNeverFailACommit(t *testing.T) {
	t.Parallel()
	words := []struct{ said, kept string }{
		{"5.1.1 no such user", "5.1.1 no such user"},
		{"no\x00body", "nobody"},
		{"\x00", ""},
		{`a backslash and \u0000 in letters`, `a backslash and \u0000 in letters`},
		{"broken \xff\xfe here", "broken \uFFFD here"},
		{"cut in a letter \xe2\x82", "cut in a letter \uFFFD"},
		{"a surrogate \xed\xa0\x80", "a surrogate \uFFFD"},
		{"\x1b[31mred\x07\r\nDATA\x7f\u0085", " [31mred   DATA  "},
		{`"quoted", <b>`, `"quoted", <b>`},
		{"boîte aux lettres pleine 満杯", "boîte aux lettres pleine 満杯"},
		{strings.Repeat("x", 501), strings.Repeat("x", 500)},
		{strings.Repeat("満", 600), strings.Repeat("満", 500)},
		{strings.Repeat("\xff", 1<<20), "\uFFFD"},
	}
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		addSubscribers(t, s, "weekly", 2*len(words))
		e := approveEdition(t, s, "e1", "a1")
		r := s.NewRecorder()
		defer r.Close()
		var people []store.Recipient
		for len(people) < 2*len(words) {
			c := claim(t, s, "n1", time.Minute)
			in, err := s.Recipients(t.Context(), c, false)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range in {
				i := len(people)
				recordReply(t, r, c, p.Subscriber, words[i/2].said, i%2 == 0)
				people = append(people, p)
			}
		}
		for i, p := range people {
			d, err := storetest.Delivery(t, s, e, p.Subscriber)
			if err != nil {
				t.Fatal(err)
			}
			want := words[i/2].kept
			if i%2 == 0 && (d.State != digest.DeliveryRefused || d.Reply != want || d.Reason != want) || i%2 == 1 && (d.State != digest.DeliverySkipped || d.Reason != want) {
				t.Errorf("%.40q: %s, reply %.40q, reason %.40q", words[i/2].said, d.State, d.Reply, d.Reason)
			}
		}
	})
}

// TestLateOutcomeReplacesUncertain does not wait for the recorder to update the counts: its process
// may be killed before that.
func TestLateOutcomeReplacesUncertain(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		addSubscribers(t, s, "weekly", 1)
		e := approveEdition(t, s, "e1", "a1")
		r := s.NewRecorder()
		defer r.Close()
		frozen := claim(t, s, "frozen", time.Millisecond)
		people, err := s.Recipients(t.Context(), frozen, false)
		if err != nil || len(people) != 1 {
			t.Fatalf("%+v, %v", people, err)
		}
		in := store.Intent{Chunk: frozen, Subscriber: people[0].Subscriber, Nonce: 7}
		if granted, err := r.Record(t.Context(), store.RecorderEntry{Intent: &in}); !granted || err != nil {
			t.Fatal(granted, err)
		}
		time.Sleep(5 * time.Millisecond) // the lease expires
		other := claim(t, s, "other", time.Minute)
		if finished, err := s.ReleaseChunk(t.Context(), other, false); finished || err != nil {
			t.Fatalf("finished %v with an uncertain mail, %v", finished, err)
		}
		expect := func(want store.DeliveryCounts) {
			t.Helper()
			if counts, err := s.EditionCounts(t.Context(), e.Seq); err != nil || counts != want {
				t.Fatalf("counts %+v, want %+v, %v", counts, want, err)
			}
		}
		expect(store.DeliveryCounts{Total: 1, Uncertain: 1})
		done := store.Outcome{Intent: in, State: digest.DeliverySent, Code: 250}
		for range 2 { // a node that does not know whether it was stored stores it again
			if _, err := r.Record(t.Context(), store.RecorderEntry{Outcome: &done}); err != nil {
				t.Fatal(err)
			}
			expect(store.DeliveryCounts{Total: 1, Sent: 1})
		}
		if finished, err := s.ReleaseChunk(t.Context(), claim(t, s, "other", time.Minute), false); !finished || err != nil {
			t.Errorf("finished %v, %v", finished, err)
		}
		expect(store.DeliveryCounts{Total: 1, Sent: 1})
	})
}

// TestDeliveryOnceUncertainStaysListed whatever the later outcome, since the mail may have arrived
// twice.
func TestDeliveryOnceUncertainStaysListed(t *testing.T) {
	t.Parallel()
	eachWithForward(t, func(t *testing.T, s *store.Store, forward func(time.Duration)) {
		addSubscribers(t, s, "weekly", 1)
		e := approveEdition(t, s, "e1", "a1")
		const doubt = "in doubt: the connection was cut"
		for i, step := range []struct {
			done store.Outcome
			want string
		}{
			{store.Outcome{State: digest.DeliveryUncertain, Reason: doubt}, doubt},
			{store.Outcome{State: digest.DeliveryUncertain, Reason: doubt + " again"}, doubt + " again"},
			{store.Outcome{State: digest.DeliveryUncertain, Reason: doubt}, doubt},
			{store.Outcome{State: digest.DeliveryDeferred}, doubt},
			{store.Outcome{State: digest.DeliveryDeferred, Reason: "cut before the dot"}, doubt + "; then: cut before the dot"},
			{store.Outcome{State: digest.DeliveryDeferred, Reason: "try later"}, doubt + "; then: try later"},
			{store.Outcome{State: digest.DeliverySent}, doubt + "; then: try later"},
		} {
			c := claim(t, s, "n1", time.Minute)
			sub := dueSubscribers(t, s, c, true)
			if len(sub) != 1 {
				t.Fatalf("step %d: the mails of %v are due", i, sub)
			}
			recordOutcome(t, s, c, sub[0], step.done)
			releaseChunk(t, s, c, true)
			if d, err := storetest.Delivery(t, s, e, sub[0]); err != nil || d.State != step.done.State || d.Reason != step.want {
				t.Errorf("step %d: %s, %q, want %q, %v", i, d.State, d.Reason, step.want, err)
			}
			forward(time.Minute)
		}
	})
}

// TestRefusalAndItsFeedbackAreOneCommit: an outcome without its feedback would leave a dead address
// on the list.
func TestRefusalAndItsFeedbackAreOneCommit(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		addSubscribers(t, s, "weekly", 2)
		e := approveEdition(t, s, "e1", "a1")
		r := s.NewRecorder()
		defer r.Close()
		c := claim(t, s, "n1", time.Minute)
		sub := dueSubscribers(t, s, c, true)
		in, next := store.Intent{Chunk: c, Subscriber: sub[0], Nonce: 7}, store.Intent{Chunk: c, Subscriber: sub[1], Nonce: 8}
		if granted, err := r.Record(t.Context(), store.RecorderEntry{Intent: &in}); !granted || err != nil {
			t.Fatal(granted, err)
		}
		back := store.Feedback{Key: "smtp:e1:1", Subscriber: sub[0], Edition: "e1", Kind: store.FeedbackBounced, Code: 550, Text: "5.1.1 gone", Source: "smtp", At: s.Now()}
		note := store.RecorderEntry{Outcome: &store.Outcome{Intent: in, State: digest.DeliveryRefused, Code: 550, Feedback: &back}, Intent: &next}
		rename := func(from, to string) {
			t.Helper()
			if _, err := s.DB().ExecContext(t.Context(), "ALTER TABLE "+from+" RENAME TO "+to); err != nil {
				t.Fatal(err)
			}
		}
		expect := func(delivery digest.DeliveryState, reader subscriber.State) {
			t.Helper()
			d, err := storetest.Delivery(t, s, e, sub[0])
			if err != nil || d.State != delivery {
				t.Errorf("the delivery is %s, want %s, %v", d.State, delivery, err)
			}
			p, err := s.Subscriber(t.Context(), sub[0])
			if err != nil || p.State != reader {
				t.Errorf("the subscriber is %s, want %s, %v", p.State, reader, err)
			}
		}
		rename("feedback", "away")
		if granted, err := r.Record(t.Context(), note); granted || err == nil {
			t.Errorf("granted %v although the feedback could not be stored, %v", granted, err)
		}
		expect(digest.DeliveryAttempting, subscriber.Active)
		rename("away", "feedback")
		for range 2 {
			if granted, err := r.Record(t.Context(), note); !granted || err != nil {
				t.Fatal(granted, err)
			}
			expect(digest.DeliveryRefused, subscriber.Bounced)
		}
	})
}

// recordReply records a server's reply to a mail: after a try, or without one.
func recordReply(t *testing.T, r *store.Recorder, c store.Chunk, reader int64, words string, tried bool) {
	t.Helper()
	if !tried {
		if _, err := r.Record(t.Context(), store.RecorderEntry{Skip: &store.Skip{Chunk: c, Subscriber: reader, State: digest.DeliverySkipped, Reason: words}}); err != nil {
			t.Errorf("skipped for %.40q: %v", words, err)
		}
		return
	}
	in := store.Intent{Chunk: c, Subscriber: reader, Nonce: reader + 1}
	if granted, err := r.Record(t.Context(), store.RecorderEntry{Intent: &in}); !granted || err != nil {
		t.Fatalf("granted %v, %v", granted, err)
	}
	done := store.Outcome{Intent: in, State: digest.DeliveryRefused, Code: 550, Reply: words, Reason: words}
	if _, err := r.Record(t.Context(), store.RecorderEntry{Outcome: &done}); err != nil {
		t.Errorf("refused with %.40q: %v", words, err)
	}
}

func TestLongRepliesAreCut(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		addSubscribers(t, s, "weekly", 1)
		for key, words := range map[string]string{"nul": "no\x00\x1b\xff" + strings.Repeat("満", 1000), "large": strings.Repeat("x", 1<<20)} {
			f := store.Feedback{Key: key, Subscriber: 1, Kind: store.FeedbackSoft, Text: words, Source: "generic", At: s.Now()}
			if fresh, err := s.RecordFeedback(t.Context(), f, store.SoftRule{}); !fresh || err != nil {
				t.Errorf("%s: %v, %v", key, fresh, err)
			}
		}
		kept, err := s.FeedbackOf(t.Context(), 1, 10)
		if err != nil || len(kept) != 2 {
			t.Fatalf("%+v, %v", kept, err)
		}
		for _, f := range kept {
			if n := utf8.RuneCountInString(f.Text); n != 500 || !utf8.ValidString(f.Text) || strings.ContainsAny(f.Text, "\x00\x1b") {
				t.Errorf("%s: %d characters, %.20q", f.Key, n, f.Text)
			}
		}
	})
}
