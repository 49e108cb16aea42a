package store_test

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

func TestEditorsSignInAndOut(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		editor := storetest.Editor(t, s, store.Editor{Email: "Ada@example.org", Name: "Ada", Role: "owner"})
		if _, err := storetest.AddEditor(t, s, store.Editor{Email: " ada@EXAMPLE.org"}); !errors.Is(err, store.ErrExists) {
			t.Errorf("created twice: %v", err)
		}
		token, err := s.CreateSession(ctx, editor, "a browser", time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		session, err := s.Session(ctx, token)
		if err != nil || session.Editor != editor || session.Agent != "a browser" || session.Expires.Sub(session.Created) != time.Hour {
			t.Errorf("%+v, %v; want the session of %+v", session, err, editor)
		}
		other, err := s.CreateSession(ctx, editor, "a phone", time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.EndOtherSessions(ctx, editor.ID, token); err != nil {
			t.Fatal(err)
		}
		mustEnd(t, s, other)
		if err := s.EndSession(ctx, token); err != nil {
			t.Fatal(err)
		}
		mustEnd(t, s, token)
		mustEnd(t, s, "no token")
	})
}

// TestSessionTokensAreRandom makes some sessions of one editor, and looks for their tokens in the store.
func TestSessionTokensAreRandom(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx, editor := t.Context(), addOwner(t, s, "ada@example.org")
		seen := map[string]bool{}
		for range 20 {
			token, err := s.CreateSession(ctx, editor, "a browser", time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			random, err := base64.RawURLEncoding.DecodeString(token)
			if err != nil || len(random) != 32 {
				t.Errorf("the token %q has %d bytes, %v", token, len(random), err)
			}
			seen[token] = true
			sum, n := sha256.Sum256([]byte(token)), 0
			if err := s.DB().QueryRowContext(ctx, "SELECT count(*) FROM sessions WHERE hash = $1", sum[:]).Scan(&n); err != nil || n != 1 {
				t.Errorf("the store has %d sessions with the hash of the token, %v", n, err)
			}
		}
		if len(seen) != 20 {
			t.Errorf("20 sessions have %d tokens", len(seen))
		}
	})
}

func mustEnd(t *testing.T, s *store.Store, token string) {
	t.Helper()
	if _, err := s.Session(t.Context(), token); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("an ended session is still valid: %v", err)
	}
}

func TestSessionsEndWithTimeAndWithTheEditor(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		editor := storetest.Editor(t, s, store.Editor{Email: "a@example.org"})
		session := func(ttl time.Duration) string {
			token, err := s.CreateSession(ctx, editor, "", ttl)
			if err != nil {
				t.Fatal(err)
			}
			return token
		}
		expired := session(-time.Second)
		mustEnd(t, s, expired)
		token := session(time.Minute)
		if err := s.TouchSession(ctx, token, time.Hour, 24*time.Hour); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Session(ctx, token); err != nil || got.Expires.Sub(got.Seen) != time.Hour {
			t.Errorf("prolonged: %+v, %v", got, err)
		}
		if err := s.TouchSession(ctx, token, time.Hour, 20*time.Minute); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Session(ctx, token); err != nil || got.Expires.Sub(got.Created) != 20*time.Minute {
			t.Errorf("prolonged beyond its longest time: %+v, %v", got, err)
		}
		editor.Disabled, editor.Name = s.Now(), "Ada"
		if err := s.UpdateEditor(ctx, editor, ""); err != nil {
			t.Fatal(err)
		}
		mustEnd(t, s, token)
		if n, err := s.CountEditors(ctx); n != 0 || err != nil {
			t.Errorf("%d may sign in, %v", n, err)
		}
		if all, err := s.Editors(ctx); len(all) != 1 || all[0] != editor || err != nil {
			t.Errorf("%+v, %v", all, err)
		}
		if err := s.DeleteEditor(ctx, editor.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := s.EditorByEmail(ctx, "a@example.org"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("deleted: %v", err)
		}
	})
}

