package store_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

func importText(t *testing.T, s *store.Store, data string, dry bool) store.ImportResult {
	t.Helper()
	list, err := subscriber.OpenList(strings.NewReader(data), subscriber.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	result, err := s.ImportSubscribers(t.Context(), list.Rows(), store.ImportOptions{Digests: []string{"weekly"}, DryRun: dry})
	if err != nil {
		t.Fatal(err)
	}
	return result.ImportResult
}

// reason returns why an address is suppressed; empty when it is not.
func reason(t *testing.T, s *store.Store, address string) store.SuppressionReason {
	t.Helper()
	held, err := s.Suppression(t.Context(), subscriber.MustParseAddress(address))
	if err != nil {
		t.Fatal(err)
	}
	return held.Reason
}

// gonePeople is a list that marks subscribers as gone.
const gonePeople = "email,unsub_time,clean_time,complained\n" +
	"active@example.org,2024-03-01 10:00:00,,\n" +
	"paused@example.org,,2024-03-01 10:00:00,\n" +
	"pending@example.org,2024-03-01 10:00:00,,\n" +
	"unsubscribed@example.org,,2024-03-01 10:00:00,\n" +
	"bounced@example.org,2024-03-01 10:00:00,,\n" +
	"complained@example.org,,,\n" +
	"new@example.org,,,yes\n"

func TestImportLowersAndSuppressesSubscribersWhoLeft(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for _, state := range []subscriber.State{subscriber.Active, subscriber.Pending, subscriber.Paused} {
			p := addSubscriber(t, s, string(state)+"@example.org", state)
			if err := s.Subscribe(t.Context(), p.ID, "weekly", nil); err != nil {
				t.Fatal(err)
			}
		}
		before := departed(t, s)
		want := store.ImportResult{Lines: 7, Added: 1, Unchanged: 1, Lowered: 2, Suppressed: 3}
		if got := importText(t, s, gonePeople, true); got != want || departed(t, s) != before {
			t.Errorf("dry run %+v, want %+v; stored %s", got, want, departed(t, s))
		}
		if got := importText(t, s, gonePeople, false); got != want {
			t.Errorf("result %+v, want %+v", got, want)
		}
		// A pending subscriber asked for mail after the list was made: the confirmation decides.
		const after = "active:unsubscribed:unsubscribed paused:bounced:bounced pending:pending:unsubscribed " +
			"unsubscribed:bounced:bounced bounced:unsubscribed:unsubscribed complained:active: new:complained:complained "
		if got := departed(t, s); got != after {
			t.Errorf("stored\n%s, want\n%s", got, after)
		}
		if n, err := s.CountActive(t.Context(), "weekly"); n != 1 || err != nil { // complained@, about whom the list says nothing
			t.Errorf("%d are active on the digest, %v", n, err)
		}
	})
}

// departed returns the states and suppressions of the subscribers in gonePeople.
func departed(t *testing.T, s *store.Store) string {
	t.Helper()
	var out strings.Builder
	for _, name := range []string{"active", "paused", "pending", "unsubscribed", "bounced", "complained", "new"} {
		found, err := s.SubscriberByAddress(t.Context(), subscriber.MustParseAddress(name+"@example.org"))
		if err != nil {
			found.State = "-"
		}
		fmt.Fprintf(&out, "%s:%s:%s ", name, found.State, reason(t, s, name+"@example.org"))
	}
	return out.String()
}

