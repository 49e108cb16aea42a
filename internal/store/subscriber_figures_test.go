package store_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// figuresStore is a store with few subscribers and the time of its clock.
type figuresStore struct {
	*store.Store
	t *testing.T
}

func (s figuresStore) exec(statement string, args ...any) {
	s.t.Helper()
	if _, err := s.DB().ExecContext(s.t.Context(), statement, args...); err != nil {
		s.t.Fatal(err)
	}
}

// add stores a subscriber who came from a source some days ago and got a state some days ago.
func (s figuresStore) add(name, source string, joined int, state subscriber.State, changed int) {
	s.t.Helper()
	sub, err := s.AddSubscriber(s.t.Context(), subscriber.Subscriber{Address: subscriber.MustParseAddress(name + "@example.org"), State: subscriber.Active})
	if err == nil {
		err = s.Subscribe(s.t.Context(), sub.ID, "weekly", nil)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	ago := func(days int) int64 { return s.Now().AddDate(0, 0, -days).UnixMilli() }
	s.exec("UPDATE subscribers SET created = $2, changed = $3, consent_source = $4, state = $5 WHERE id = $1", sub.ID, ago(joined), ago(changed), source, string(state))
}

func (s figuresStore) update() {
	s.t.Helper()
	s.exec("DELETE FROM leases")
	if err := s.UpdateSubscriberFigures(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

// becomeLarge makes the store a large one, as if thousands of subscribers had been erased.
func (s figuresStore) becomeLarge() {
	s.t.Helper()
	s.exec(map[store.Engine]string{
		store.SQLite: "UPDATE sqlite_sequence SET seq = 20000 WHERE name = 'subscribers'", store.Postgres: "SELECT setval(pg_get_serial_sequence('subscribers', 'id'), 20000)",
	}[s.Engine()])
	s.add("erased", "form", 4, subscriber.Erased, 4)
}

// days returns the figures of the days from some days ago, as text.
func (s figuresStore) days(ago int) string {
	s.t.Helper()
	days, err := s.SubscriberDays(s.t.Context(), s.Now().AddDate(0, 0, -ago))
	if err != nil {
		s.t.Fatal(err)
	}
	var out []string
	for _, d := range days {
		line := fmt.Sprint(int(s.Now().Sub(d.Day).Hours()/24), ":", d.Subscribed)
		if d.Joined != nil {
			line += fmt.Sprint(" +", d.Joined)
		}
		if d.Left != nil {
			line += fmt.Sprint(" -", d.Left)
		}
		out = append(out, line)
	}
	return strings.Join(out, "; ")
}

func TestSubscriberFiguresAreBackfilledAndContinued(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, opened *store.Store) {
		s := figuresStore{opened, t}
		s.add("a", "form", 5, subscriber.Active, 5)
		s.add("b", "import", 5, subscriber.Unsubscribed, 2)
		s.add("c", "form", 3, subscriber.Bounced, 3)
		s.add("d", "form", 2, subscriber.Paused, 1)
		s.add("e", "form", 1, subscriber.Pending, 1)
		s.add("f", "form", 4, subscriber.Erased, 1)
		s.update()
		const backfilled = "5:2 +map[form:1 import:1]; 4:2; 3:2 +map[form:1] -map[bounced:1]; 2:2 +map[form:1] -map[unsubscribed:1]; 1:2; 0:2"
		if got := s.days(7); got != backfilled {
			t.Errorf("backfilled %s\nwant       %s", got, backfilled)
		}
		if got, want := s.days(3), backfilled[strings.Index(backfilled, "3:"):]; got != want {
			t.Errorf("since three days ago %s, want %s", got, want)
		}
		s.add("g", strings.Repeat("é", 100), 0, subscriber.Active, 0)
		s.update()
		s.update()
		if got, want := s.days(1), "1:2; 0:3 +map["+strings.Repeat("é", 60)+":1]"; got != want {
			t.Errorf("today %s, want %s", got, want)
		}
	})
}

func TestLargeStoreShowsKeptTotals(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, opened *store.Store) {
		s := figuresStore{opened, t}
		s.add("a", "form", 5, subscriber.Active, 5)
		s.add("b", "form", 5, subscriber.Paused, 5)
		totals := func() store.SubscriberTotals {
			t.Helper()
			got, err := s.SubscriberTotals(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		live := totals()
		if live.Subscribed() != 2 || live.States[subscriber.Active] != 1 || live.Digests["weekly"] != 1 || live.States[subscriber.Paused] != 1 {
			t.Errorf("counted %+v", live)
		}
		s.becomeLarge()
		if got := totals(); got.Subscribed() != 2 {
			t.Errorf("before the first maintenance %+v", got)
		}
		s.update()
		s.exec("UPDATE subscribers SET state = 'unsubscribed', changed = $1 WHERE state = 'active'", s.Now().UnixMilli())
		kept := totals()
		if kept.Subscribed() != 2 || !maps.Equal(kept.Digests, live.Digests) || kept.At.IsZero() {
			t.Errorf("kept %+v, want %+v", kept, live)
		}
		s.update()
		if got := totals(); got.Subscribed() != 1 {
			t.Errorf("after the next maintenance %+v", got)
		}
		if got, want := s.days(1), "1:2; 0:1"; got != want { // who left is counted when the day has ended
			t.Errorf("today %s, want %s", got, want)
		}
		s.exec("UPDATE subscriber_days SET day = day - 1") // a day later
		s.update()
		if got, want := s.days(0), "0:1 -map[unsubscribed:1]"; got != want {
			t.Errorf("the day after %s, want %s", got, want)
		}
	})
}

func TestSubscriberFiguresAreCountedByOneNode(t *testing.T) {
	t.Parallel()
	s := figuresStore{storetest.Open(t, store.SQLite, store.Options{}), t}
	for range 2 {
		if err := s.UpdateSubscriberFigures(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.add(fmt.Sprint("reader", time.Now().UnixNano()), "form", 0, subscriber.Active, 0)
	}
	if got := s.days(0); got != "0:0" {
		t.Errorf("a second call within minutes counted again: %s", got)
	}
}

func TestLargeStoreShowsKeptCountsOfDigests(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, opened *store.Store) {
		s := figuresStore{opened, t}
		s.add("a", "form", 5, subscriber.Active, 5)
		s.add("b", "form", 5, subscriber.Active, 5)
		s.add("c", "form", 5, subscriber.Bounced, 5)
		s.exec("UPDATE subscriptions SET topics = $1 WHERE subscriber = 2", `["jobs"]`)
		counts := func() string {
			t.Helper()
			c, err := s.DigestCounts(t.Context(), "weekly")
			if err != nil {
				t.Fatal(err)
			}
			var out []string
			for _, g := range c.Groups {
				out = append(out, fmt.Sprint(g.Topics, g.Count))
			}
			return fmt.Sprint(out, c.Others, c.Recipients())
		}
		const counted = "[[] 1 [jobs] 1] [{bounced 1}] 2"
		if got := counts(); got != counted {
			t.Errorf("a small store shows %s, want %s", got, counted)
		}
		s.becomeLarge()
		if got := counts(); got != counted {
			t.Errorf("before the first maintenance %s, want %s", got, counted)
		}
		s.update()
		s.exec("UPDATE subscribers SET state = 'unsubscribed' WHERE id = 2")
		if got := counts(); got != counted {
			t.Errorf("kept %s, want %s", got, counted)
		}
		s.update()
		if got, want := counts(), "[[] 1] [{bounced 1} {unsubscribed 1}] 1"; got != want {
			t.Errorf("after the next maintenance %s, want %s", got, want)
		}
	})
}
