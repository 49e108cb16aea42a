package store_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

func addSubscriber(t testing.TB, s *store.Store, address string, state subscriber.State) subscriber.Subscriber {
	t.Helper()
	sub, err := s.AddSubscriber(t.Context(), subscriber.Subscriber{Address: subscriber.MustParseAddress(address), State: state})
	if err != nil {
		t.Fatal(err)
	}
	return sub
}

func byAddress(t testing.TB, s *store.Store, address string) subscriber.Subscriber {
	t.Helper()
	sub, err := s.SubscriberByAddress(t.Context(), subscriber.MustParseAddress(address))
	if err != nil {
		t.Fatal(err)
	}
	return sub
}

func TestStoredSubscriberIsReadBackUnchanged(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		in := subscriber.Subscriber{
			Address: subscriber.MustParseAddress("Jürgen.O'Neil@bücher.example"), Name: "Jürgen {{.}}", State: subscriber.Pending,
			Language: "de", Timezone: "Europe/Berlin", Labels: []string{"VIP", "Fair, 2024"},
			Consent: subscriber.Consent{Source: "form", Text: "the weekly", IP: "192.0.2.1", At: time.UnixMilli(1700000000123).UTC()},
		}
		added, err := s.AddSubscriber(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		got := byAddress(t, s, "jürgen.o'neil@xn--bcher-kva.example")
		in.ID, in.UID, in.Created, in.Changed = added.ID, added.UID, added.Created, added.Changed
		if !reflect.DeepEqual(got, in) || got.ID == 0 || got.UID == uuid.Nil || got.Created.IsZero() {
			t.Errorf("got  %+v\nwant %+v", got, in)
		}
		if _, err := s.AddSubscriber(t.Context(), in); !errors.Is(err, store.ErrExists) {
			t.Errorf("added twice: %v", err)
		}
		if _, err := s.Subscriber(t.Context(), 12345); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("an unknown ID: %v", err)
		}
	})
}

func TestStatesChangeOnlyAsTheTableAllows(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		for i, from := range subscriber.States {
			for j, to := range subscriber.States {
				if from == subscriber.Erased {
					continue
				}
				sub := addSubscriber(t, s, fmt.Sprintf("p%d.%d@example.org", i, j), from)
				err := s.SetState(ctx, sub.ID, to, "why")
				var refused *store.SubscriberStateError
				allowed := from == to || from.CanBecome(to)
				if allowed != (err == nil) || !allowed && !errors.As(err, &refused) {
					t.Errorf("%s to %s: %v", from, to, err)
				}
				want := from
				if allowed {
					want = to
				}
				if got, err := s.Subscriber(ctx, sub.ID); got.State != want || err != nil {
					t.Errorf("%s to %s left them %s, %v", from, to, got.State, err)
				}
			}
		}
	})
}

func TestSuppressionSurvivesErasureAndImport(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		const address = "private@example.org"
		sub := addSubscriber(t, s, address, subscriber.Active)
		if err := s.Subscribe(ctx, sub.ID, "weekly", nil); err != nil {
			t.Fatal(err)
		}
		token, err := s.CreateFeedToken(ctx, sub.ID, "weekly")
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // erasing again changes nothing
			if err := s.Erase(ctx, sub.ID); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.FeedToken(ctx, token); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the private feed is still valid: %v", err)
		}
		got, err := s.Subscriber(ctx, sub.ID)
		if err != nil || got.State != subscriber.Erased || !got.Address.IsZero() || onDigests(t, s, sub.ID) != "[]" {
			t.Errorf("after the erasure: %+v, %v", got, err)
		}
		mustNotHold(t, s, "private")
		rows := storetest.List(t, strings.NewReader("PRIVATE@example.org\n"))
		if result, err := s.ImportSubscribers(ctx, rows, store.ImportOptions{Digests: []string{"weekly"}}); result.Suppressed != 1 || err != nil {
			t.Errorf("imported again: %+v, %v", result, err)
		}
		var held *store.SuppressedError
		if _, err := s.AddSubscriber(ctx, subscriber.Subscriber{Address: subscriber.MustParseAddress(address), State: subscriber.Active}); !errors.As(err, &held) {
			t.Errorf("added again: %v", err)
		}
		back := addSubscriber(t, s, address, subscriber.Pending) // their own request, to be confirmed
		if err := s.SetState(ctx, back.ID, subscriber.Active, ""); err != nil {
			t.Fatal(err)
		}
		if held, err := s.Suppression(ctx, back.Address); held.Reason != "" || err != nil {
			t.Errorf("still suppressed after the confirmation: %+v, %v", held, err)
		}
	})
}

