package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

const hub = "https://hub.example/"

// summarize lists the changes: sources of articles, labels, digests, and words for edits and for
// more articles than were requested.
func summarize(n store.FeedChanges) string {
	var out []string
	for _, a := range n.Articles {
		out = append(out, a.Source)
	}
	for _, l := range n.Labels {
		out = append(out, l.Kind+":"+l.Name)
	}
	for _, d := range n.Digests {
		out = append(out, "digest:"+d)
	}
	if n.Edited {
		out = append(out, "edited")
	}
	if n.More {
		out = append(out, "more")
	}
	return strings.Join(out, " ")
}

// changeListener reads the changes of a store, each once.
type changeListener struct {
	t *testing.T
	s *store.Store
}

func (l changeListener) next(most int) string {
	l.t.Helper()
	at, err := l.s.HubPosition(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	n, err := l.s.FeedChanges(l.t.Context(), at, most)
	if err != nil {
		l.t.Fatal(err)
	}
	if won, err := l.s.Announce(l.t.Context(), store.Announcement{From: at, To: n.After}); !won || err != nil {
		l.t.Fatal(won, err)
	}
	return summarize(n)
}

func TestFeedChangesAreWhatReadersSeeDifferently(t *testing.T) {
	t.Parallel()
	eachWithForward(t, func(t *testing.T, s *store.Store, forward func(time.Duration)) {
		l := changeListener{t, s}
		put(t, s, newArticle("old"))
		soon := s.Now().Add(time.Hour)
		future := func(a *article.Article) { a.Published = soon }
		language := func(tag string) func(*article.Article) { return func(a *article.Article) { a.Language = tag } }
		var id string
		for _, step := range []struct {
			name string
			do   func()
			want string
		}{
			{"the first position", func() {}, ""},
			{"nothing", func() {}, ""},
			{"a new article", func() { id = put(t, s, newArticle("a", tagged("C/C++"), language("en-GB"))).ID }, "a author:Ada language:en language:en-GB tag:C/C++ tag:news"},
			{"the same file again", func() { put(t, s, newArticle("a", tagged("C/C++"), language("en-GB"))) }, ""},
			{"another one, spelled otherwise", func() { put(t, s, newArticle("b", tagged("c/c++"))) }, "b author:Ada language:en tag:C/C++ tag:news"},
			{"an edit that drops a tag and a language", func() { put(t, s, newArticle("a", language("fr"))) }, "a author:Ada language:en language:fr tag:C/C++ tag:news edited"},
			{"two edits between two queries", func() { put(t, s, newArticle("a", tagged("C/C++"))); put(t, s, newArticle("a")) }, "a author:Ada language:en tag:C/C++ tag:news edited"},
			{"a removal", func() { _ = s.RemoveArticle(t.Context(), id) }, "a author:Ada language:en tag:news"},
			{"its restoration", func() { _ = s.RestoreArticle(t.Context(), id) }, "a author:Ada language:en tag:news"},
			{"an article that becomes a draft", func() { put(t, s, newArticle("a", draft, tagged("secret"))) }, "author:Ada language:en tag:news edited"},
			{"an edit of a draft", func() { put(t, s, newArticle("a", draft, tagged("secret"), tagged("more"))) }, ""},
			{"a new draft", func() { id = put(t, s, newArticle("c", draft, tagged("acquisition"))).ID }, ""},
			{"a draft withdrawn", func() { _ = s.RemoveArticle(t.Context(), id) }, ""},
			{"an article with a future date", func() { put(t, s, newArticle("d", future, tagged("launch"))) }, ""},
			{"an edit of that article", func() { put(t, s, newArticle("d", future, tagged("launch day"))) }, ""},
			{"its date passes", func() { forward(2 * time.Hour) }, "d author:Ada language:en tag:launch day tag:news"},
			{"later", func() { forward(2 * time.Hour) }, ""},
			{"more than are requested", func() {
				for i := range 4 {
					put(t, s, newArticle(fmt.Sprint(i), tagged(fmt.Sprint("t", i))))
				}
			}, "0 1 2 author:Ada language:en tag:news tag:t0 tag:t1 tag:t2 tag:t3 more"},
		} {
			step.do()
			if got := l.next(3); got != step.want {
				t.Errorf("%s: heard %q, want %q", step.name, got, step.want)
			}
		}
	})
}

func TestEachEditionChangesItsFeedOnce(t *testing.T) {
	t.Parallel()
	eachWithForward(t, func(t *testing.T, s *store.Store, forward func(time.Duration)) {
		l := changeListener{t, s}
		addSubscribers(t, s, "weekly", 1)
		if _, err := s.EnsureDigest(t.Context(), store.DigestState{Name: "weekly", Since: s.Now()}); err != nil {
			t.Fatal(err)
		}
		id := put(t, s, newArticle("a")).ID
		l.next(1)
		approveEdition(t, s, "first", id)
		if got := l.next(1); got != "" {
			t.Errorf("before it began: %q", got)
		}
		claim(t, s, "node", time.Minute)
		if got := l.next(1); got != "digest:weekly" {
			t.Errorf("when it began: %q", got)
		}
		for range 3 {
			forward(9 * time.Minute)
			put(t, s, newArticle(fmt.Sprint(s.Now())))
			if got := l.next(1); strings.Contains(got, "digest") {
				t.Errorf("later: %q", got)
			}
		}
		put(t, s, newArticle("a", tagged("more")))
		if got := l.next(1); !strings.Contains(got, "digest:weekly") {
			t.Errorf("after an edit of its article: %q", got)
		}
	})
}

func TestOldDeparturesArePruned(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		put(t, s, newArticle("a"))
		changeListener{t, s}.next(1)
		put(t, s, newArticle("a", tagged("more")))
		at, err := s.HubPosition(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct {
			before time.Time
			edited bool
		}{{time.Now().Add(-time.Hour), true}, {time.Now().Add(time.Hour), false}} {
			if err := s.PruneFeedDepartures(t.Context(), step.before); err != nil {
				t.Fatal(err)
			}
			if n, err := s.FeedChanges(t.Context(), at, 1); n.Edited != step.edited || err != nil {
				t.Errorf("after pruning departures before %v: edited %t, %v", step.before, n.Edited, err)
			}
		}
	})
}

