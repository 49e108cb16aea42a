package store_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// waitingQueue is a store with articles of all kinds around the time at which a digest began.
type waitingQueue struct {
	t     *testing.T
	s     *store.Store
	clock *clock
	began time.Time // of the weekly digest
}

func newQueue(t *testing.T, engine store.Engine) *waitingQueue {
	t.Helper()
	c := newClock()
	q := &waitingQueue{t: t, clock: c, s: storetest.Open(t, engine, store.Options{Clock: c.now})}
	day := 24 * time.Hour
	q.putDated("archive", -4000*day)
	q.putDated("recent", -2*day)
	c.at.Add(time.Minute.Milliseconds())
	q.began = c.now()
	q.putDated("backdated", -1000*day)
	sent := q.putDated("sent", -day)
	q.putDated("jobs", -time.Hour, "jobs")
	q.putDated("future", day)
	if err := q.s.RemoveArticle(t.Context(), q.putDated("gone", -day)); err != nil {
		t.Fatal(err)
	}
	if _, err := q.s.DB().ExecContext(t.Context(), "INSERT INTO ledger (digest, article_id, edition_id) VALUES ('weekly', $1, 'e')", sent); err != nil {
		t.Fatal(err)
	}
	return q
}

// putDated stores an article that is imported now and dated after the given time, and returns its
// id.
func (q *waitingQueue) putDated(source string, after time.Duration, tags ...string) string {
	q.t.Helper()
	return put(q.t, q.s, newArticle(source, func(a *article.Article) { a.Published, a.Tags = q.clock.now().Add(after), tags })).ID
}

// want checks which articles wait, and that their count is the same.
func (q *waitingQueue) want(w store.QueueQuery, want string) {
	q.t.Helper()
	if w.Now.IsZero() {
		w.Now = q.clock.now()
	}
	w.Limit = 10
	found, err := q.s.WaitingArticles(context.Background(), w)
	names := make([]string, len(found))
	for i := range found {
		names[i] = found[i].Source
	}
	if got := strings.Join(names, " "); err != nil || got != want {
		q.t.Errorf("%+v: %q waits, %v; want %q", w, got, err, want)
	}
	if n, err := q.s.CountWaiting(context.Background(), w); n != len(strings.Fields(want)) || err != nil {
		q.t.Errorf("%+v: counted %d, %v; want %q", w, n, err, want)
	}
}

// TestLateArticleWaitsOnceItsDigestBegan checks that a late article waits and an archive that
// existed before does not.
func TestLateArticleWaitsOnceItsDigestBegan(t *testing.T) {
	t.Parallel()
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			q := newQueue(t, engine)
			since := q.began.AddDate(0, 0, -7)
			q.want(store.QueueQuery{Digest: "weekly", Since: since}, "jobs recent")
			q.want(store.QueueQuery{Digest: "weekly", Since: since, Began: q.began}, "jobs recent backdated")
			q.want(store.QueueQuery{Digest: "weekly", Since: since, Began: q.began, Oldest: true}, "recent backdated jobs")
			q.want(store.QueueQuery{Digest: "weekly", Since: since, Began: q.began, Earlier: true}, "archive")
			q.want(store.QueueQuery{Digest: "weekly", Since: since, Earlier: true}, "backdated archive")
			q.want(store.QueueQuery{Digest: "weekly"}, "jobs recent backdated archive")
			q.want(store.QueueQuery{Digest: "weekly", Earlier: true}, "")
			q.want(store.QueueQuery{Digest: "weekly", Before: since}, "backdated archive")
			q.want(store.QueueQuery{Digest: "weekly", Draft: "e"}, "jobs sent recent backdated archive")
			q.want(store.QueueQuery{Digest: "daily", Since: since, Began: q.began}, "jobs sent recent backdated")
			q.want(store.QueueQuery{Digest: "weekly", Since: since, Now: q.clock.now().Add(48 * time.Hour)}, "future jobs recent")
			q.want(store.QueueQuery{Digest: "weekly", Since: since, Filter: filter(t, "jobs")}, "jobs")
			before := q.began.Add(-time.Second)
			q.want(store.QueueQuery{Digest: "weekly", Since: since, AppearedBy: before}, "recent")
			q.want(store.QueueQuery{Digest: "weekly", Since: since, AppearedBy: before, Filter: filter(t, "jobs")}, "")
			q.want(store.QueueQuery{Digest: "weekly", Since: since, AppearedBy: q.clock.now()}, "jobs recent")
			q.want(store.QueueQuery{Digest: "weekly", Since: since, Filter: filter(t, "NOT jobs")}, "recent")
			q.want(store.QueueQuery{Digest: "weekly", Since: since, Filter: filter(t, "jobs AND NOT jobs")}, "")
		})
	}
}