// mustNotHold checks that no row about a subscriber contains a word.
func mustNotHold(t *testing.T, s *store.Store, word string) {
	t.Helper()
	var n int
	err := s.DB().QueryRowContext(t.Context(), "SELECT count(*) FROM subscribers WHERE address_key LIKE $1 OR address LIKE $1 OR name LIKE $1 OR consent_text LIKE $1", "%"+word+"%").Scan(&n)
	if err != nil || n != 0 {
		t.Errorf("%d rows still hold %q, %v", n, word, err)
	}
}

func TestBounceOrComplaintSuppressesTheAddress(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		sub := addSubscriber(t, s, "a@example.org", subscriber.Active)
		if err := s.Suppress(ctx, sub.Address, store.BouncedReason, "550 5.1.1 no such user"); err != nil {
			t.Fatal(err)
		}
		if got, _ := s.Subscriber(ctx, sub.ID); got.State != subscriber.Bounced {
			t.Errorf("a suppressed subscriber is %s", got.State)
		}
		for _, reason := range []store.SuppressionReason{store.ComplainedReason, store.BouncedReason, store.EditorReason} {
			if err := s.Suppress(ctx, sub.Address, reason, string(reason)); err != nil {
				t.Fatal(err)
			}
		}
		if held, err := s.Suppression(ctx, sub.Address); held.Reason != store.ComplainedReason || held.Since.IsZero() || err != nil {
			t.Errorf("the strongest reason was replaced: %+v, %v", held, err)
		}
		var refused *store.SuppressedError
		if err := s.Erase(ctx, sub.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := s.AddSubscriber(ctx, subscriber.Subscriber{Address: sub.Address, State: subscriber.Pending}); !errors.As(err, &refused) {
			t.Errorf("a complaint counts as a personal reason: %v", err)
		}
		if err := s.LiftSuppression(ctx, sub.Address); err != nil {
			t.Fatal(err)
		}
		addSubscriber(t, s, "a@example.org", subscriber.Active)
	})
}

func TestEndingTheLastSubscriptionUnsubscribes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		sub := addSubscriber(t, s, "a@example.org", subscriber.Active)
		for _, digest := range []string{"daily", "weekly"} {
			if err := s.Subscribe(ctx, sub.ID, digest, []string{"golang"}); err != nil {
				t.Fatal(err)
			}
		}
		steps := []struct {
			digest string
			state  subscriber.State
			on     string
		}{{"daily", subscriber.Active, "[weekly [golang]]"}, {"daily", subscriber.Active, "[weekly [golang]]"}, {"weekly", subscriber.Unsubscribed, "[]"}, {"weekly", subscriber.Unsubscribed, "[]"}}
		for _, step := range steps {
			if err := s.Unsubscribe(ctx, sub.ID, step.digest); err != nil {
				t.Fatal(err)
			}
			if got, _ := s.Subscriber(ctx, sub.ID); got.State != step.state || onDigests(t, s, sub.ID) != step.on {
				t.Errorf("after unsubscribing from %s: %s with %s, want %s with %s", step.digest, got.State, onDigests(t, s, sub.ID), step.state, step.on)
			}
		}
		if err := s.SetState(ctx, sub.ID, subscriber.Active, ""); err != nil {
			t.Fatal(err)
		}
		if err := s.Subscribe(ctx, sub.ID, "weekly", nil); err != nil {
			t.Fatal(err)
		}
		if got := onDigests(t, s, sub.ID); got != "[weekly []]" {
			t.Errorf("subscribed again: %s", got)
		}
		if n, err := s.CountActive(ctx, "weekly"); n != 1 || err != nil {
			t.Errorf("%d active, %v", n, err)
		}
	})
}

func TestEverySubscriberIsListedOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		importAll(t, s, 1200) // more than two pages
		paused := byAddress(t, s, "reader.0@example0.org")
		if err := s.SetState(ctx, paused.ID, subscriber.Paused, ""); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			query store.SubscriberQuery
			want  int
		}{
			{store.SubscriberQuery{}, 1200},
			{store.SubscriberQuery{State: subscriber.Active}, 1199},
			{store.SubscriberQuery{Digest: "weekly"}, 1200},
			{store.SubscriberQuery{Digest: "weekly", State: subscriber.Paused}, 1},
			{store.SubscriberQuery{Digest: "none"}, 0},
			{store.SubscriberQuery{Limit: 700}, 700},
			{store.SubscriberQuery{Limit: 7}, 7},
		} {
			var ids []int64
			for listed, err := range s.Subscribers(ctx, c.query) {
				if err != nil {
					t.Fatal(err)
				}
				if len(listed.Subscriptions) != 1 || listed.Subscriptions[0].Digest != "weekly" {
					t.Fatalf("%+v", listed)
				}
				ids = append(ids, listed.ID)
			}
			if len(ids) != c.want || !slices.IsSorted(ids) || len(slices.Compact(ids)) != c.want {
				t.Errorf("%+v lists %d, want %d", c.query, len(ids), c.want)
			}
		}
	})
}