func TestOneNodeMakesEachAnnouncement(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a := store.Announcement{Hubs: []string{hub}, Topics: []string{"a", "b"}, Jobs: []store.Job{{Kind: "ping", Key: hub, Payload: []byte("1"), Newest: true}}}
		for _, want := range []bool{true, false} {
			if won, err := s.Announce(t.Context(), a); won != want || err != nil {
				t.Fatalf("won: %t, %v", won, err)
			}
		}
		first, err := s.HubPosition(t.Context())
		if err != nil || first.Count != 1 {
			t.Fatal(first, err)
		}
		a.From = first
		for _, want := range []bool{true, false} {
			if won, err := s.Announce(t.Context(), a); won != want || err != nil {
				t.Fatalf("the second announcement: won %t, %v", won, err)
			}
		}
	})
}

func TestTopicAnnouncedAgainStaysPending(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		announce := func(topics ...string) {
			t.Helper()
			at, err := s.HubPosition(ctx)
			if err != nil {
				t.Fatal(err)
			}
			a := store.Announcement{From: at, Hubs: []string{hub, "https://other.example/"}, Topics: topics, Due: s.Now(),
				Jobs: []store.Job{{Kind: "ping", Key: hub, Payload: fmt.Append(nil, at.Count), Newest: true}}}
			if won, err := s.Announce(ctx, a); !won || err != nil {
				t.Fatal(won, err)
			}
		}
		list := func() (out []store.PendingNotification) {
			t.Helper()
			out, err := s.PendingNotifications(ctx, hub, 10)
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		announce("a", "b")
		job, before := claimJob(t, s), list()
		announce("a") // while the hub is being notified
		for _, one := range before {
			if err := s.DropNotification(ctx, hub, one); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.FinishJob(ctx, job); err != nil {
			t.Fatal(err)
		}
		if left := list(); len(left) != 1 || left[0].Topic != "a" {
			t.Fatalf("on the list: %v, want the topic that was announced again", left)
		}
		job = claimJob(t, s) // the job runs again for the topic
		if err := s.DropNotification(ctx, hub, list()[0]); err != nil {
			t.Fatal(err)
		}
		if err := s.FinishJob(ctx, job); err != nil {
			t.Fatal(err)
		}
		if got, err := s.ClaimJobs(ctx, ping, 1, time.Minute); len(got) != 0 || len(list()) != 0 || err != nil {
			t.Errorf("at the end: jobs %v, list %v, %v", got, list(), err)
		}
	})
}

func TestDeferredTopicComesLast(t *testing.T) {
	t.Parallel()
	eachWithForward(t, func(t *testing.T, s *store.Store, forward func(time.Duration)) {
		if _, err := s.Announce(t.Context(), store.Announcement{Hubs: []string{hub}, Topics: []string{"a", "b"}, Due: s.Now()}); err != nil {
			t.Fatal(err)
		}
		forward(time.Second)
		list, err := s.PendingNotifications(t.Context(), hub, 1)
		if err != nil || len(list) != 1 || list[0].Topic != "a" {
			t.Fatal(list, err)
		}
		if err := s.DeferNotification(t.Context(), hub, list[0]); err != nil {
			t.Fatal(err)
		}
		if list, err = s.PendingNotifications(t.Context(), hub, 2); err != nil || len(list) != 2 || list[0].Topic != "b" {
			t.Error(list, err)
		}
	})
}

func TestOpenJobsAreCountedByKeyPrefix(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		jobs := []store.Job{{Kind: "ping", Key: "a.example x"}, {Kind: "ping", Key: "a.example y"}, {Kind: "ping", Key: "a.example.org x"}, {Kind: "other", Key: "a.example x"}}
		if err := s.EnqueueAll(t.Context(), append(jobs, jobs...)); err != nil {
			t.Fatal(err)
		}
		for prefix, want := range map[string]int64{"a.example ": 2, "": 3, "b": 0} {
			if n, err := s.OpenJobs(t.Context(), "ping", prefix, 10); n != want || err != nil {
				t.Errorf("%q: %d, %v; want %d", prefix, n, err, want)
			}
		}
		if n, err := s.OpenJobs(t.Context(), "ping", "", 2); n != 2 || err != nil {
			t.Errorf("counted up to two: %d, %v", n, err)
		}
	})
}
