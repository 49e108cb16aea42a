package store_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// remember makes the store remember which articles cannot wait, and returns the query without it.
func (q *waitingQueue) remember(w store.QueueQuery) store.QueueQuery {
	q.t.Helper()
	w.Remember, w.Now, w.Limit = true, q.clock.now(), 10
	if _, err := q.s.WaitingArticles(context.Background(), w); err != nil {
		q.t.Fatal(err)
	}
	if _, err := q.s.CountWaiting(context.Background(), w); err != nil { // remembers it too
		q.t.Fatal(err)
	}
	w.Remember, w.Now = false, time.Time{}
	return w
}

// TestRememberedQueueIsNotReadAgain checks that a query reads no old article, and that every way in which
// one may wait again is found.
func TestRememberedQueueIsNotReadAgain(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		q := newQueue(t, s.Engine())
		ctx := t.Context()
		all := store.QueueQuery{Digest: "weekly"}
		if _, err := q.s.MarkSeen(ctx, store.QueueQuery{Digest: "weekly", Now: q.clock.now()}); err != nil {
			t.Fatal(err)
		}
		q.want(q.remember(all), "")
		// A ledger that changes behind the store's back shows which articles are read.
		exec := func(text string) {
			t.Helper()
			if _, err := q.s.DB().ExecContext(ctx, text); err != nil {
				t.Fatal(err)
			}
		}
		exec("DELETE FROM ledger WHERE article_id = (SELECT id FROM articles WHERE source = 'recent')")
		q.want(all, "")
		unmarked := all
		unmarked.IgnoreWatermark = true
		q.want(unmarked, "recent")
		other := all
		other.Since = q.clock.now().AddDate(-20, 0, 0)
		q.want(other, "recent") // another beginning

		q.putDated("late", -500*24*time.Hour)
		q.want(all, "late")
		q.want(q.remember(all), "recent late")
		exec("DELETE FROM ledger WHERE article_id = (SELECT id FROM articles WHERE source = 'archive')")
		q.want(all, "recent late")
	})
}

// TestRememberedQueueIsReadByIndex checks that SQLite looks up the few articles that changed since a search,
// and does not read all articles to find them.
func TestRememberedQueueIsReadByIndex(t *testing.T) {
	t.Parallel()
	q := newQueue(t, store.SQLite)
	putTaggedArticles(t, q.s, 300)
	w := store.QueueQuery{Digest: "weekly", Now: q.clock.now(), Draft: "e1"}
	q.remember(w)
	text, args, err := q.s.WaitingSQL(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := q.s.DB().QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+text, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	plan := ""
	for rows.Next() {
		var id, parent, unused int
		var line string
		if err := rows.Scan(&id, &parent, &unused, &line); err != nil {
			t.Fatal(err)
		}
		plan += line + "\n"
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for _, index := range []string{"articles_revision (revision>?)", "articles_appears (status=? AND appears>?)", "ledger_edition (edition_id=?)", "articles_id (id=?)"} {
		if !strings.Contains(plan, index) {
			t.Errorf("the query does not read %s", index)
		}
	}
	if strings.Contains(plan, "SCAN articles") || strings.Contains(plan, "SCAN a ") || t.Failed() {
		t.Errorf("the query reads all articles:\n%s", plan)
	}
}

// TestReleasedArticlesWaitAgain checks the ways in which an edition returns articles.
func TestReleasedArticlesWaitAgain(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		q := newQueue(t, s.Engine())
		ctx := t.Context()
		all := store.QueueQuery{Digest: "weekly", Since: q.began.AddDate(0, 0, -3)}
		q.want(all, "jobs recent")
		found, err := q.s.WaitingArticles(ctx, store.QueueQuery{Digest: "weekly", Since: all.Since, Now: q.clock.now(), Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		draft := store.Edition{Author: "ann", Edition: digest.Edition{ID: "e1", Digest: "weekly", ScheduledFor: "manual:e1", Created: q.clock.now(), Articles: idsOf(found)}}
		if draft, err = q.s.CreateDraft(ctx, draft, nil); err != nil {
			t.Fatal(err)
		}
		q.want(q.remember(all), "")
		with := all
		with.Draft = draft.ID
		q.want(with, "jobs recent")
		if err := q.s.SetEditionState(ctx, draft.ID, digest.Cancelled, ""); err != nil {
			t.Fatal(err)
		}
		q.want(all, "jobs recent")
		if _, err := q.s.MarkSeen(ctx, store.QueueQuery{Digest: "weekly", Since: all.Since, Now: q.clock.now()}); err != nil {
			t.Fatal(err)
		}
		q.want(q.remember(all), "")
		if _, err := q.s.MarkUnseen(ctx, "weekly", time.Time{}); err != nil {
			t.Fatal(err)
		}
		q.want(all, "jobs recent")
	})
}

func idsOf(articles []article.Article) []string {
	var ids []string
	for i := range articles {
		ids = append(ids, articles[i].ID)
	}
	return ids
}
