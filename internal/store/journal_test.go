package store_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/journal"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// notJournaled are the queries that change subscribers and need no record: they end no mail, or a
// restore may undo their effect.
var notJournaled = []string{
	"subscriber.insert", "import.insert", // subscribers who were added after the backup are not in it
	"subscription.addNew", "subscription.addRange", "import.subscribe", // add only subscribers who were never on the digest
	"subscription.dropAll", // runs together with subscriber.erase
	"subscriber.setDetails", "subscriber.setLabels", "subscriber.setConsent", "subscriber.softBounce", "subscriber.clearSoft", "chunk.reached", "subscriber.clearFormLanguage",
	"suppression.forget", // changes only the text of a reason
	"editor.insert",      // editors who were added after the backup are not in it
	"editor.update",      // recordAccess records what it changes
	"editor.setLanguage", // gives no access
	"feedtoken.insert", "feedtoken.revokeOlder", "feedtoken.dropAll",
}

func TestEveryQueryThatEndsMailIsJournaled(t *testing.T) {
	t.Parallel()
	changes := regexp.MustCompile(`(?i)(INSERT INTO|UPDATE|DELETE FROM)\s+(subscribers|subscriptions|suppressions|editors|feed_tokens)\b`)
	journaled := store.JournaledQueries()
	for _, engine := range storetest.Engines {
		for name, text := range store.QueryTexts(engine) {
			if changes.MatchString(text) && !slices.Contains(journaled, name) && !slices.Contains(notJournaled, name) {
				t.Errorf("%s changes subscribers or access and is not in the journal: add it to journaled, or to notJournaled with the reason", name)
			}
		}
	}
}

func TestJournalRecordsUnsubscribesSuppressionsAndErasures(t *testing.T) {
	t.Parallel()
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			folder := filepath.Join(t.TempDir(), "journal")
			dsn := storetest.DSN(t, engine)
			s, err := store.Open(t.Context(), dsn, store.Options{Journal: folder})
			if err != nil {
				t.Fatal(err)
			}
			left, bounced, erased := addSubscriber(t, s, "left@example.org", subscriber.Active), addSubscriber(t, s, "bounced@example.org", subscriber.Active), addSubscriber(t, s, "erased@example.org", subscriber.Active)
			a := &article.Article{Source: "file:/home/ann/x.md", Slug: "x", Title: "X", Hash: "x", Status: article.Published}
			for _, err := range []error{
				s.Subscribe(t.Context(), left.ID, "weekly", nil), s.Subscribe(t.Context(), left.ID, "daily", nil),
				s.Unsubscribe(t.Context(), left.ID, "weekly"),
				s.SetState(t.Context(), bounced.ID, subscriber.Bounced, "550 5.1.1 unknown"),
				s.Erase(t.Context(), erased.ID),
				s.Suppress(t.Context(), subscriber.MustParseAddress("never@example.org"), store.EditorReason, "asked by phone"),
				s.Suppress(t.Context(), subscriber.MustParseAddress("lifted@example.org"), store.EditorReason, ""),
				s.LiftSuppression(t.Context(), subscriber.MustParseAddress("lifted@example.org")),
			} {
				if err != nil {
					t.Fatal(err)
				}
			}
			change, err := s.PutArticle(t.Context(), a, nil, nil)
			if err := errors.Join(err, s.JournalProblem(), s.Close()); err != nil {
				t.Fatal(err)
			}
			recorded, err := journal.Read(folder)
			if err != nil {
				t.Fatal(err)
			}
			if recorded.Subscriptions[journal.SubscriptionKey{Subscriber: left.ID, Digest: "weekly"}].Value != journal.Left || recorded.Subscriptions[journal.SubscriptionKey{Subscriber: left.ID, Digest: "daily"}].Value != journal.Joined {
				t.Errorf("places %v", recorded.Subscriptions)
			}
			if recorded.States[bounced.ID].Value != "bounced" || recorded.States[erased.ID].Value != "erased" {
				t.Errorf("states %v", recorded.States)
			}
			reasons := map[string]int{}
			for _, p := range recorded.Suppressions {
				reasons[p.Reason]++
			}
			if reasons["bounced"] != 1 || reasons["erased"] != 1 || reasons["editor"] != 1 || reasons[""] != 1 {
				t.Errorf("suppressions %v", reasons)
			}
			found := false
			for _, known := range recorded.Articles {
				found = found || known.Value == change.ID
			}
			if !found {
				t.Errorf("articles %v, want them to include %s", recorded.Articles, change.ID)
			}
			for _, secret := range []string{"example", "ann", "unknown", "phone"} {
				if grepFolder(t, folder, secret) {
					t.Errorf("the journal contains %q", secret)
				}
			}
			if q, err := storetest.Reopen(t, dsn, store.Options{Journal: folder}).Quarantine(t.Context()); q != nil || err != nil {
				t.Errorf("a store that is not older was quarantined: %+v, %v", q, err)
			}
		})
	}
}

