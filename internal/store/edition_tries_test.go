package store_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// settleAll records an outcome for each open mail of an edition, and releases its chunks.
func settleAll(t *testing.T, s *store.Store, outcome func(id int64) store.Outcome) {
	t.Helper()
	for {
		c, err := s.ClaimChunk(t.Context(), "n1", time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if c == nil {
			return
		}
		for _, id := range dueSubscribers(t, s, *c, true) {
			recordOutcome(t, s, *c, id, outcome(id))
		}
		releaseChunk(t, s, *c, true)
	}
}

func accepted(int64) store.Outcome {
	return store.Outcome{State: digest.DeliverySent, Code: 250, Reply: "2.0.0 queued", Relay: "main"}
}

func foundDeliveries(t *testing.T, s *store.Store, e store.Edition, f store.DeliveryFilter) []store.ListedDelivery {
	t.Helper()
	var out []store.ListedDelivery
	for after := int64(0); ; {
		page, err := s.FindDeliveries(t.Context(), e, f, after, 7)
		if err != nil || len(page.List) > 7 {
			t.Fatalf("%d deliveries, %v", len(page.List), err)
		}
		out = append(out, page.List...)
		if after = page.Next; after == 0 {
			return out
		}
	}
}

func TestFailedTriesAreKeptAndCounted(t *testing.T) {
	t.Parallel()
	eachWithForward(t, func(t *testing.T, s *store.Store, forward func(time.Duration)) {
		addSubscribers(t, s, "weekly", 25)
		e := approveEdition(t, s, "e1", "a1")
		var first int64
		settleAll(t, s, func(id int64) store.Outcome {
			switch {
			case first == 0:
				first = id
				return store.Outcome{State: digest.DeliveryDeferred, Code: 451, Reply: "4.7.1 greylisted", Relay: "main", NextTry: s.Now().Add(time.Minute)}
			case id%5 == 0:
				return store.Outcome{State: digest.DeliveryRefused, Code: 550, Reply: "5.1.1 no such user", Relay: "main"}
			}
			return accepted(id)
		})
		reasons, more, err := s.FailureReasons(t.Context(), e.Seq)
		if err != nil || more || len(reasons) != 2 || reasons[0].Code != "550 5.1.1" || reasons[0].Text != "no such user" || reasons[1] != (store.FailureReason{State: digest.DeliveryDeferred, Code: "451 4.7.1", Text: "greylisted", Count: 1}) {
			t.Errorf("reasons %+v, %v", reasons, err)
		}
		refused := foundDeliveries(t, s, e, store.DeliveryFilter{State: digest.DeliveryRefused})
		if len(refused) != reasons[0].Count || len(refused) == 0 {
			t.Errorf("%d refused deliveries are listed, %+v counted", len(refused), reasons[0])
		}
		for _, one := range []struct {
			filter store.DeliveryFilter
			want   int
		}{
			{store.DeliveryFilter{}, 25}, {store.DeliveryFilter{State: digest.DeliverySent}, 24 - len(refused)},
			{store.DeliveryFilter{Reply: store.ReplyTemporary}, 1}, {store.DeliveryFilter{Reply: store.ReplyPermanent}, len(refused)},
			{store.DeliveryFilter{State: digest.DeliverySent, Reply: store.ReplyPermanent}, 0}, {store.DeliveryFilter{Reply: store.ReplyNone}, 0},
		} {
			if got := foundDeliveries(t, s, e, one.filter); len(got) != one.want {
				t.Errorf("%+v: %d deliveries, want %d", one.filter, len(got), one.want)
			}
		}
		forward(2 * time.Minute)
		settleAll(t, s, accepted)
		tries, err := s.Tries(t.Context(), e.Seq, first)
		if err != nil || len(tries) != 1 || tries[0].Number != 1 || tries[0].Code != 451 || tries[0].Relay != "main" || tries[0].State != digest.DeliveryDeferred {
			t.Errorf("tries %+v, %v", tries, err)
		}
		if d, err := s.DeliveryTo(t.Context(), e, first); err != nil || d.State != digest.DeliverySent || d.Tries != 2 || d.Reply != "2.0.0 queued" {
			t.Errorf("delivery %+v, %v", d, err)
		}
		if reasons, _, err := s.FailureReasons(t.Context(), e.Seq); err != nil || len(reasons) != 1 {
			t.Errorf("after the retry: %+v, %v", reasons, err)
		}
		if found := foundDeliveries(t, s, e, store.DeliveryFilter{Search: subscriber.ParseSearch(foundDeliveries(t, s, e, store.DeliveryFilter{})[0].Address)}); len(found) != 1 {
			t.Errorf("a search for an address finds %d deliveries", len(found))
		}
	})
}

func TestRefusedMailsAreRetriedExceptSuppressedOnes(t *testing.T) {
	t.Parallel()
	eachWithForward(t, func(t *testing.T, s *store.Store, forward func(time.Duration)) {
		addSubscribers(t, s, "weekly", 12)
		e := approveEdition(t, s, "e1", "a1")
		settleAll(t, s, func(id int64) store.Outcome {
			if id%3 == 0 {
				return store.Outcome{State: digest.DeliveryRefused, Code: 550, Reply: "5.7.1 blocked", Relay: "main"}
			}
			return accepted(id)
		})
		refused := foundDeliveries(t, s, e, store.DeliveryFilter{State: digest.DeliveryRefused})
		if len(refused) != 4 || !refused[0].Retryable() {
			t.Fatalf("refused: %+v", refused)
		}
		wantState(t, s, "e1", digest.Sent)
		gone := refused[0].Subscriber
		if err := s.UnsubscribeAll(t.Context(), gone); err != nil {
			t.Fatal(err)
		}
		if n, err := s.RetryRefused(t.Context(), e, "retried", gone); n != 0 || err != nil {
			t.Errorf("retried %d mails to a subscriber who left, %v", n, err)
		}
		wantState(t, s, "e1", digest.Sent)
		if n, err := s.RetryRefused(t.Context(), e, "retried by ann", refused[1].Subscriber); n != 1 || err != nil {
			t.Fatalf("retried %d, %v", n, err)
		}
		wantState(t, s, "e1", digest.Sending)
		if n, err := s.RetryRefused(t.Context(), e, "retried by ann"); n != 2 || err != nil {
			t.Fatalf("retried %d, %v", n, err)
		}
		settleAll(t, s, accepted)
		wantState(t, s, "e1", digest.Sent)
		if counts, err := s.EditionCounts(t.Context(), e.Seq); err != nil || counts.Sent != 11 || counts.Refused != 1 {
			t.Errorf("counts %+v, %v", counts, err)
		}
		other := newDraft(t, s, "e2", "a2")
		var state *store.StateError
		if _, err := s.RetryRefused(t.Context(), other, ""); !errors.As(err, &state) {
			t.Errorf("a draft was retried: %v", err)
		}
	})
}

func wantState(t *testing.T, s *store.Store, id string, want digest.State) {
	t.Helper()
	testkit.Eventually(t, string(want), func() bool {
		e, err := s.Edition(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return e.State == want
	})
}

// TestDeliveriesAreFoundByIndex reads the plans of the queries for the pages of deliveries.
func TestDeliveriesAreFoundByIndex(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.SQLite, store.Options{})
	texts := store.QueryTexts(store.SQLite)
	for name, args := range map[string][]any{
		"try.list": {1, 1, 200}, "try.reasons": {1, 2000}, "try.chunks": {1, 0, "refused", 60}, "try.range": {1, 1, 500, "", 0, 999, 51}, "try.of": {1, "[1]"},
		"delivery.historyOfSubscriber": {1, 50}, "delivery.ofSubscriber": {1, 50},
		"delivery.list": {1, 0, `["refused"]`, 50}, "delivery.doubted": {1, 0, 50}, "edition.skipped": {1},
	} {
		rows, err := s.DB().QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+texts[name], args...)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		plan := ""
		for rows.Next() {
			var line string
			var number int
			if err := rows.Scan(&number, &number, &number, &line); err != nil {
				t.Fatal(err)
			}
			plan += line + "\n"
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
		if name == "delivery.doubted" && !strings.Contains(plan, "deliveries_doubted") || name == "edition.skipped" && !strings.Contains(plan, "COVERING INDEX deliveries_skipped") || name == "delivery.list" && !strings.HasPrefix(plan, "SEARCH c ") {
			t.Errorf("%s:\n%s", name, plan)
		}
		for _, line := range strings.Split(plan, "\n") {
			if strings.HasPrefix(line, "SCAN") && !strings.Contains(line, "json_each") && line != "SCAN e" || strings.Contains(line, "TEMP B-TREE") {
				t.Errorf("%s:\n%s", name, plan)
			}
		}
	}
}