func TestImportNeverRaisesAState(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		people := map[string]subscriber.State{}
		for _, state := range subscriber.States[:6] {
			p := addSubscriber(t, s, string(state)+"@example.org", subscriber.Pending)
			if state != subscriber.Pending {
				if err := s.SetState(ctx, p.ID, subscriber.Active, ""); err != nil {
					t.Fatal(err)
				}
				if err := s.SetState(ctx, p.ID, state, ""); err != nil {
					t.Fatal(err)
				}
			}
			// An editor lifted the suppression; the state stays.
			if err := s.LiftSuppression(ctx, p.Address); err != nil {
				t.Fatal(err)
			}
			people[string(state)+"@example.org"] = state
		}
		var list strings.Builder
		list.WriteString("email,status,subscribed,opt-in,topics,digests\n")
		for address := range people {
			fmt.Fprintf(&list, "%s,Subscribed,true,yes,,\n%s,enabled,true,2024-01-01,council,daily\n", address, address)
		}
		importText(t, s, list.String(), false)
		for address, state := range people {
			p := byAddress(t, s, address)
			on := onDigests(t, s, p.ID)
			mailed := state == subscriber.Active || state == subscriber.Paused
			if p.State != state || (on != "[]") != mailed {
				t.Errorf("%s is %s on %s, was %s", address, p.State, on, state)
			}
		}
	})
}

func TestLaterLineOfAListLowersTheEarlierOne(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const list = "email,status\nada@example.org,active\nada@example.org,unsubscribed\nben@example.org,cleaned\nben@example.org,active\n"
		for _, dry := range []bool{true, false} {
			if got, want := importText(t, s, list, dry), (store.ImportResult{Lines: 4, Added: 1, Lowered: 1, Repeated: 1, Suppressed: 1}); got != want {
				t.Errorf("dry %v: %+v, want %+v", dry, got, want)
			}
		}
		if ada, ben := byAddress(t, s, "ada@example.org"), byAddress(t, s, "ben@example.org"); ada.State != subscriber.Unsubscribed || ben.State != subscriber.Bounced {
			t.Errorf("ada is %s, ben %s", ada.State, ben.State)
		}
		if got := importText(t, s, "ada@example.org\nben@example.org\n", false); got != (store.ImportResult{Lines: 2, Suppressed: 2}) {
			t.Errorf("after a later list: %+v", got)
		}
	})
}

func TestDryRunKnowsAddressesOfEarlierBatches(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var list strings.Builder
		list.WriteString("email,status\nada@example.org,active\nben@example.org,active\n")
		const batch = 500
		s.SetSteps(batch, batch)
		for i := range batch {
			fmt.Fprintf(&list, "p%d@example.org,active\n", i)
		}
		list.WriteString("ada@example.org,unsubscribed\nben@example.org,active\n")
		want := store.ImportResult{Lines: batch + 4, Added: batch + 2, Lowered: 1, Repeated: 1}
		for _, dry := range []bool{true, false} {
			if got := importText(t, s, list.String(), dry); got != want {
				t.Errorf("dry %v: %+v, want %+v", dry, got, want)
			}
		}
	})
}

func TestErasedLineLowersAnExistingSubscriber(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		addSubscriber(t, s, "ada@example.org", subscriber.Active)
		if got := importText(t, s, "email,state\nada@example.org,erased\n", false); got != (store.ImportResult{Lines: 1, Lowered: 1}) {
			t.Errorf("%+v", got)
		}
		if p := byAddress(t, s, "ada@example.org"); p.State != subscriber.Unsubscribed || reason(t, s, "ada@example.org") == "" {
			t.Errorf("%s, suppressed for %q", p.State, reason(t, s, "ada@example.org"))
		}
	})
}

func TestLabelsAreStoredAndSelectNoArticles(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		importText(t, s, "Email Address,TAGS\nada@example.org,\"\"\"VIP, gold\"\",\"\"Fair 2024\"\"\"\nben@example.org,\n", false)
		ada := byAddress(t, s, "ada@example.org")
		if fmt.Sprintf("%q", ada.Labels) != `["VIP, gold" "Fair 2024"]` || onDigests(t, s, ada.ID) != "[weekly []]" {
			t.Errorf("labels %q, on %s", ada.Labels, onDigests(t, s, ada.ID))
		}
		if ben := byAddress(t, s, "ben@example.org"); ben.Labels != nil {
			t.Errorf("labels %q", ben.Labels)
		}
		if err := s.Erase(t.Context(), ada.ID); err != nil {
			t.Fatal(err)
		}
		mustNotHold(t, s, "Fair 2024")
	})
}