func TestUnconfirmedSubscribersAreErasedButNotSuppressed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		sub := addSubscriber(t, s, "typo@example.org", subscriber.Pending)
		kept := addSubscriber(t, s, "kept@example.org", subscriber.Active)
		if n, err := s.ErasePending(ctx, time.Now().Add(-time.Hour), 10); n != 0 || err != nil {
			t.Errorf("%d were erased too early, %v", n, err)
		}
		if n, err := s.ErasePending(ctx, time.Now().Add(time.Hour), 10); n != 1 || err != nil {
			t.Errorf("%d erased, %v", n, err)
		}
		if held, err := s.Suppression(ctx, sub.Address); held.Reason != "" || err != nil {
			t.Errorf("the unconfirmed subscribers are suppressed: %+v, %v", held, err)
		}
		if got, _ := s.Subscriber(ctx, kept.ID); got.State != subscriber.Active {
			t.Errorf("the active subscriber is %s", got.State)
		}
		addSubscriber(t, s, "typo@example.org", subscriber.Active)
	})
}

func TestOnlyAnEditorLiftsAnEditorsSuppression(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		sub := addSubscriber(t, s, "a@example.org", subscriber.Active)
		if err := s.Suppress(ctx, sub.Address, store.EditorReason, "asked by letter"); err != nil {
			t.Fatal(err)
		}
		var held *store.SuppressedError
		if err := s.SetState(ctx, sub.ID, subscriber.Active, ""); !errors.As(err, &held) || held.Detail != "asked by letter" {
			t.Errorf("lifted by the subscriber: %v", err)
		}
		if got, err := s.Subscriber(ctx, sub.ID); got.State != subscriber.Unsubscribed || err != nil {
			t.Errorf("the subscriber is %s, %v", got.State, err)
		}
		if err := s.LiftSuppression(ctx, sub.Address); err != nil {
			t.Fatal(err)
		}
		if err := s.SetState(ctx, sub.ID, subscriber.Active, ""); err != nil {
			t.Errorf("after it was lifted: %v", err)
		}
	})
}

// TestEditorsSuppressionIsStrongerThanTheOwnRequest: who left may return by the form, and who asked an editor
// never to be mailed again may not.
func TestEditorsSuppressionIsStrongerThanTheOwnRequest(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		for _, test := range []struct {
			before, after, want store.SuppressionReason
		}{
			{store.LeftReason, store.EditorReason, store.EditorReason},
			{store.ErasedReason, store.EditorReason, store.EditorReason},
			{store.BouncedReason, store.EditorReason, store.BouncedReason},
			{store.ComplainedReason, store.EditorReason, store.ComplainedReason},
			{store.EditorReason, store.LeftReason, store.EditorReason},
			{store.EditorReason, store.ErasedReason, store.EditorReason},
			{store.EditorReason, store.BouncedReason, store.BouncedReason},
		} {
			address := subscriber.MustParseAddress(string(test.before) + "-" + string(test.after) + "@example.org")
			for _, reason := range []store.SuppressionReason{test.before, test.after} {
				if err := s.Suppress(ctx, address, reason, "said by "+string(reason)); err != nil {
					t.Fatal(err)
				}
			}
			held, err := s.Suppression(ctx, address)
			if err != nil || held.Reason != test.want || held.Detail != "said by "+string(test.want) {
				t.Errorf("%s, then %s: %+v, %v", test.before, test.after, held, err)
			}
			var refused *store.SuppressedError
			_, err = s.AddSubscriber(ctx, subscriber.Subscriber{Address: address, State: subscriber.Pending})
			if !errors.As(err, &refused) {
				t.Errorf("%s, then %s: the form adds the address: %v", test.before, test.after, err)
			}
		}
	})
}

func TestBrokenTextIsRepairedOnBothEngines(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		sub := addSubscriber(t, s, "a@example.org", subscriber.Active)
		if err := s.SetState(ctx, sub.ID, subscriber.Bounced, "550 \xff\xfe no\x00body"); err != nil {
			t.Fatal(err)
		}
		if held, err := s.Suppression(ctx, sub.Address); held.Detail != "550 \uFFFD nobody" || err != nil {
			t.Errorf("%q, %v", held.Detail, err)
		}
		if err := s.Subscribe(ctx, sub.ID, "week\x00ly", []string{"a\x00b\xff"}); err != nil {
			t.Error(err)
		}
		put(t, s, newArticle("hostile", func(a *article.Article) { a.Title, a.Tags = "a\x00\xff", []string{"t\x00\xff"} }))
		if _, err := s.Articles(ctx, store.Query{Filter: article.Filter{Expr: article.Tag{Key: "\x00\xff"}}}); err != nil {
			t.Error(err)
		}
		if _, err := s.ArticlesByID(ctx, []string{"\x00\xff"}); err != nil {
			t.Error(err)
		}
	})
}