func TestPrivateFeedsAreRevocable(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		sub := addSubscriber(t, s, "a@example.org", subscriber.Active)
		if err := s.Subscribe(ctx, sub.ID, "weekly", []string{"golang"}); err != nil {
			t.Fatal(err)
		}
		first, err := s.CreateFeedToken(ctx, sub.ID, "weekly")
		if err != nil {
			t.Fatal(err)
		}
		if got, err := s.FeedToken(ctx, first); got.Subscriber != sub.ID || got.Digest != "weekly" || fmt.Sprint(got.Topics) != "[golang]" || err != nil {
			t.Errorf("%+v, %v", got, err)
		}
		second, err := s.CreateFeedToken(ctx, sub.ID, "weekly")
		if err != nil {
			t.Fatal(err)
		}
		mustBeClosed(t, s, first)
		if err := s.RevokeFeedToken(ctx, sub.ID, "weekly"); err != nil {
			t.Fatal(err)
		}
		mustBeClosed(t, s, second)
	})
}

func TestPrivateFeedEndsWithItsSubscription(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		sub := addSubscriber(t, s, "a@example.org", subscriber.Active)
		if err := s.Subscribe(ctx, sub.ID, "weekly", []string{"golang"}); err != nil {
			t.Fatal(err)
		}
		token, err := s.CreateFeedToken(ctx, sub.ID, "weekly")
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Unsubscribe(ctx, sub.ID, "weekly"); err != nil {
			t.Fatal(err)
		}
		mustBeClosed(t, s, token)
		if err := s.Subscribe(ctx, sub.ID, "weekly", nil); err != nil {
			t.Fatal(err)
		}
		if got, err := s.FeedToken(ctx, token); err != nil || len(got.Topics) > 0 {
			t.Errorf("subscribed again: %+v, %v", got, err)
		}
	})
}

func TestPrivateFeedIsEmptyWhenItsTopicsCannotBeRead(t *testing.T) {
	t.Parallel()
	dsn := storetest.DSN(t, store.SQLite)
	s := storetest.Reopen(t, dsn, store.Options{})
	sub := addSubscriber(t, s, "a@example.org", subscriber.Active)
	if err := s.Subscribe(t.Context(), sub.ID, "weekly", []string{"golang"}); err != nil {
		t.Fatal(err)
	}
	token, err := s.CreateFeedToken(t.Context(), sub.ID, "weekly")
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", strings.TrimPrefix(dsn, "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), "UPDATE subscriptions SET topics = '['"); err != nil {
		t.Fatal(err)
	}
	if got, err := s.FeedToken(t.Context(), token); err == nil || errors.Is(err, store.ErrNotFound) {
		t.Errorf("%+v, %v; want the error of the store", got, err)
	}
}

func mustBeClosed(t *testing.T, s *store.Store, token string) {
	t.Helper()
	if _, err := s.FeedToken(t.Context(), token); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a revoked feed is still valid: %v", err)
	}
}

// appended adds two counts by appending one to the other.
func appended(old, more []byte) ([]byte, error) { return append(bytes.Clone(old), more...), nil }

func TestPollsAreCountedPerNode(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		for _, data := range []string{"1", "2"} {
			err := s.AddPolls(ctx, []store.Poll{
				{"feed", "2026-01-03", "b", []byte(data)}, {"feed", "2026-01-02", "a", []byte(data)}, {"feed", "2026-01-04", "a", []byte(data)},
				{"feed", "2026-01-02", "a", []byte("+")},
			}, appended)
			if err != nil {
				t.Fatal(err)
			}
		}
		got, err := s.Polls(ctx, "2026-01-02", "2026-01-03")
		if fmt.Sprintf("%s", got) != "[{feed 2026-01-02 a 1+2+} {feed 2026-01-03 b 12}]" || err != nil {
			t.Errorf("%s, %v", got, err)
		}
		if err := s.PrunePolls(ctx, "2026-01-04"); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Polls(ctx, "2026-01-01", "2026-01-04"); fmt.Sprintf("%s", got) != "[{feed 2026-01-04 a 12}]" || err != nil {
			t.Errorf("pruned: %s, %v", got, err)
		}
	})
}