func TestStoreBehindItsJournalIsQuarantined(t *testing.T) {
	t.Parallel()
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			folder := filepath.Join(t.TempDir(), "journal")
			dsn := storetest.DSN(t, engine)
			s, err := store.Open(t.Context(), dsn, store.Options{Journal: folder})
			if err != nil {
				t.Fatal(err)
			}
			sub := addSubscriber(t, s, "left@example.org", subscriber.Active)
			generation, err := s.Generation(t.Context())
			if err := errors.Join(err, s.Subscribe(t.Context(), sub.ID, "weekly", nil), s.UnsubscribeAll(t.Context(), sub.ID), s.Close()); err != nil {
				t.Fatal(err)
			}
			// Set the store back to its state before they unsubscribed.
			execOnStore(t, dsn, "UPDATE subscribers SET state = 'active'", "UPDATE subscriptions SET left_at = 0", "DELETE FROM suppressions", "UPDATE journals SET mark = mark - 1")
			s = storetest.Reopen(t, dsn, store.Options{Journal: folder})
			q, err := s.Quarantine(t.Context())
			if err != nil || q == nil || q.Reason != store.OlderStore || q.Unsubscribed != 1 || q.Suppressed != 1 {
				t.Errorf("quarantine %+v, %v", q, err)
			}
			if sub, err = s.Subscriber(t.Context(), sub.ID); err != nil || sub.State != subscriber.Unsubscribed {
				t.Errorf("the state is %s, %v", sub.State, err)
			}
			if fresh, err := s.Generation(t.Context()); err != nil || string(fresh) == string(generation) {
				t.Errorf("the generation is the same, %v", err)
			}
		})
	}
}

// TestStoreWithoutItsJournalIsQuarantined opens a store in a place where its journal is not.
func TestStoreWithoutItsJournalIsQuarantined(t *testing.T) {
	t.Parallel()
	for engine, want := range map[store.Engine]store.QuarantineReason{store.SQLite: store.NoJournal, store.Postgres: ""} {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			dsn := storetest.DSN(t, engine)
			open := func(folder string) *store.Quarantine {
				t.Helper()
				s, err := store.Open(t.Context(), dsn, store.Options{Journal: filepath.Join(t.TempDir(), folder)})
				if err != nil {
					t.Fatal(err)
				}
				q, err := s.Quarantine(t.Context())
				sub := addSubscriber(t, s, folder+"@example.org", subscriber.Active)
				if err := errors.Join(err, s.UnsubscribeAll(t.Context(), sub.ID), s.Close()); err != nil {
					t.Fatal(err)
				}
				return q
			}
			if q := open("first"); q != nil {
				t.Errorf("a new store was quarantined: %+v", q)
			}
			q := open("second")
			if reason := store.QuarantineReason(""); q != nil && q.Reason != want || q == nil && reason != want {
				t.Errorf("quarantine %+v, want %q", q, want)
			}
		})
	}
}

// grepFolder reports whether a text is in one of a folder's files.
func grepFolder(t *testing.T, folder, text string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files in %s, %v", folder, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(data, []byte(text)) {
			return true
		}
	}
	return false
}