// TestArticlesMarkedAsSeenComeBack checks that articles that an edition has had stay out.
func TestArticlesMarkedAsSeenComeBack(t *testing.T) {
	t.Parallel()
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			q := newQueue(t, engine)
			weekly := store.QueueQuery{Digest: "weekly", Now: q.clock.now()}
			old := weekly
			old.Before = q.began.AddDate(0, 0, -7)
			for _, want := range []int64{2, 0} { // the second time none is left
				if n, err := q.s.MarkSeen(ctx, old); n != want || err != nil {
					t.Fatalf("marked %d, %v; want %d", n, err, want)
				}
			}
			q.want(weekly, "jobs recent")
			q.want(store.QueueQuery{Digest: "daily"}, "jobs sent recent backdated archive")
			// An article that is imported later is late, and waits.
			q.putDated("late", -2000*24*time.Hour)
			q.want(store.QueueQuery{Digest: "weekly"}, "jobs recent late")
			counts, err := q.s.LedgerCounts(ctx, "weekly")
			if counts != (store.LedgerCounts{Seen: 2, Sent: 1}) || err != nil {
				t.Errorf("counts %+v, %v", counts, err)
			}
			if n, err := q.s.MarkUnseen(ctx, "weekly", q.began.AddDate(-5, 0, 0)); n != 1 || err != nil {
				t.Errorf("%d articles returned to the queue, %v", n, err)
			}
			q.want(store.QueueQuery{Digest: "weekly"}, "jobs recent late archive")
			if n, err := q.s.MarkUnseen(ctx, "weekly", time.Time{}); n != 1 || err != nil {
				t.Errorf("%d articles returned to the queue, %v", n, err)
			}
			q.want(store.QueueQuery{Digest: "weekly"}, "jobs recent backdated late archive")
		})
	}
}

// TestDigestBeginsWithItsFirstTick also checks a tick that makes no edition.
func TestDigestBeginsWithItsFirstTick(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		next := s.Now()
		ensure(t, s, "weekly", next)
		wantBegan(t, s, "weekly", false)
		if err := s.SetDigestSince(ctx, "weekly", next.AddDate(0, 0, -3)); err != nil {
			t.Fatal(err)
		}
		wantBegan(t, s, "weekly", false)
		if err := s.SkipTick(ctx, store.Tick{Digest: "weekly", ScheduledFor: "t1", Reason: "nothing new"}, store.ScheduleUpdate{From: next, Next: next.Add(time.Hour)}); err != nil {
			t.Fatal(err)
		}
		first := wantBegan(t, s, "weekly", true)
		if err := s.SkipTick(ctx, store.Tick{Digest: "weekly", ScheduledFor: "t2", Reason: "nothing new"}, store.ScheduleUpdate{From: next.Add(time.Hour)}); err != nil {
			t.Fatal(err)
		}
		if again := wantBegan(t, s, "weekly", true); !again.Equal(first) {
			t.Errorf("it began at %v, and again at %v", first, again)
		}
	})
}

func ensure(t *testing.T, s *store.Store, name string, next time.Time) {
	t.Helper()
	if _, err := s.EnsureDigest(t.Context(), store.DigestState{Name: name, Spec: "x", Since: next, Next: next, NextKey: "t1"}); err != nil {
		t.Fatal(err)
	}
}

func wantBegan(t *testing.T, s *store.Store, name string, want bool) time.Time {
	t.Helper()
	d, err := s.DigestState(t.Context(), name)
	if err != nil || d.Began.IsZero() == want {
		t.Errorf("the digest began at %v, %v", d.Began, err)
	}
	return d.Began
}