func TestPollsOfTwoProcessesAreAdded(t *testing.T) {
	t.Parallel()
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			dsn := storetest.DSN(t, engine)
			const flushes = 25
			var services sync.WaitGroup
			for service := range 2 {
				s := storetest.Reopen(t, dsn, store.Options{})
				services.Go(func() {
					for range flushes {
						polls := []store.Poll{{"a", "2026-01-02", "host", []byte("x")}, {"b", "2026-01-02", "host", []byte("x")}}
						if service == 1 {
							slices.Reverse(polls)
						}
						if err := s.AddPolls(t.Context(), polls, appended); err != nil {
							t.Error(err)
						}
					}
				})
			}
			services.Wait()
			got, err := storetest.Reopen(t, dsn, store.Options{}).Polls(t.Context(), "2026-01-02", "2026-01-02")
			if err != nil || len(got) != 2 || len(got[0].Data) != 2*flushes || len(got[1].Data) != 2*flushes {
				t.Errorf("%s, %v; want %d of each", got, err, 2*flushes)
			}
		})
	}
}

func TestHubCallbacksExpire(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		for url, lease := range map[string]time.Duration{"https://a.example/": time.Hour, "https://b.example/": -time.Second} {
			if err := s.PutHubSubscription(ctx, store.HubSubscription{Topic: "/feed.xml", URL: url, Secret: "s", Expires: s.Now().Add(lease)}); err != nil {
				t.Fatal(err)
			}
		}
		got, err := s.HubSubscriptions(ctx, "/feed.xml")
		if len(got) != 1 || got[0].URL != "https://a.example/" || got[0].Secret != "s" || err != nil {
			t.Errorf("%+v, %v", got, err)
		}
		if _, err := s.HubSubscription(ctx, "/feed.xml", "https://b.example/"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a subscription whose lease expired: %v", err)
		}
		if err := s.PruneHubSubscriptions(ctx); err != nil {
			t.Fatal(err)
		}
		if err := s.DropHubSubscription(ctx, "/feed.xml", "https://a.example/"); err != nil {
			t.Fatal(err)
		}
		if n, err := s.CountHubSubscriptions(ctx, "/feed.xml", "", ""); n != (store.HubSubscriptionCounts{}) || err != nil {
			t.Errorf("%+v left, %v", n, err)
		}
	})
}

func TestCallbacksAreCountedByTopicAndServer(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		for _, one := range [][2]string{{"/a", "https://One.example/x"}, {"/b", "http://one.example:8080/y"}, {"/a", "https://two.example/"}} {
			if err := s.PutHubSubscription(ctx, store.HubSubscription{Topic: one[0], URL: one[1], Expires: s.Now().Add(time.Hour), Network: "192.0.2.0/24"}); err != nil {
				t.Fatal(err)
			}
		}
		if n, err := s.CountHubSubscriptions(ctx, "/b", "https://one.example/z", "192.0.2.0/24"); n != (store.HubSubscriptionCounts{Topic: 1, Host: 2, Network: 3, All: 3}) || err != nil {
			t.Errorf("%+v, %v", n, err)
		}
	})
}

func TestRenewedCallbackKeepsItsVersion(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		c := store.HubSubscription{Topic: "/a", URL: "https://one.example/", Expires: s.Now().Add(time.Hour)}
		if err := errors.Join(s.PutHubSubscription(ctx, c), s.SetHubSubscriptionVersion(ctx, c.Topic, c.URL, "v1")); err != nil {
			t.Fatal(err)
		}
		c.Secret = "new"
		if err := s.PutHubSubscription(ctx, c); err != nil {
			t.Fatal(err)
		}
		if got, err := s.HubSubscription(ctx, c.Topic, c.URL); got.Version != "v1" || got.Secret != "new" || err != nil {
			t.Errorf("%+v, %v", got, err)
		}
	})
}
