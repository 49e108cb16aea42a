package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

func TestSettingsHaveAHistory(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		change := func(revision int64, by string, pairs ...string) int64 {
			t.Helper()
			var all []store.Setting
			for i := 0; i < len(pairs); i += 2 {
				all = append(all, store.Setting{Key: pairs[i], Value: pairs[i+1], File: `"file"`})
			}
			next, err := s.ChangeSettings(ctx, revision, by, all)
			must(t, err)
			return next
		}
		if r, err := s.SettingsRevision(ctx); r != 0 || err != nil {
			t.Fatalf("at first: %d, %v", r, err)
		}
		r := change(0, "ann", "site.title", `"A"`, "site.copyright", `"C"`)
		r = change(r, "bob", "site.title", `"B"`)
		r = change(r, "cy", "site.title", "")
		if r != 3 {
			t.Errorf("revision %d", r)
		}
		all, err := s.Settings(ctx)
		if err != nil || len(all) != 1 || all[0].Key != "site.copyright" || all[0].By != "ann" || all[0].Revision != 1 || all[0].File != `"file"` || all[0].At.IsZero() {
			t.Errorf("%+v, %v", all, err)
		}
		for revision, want := range map[int64]string{0: "", 1: `"A"`, 2: `"B"`, 3: "", 99: ""} {
			if got, err := s.SettingBefore(ctx, "site.title", revision); got != want || err != nil {
				t.Errorf("at revision %d the title is %s, %v; want %s", revision, got, err, want)
			}
		}
		if got, err := s.SettingBefore(ctx, "nothing", 3); got != "" || err != nil {
			t.Errorf("a key that was never set: %q, %v", got, err)
		}
		changes, err := s.SettingChanges(ctx, 1, 10)
		if err != nil || len(changes) != 2 || changes[0].By != "cy" || changes[0].Value != "" || changes[1].Value != `"B"` {
			t.Errorf("%+v, %v", changes, err)
		}
		if changes, err := s.SettingChanges(ctx, 0, 1); err != nil || len(changes) != 1 || changes[0].Revision != 3 {
			t.Errorf("the newest change: %+v, %v", changes, err)
		}
	})
}

func TestStaleOrTooLargeSettingsAreNotStored(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		title := func(value string) []store.Setting { return []store.Setting{{Key: "site.title", Value: value}} }
		for _, revision := range []int64{1, -1, 7} {
			if _, err := s.ChangeSettings(ctx, revision, "ann", title(`"A"`)); !errors.Is(err, store.ErrSettingsChanged) {
				t.Errorf("from revision %d: %v", revision, err)
			}
		}
		large := append(title(`"A"`), store.Setting{Key: "site.description", Value: `"` + strings.Repeat("x", store.MaxSettingBytes) + `"`})
		if _, err := s.ChangeSettings(ctx, 0, "ann", large); err == nil || !strings.Contains(err.Error(), "site.description has 65538 bytes; write at most 65536") {
			t.Errorf("a large value: %v", err)
		}
		all, err := s.Settings(ctx)
		r, err2 := s.SettingsRevision(ctx)
		if must(t, err, err2); len(all) != 0 || r != 0 {
			t.Errorf("revision %d, stored %+v", r, all)
		}
		var mu sync.Mutex
		stored := 0
		concurrently(t, 4, func(ctx context.Context, i int) error {
			_, err := s.ChangeSettings(ctx, 0, fmt.Sprint(i), title(fmt.Sprint(i)))
			if errors.Is(err, store.ErrSettingsChanged) {
				return nil
			}
			mu.Lock()
			defer mu.Unlock()
			stored++
			return err
		})
		if r, err := s.SettingsRevision(ctx); stored != 1 || r != 1 || err != nil {
			t.Errorf("%d of 4 concurrent changes were stored, revision %d, %v", stored, r, err)
		}
	})
}

// TestReadingSettingsCreatesNoStore: "config check" runs before the store exists. A path may contain a question mark.
func TestReadingSettingsCreatesNoStore(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "a"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"missing.db", "a?b.db", "no/such/folder.db"} {
		path := filepath.Join(folder, name)
		for _, dsn := range []string{"sqlite:" + path, "sqlite://" + path} {
			if all, err := store.ReadSettings(t.Context(), dsn, store.Options{}); err != nil || len(all) != 0 {
				t.Errorf("%s: %v, %v", dsn, all, err)
			}
		}
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s was created", name)
		}
	}
	data, err := os.ReadFile(strings.TrimPrefix(storetest.DSN(t, store.SQLite), "sqlite:"))
	must(t, err)
	dsn := "sqlite:" + filepath.Join(folder, "c?d.db")
	must(t, os.WriteFile(strings.TrimPrefix(dsn, "sqlite:"), data, 0o600))
	s := storetest.Reopen(t, dsn, store.Options{})
	_, err = s.ChangeSettings(t.Context(), 0, "ann", []store.Setting{{Key: "site.title", Value: `"A"`}})
	must(t, err)
	if all, err := store.ReadSettings(t.Context(), dsn, store.Options{}); err != nil || len(all) != 1 || all[0].Value != `"A"` {
		t.Errorf("%v, %v", all, err)
	}
	if _, err := store.ReadSettings(t.Context(), "sqlite:"+folder, store.Options{}); err == nil || !strings.Contains(err.Error(), "it is a folder") {
		t.Errorf("a folder: %v", err)
	}
	if _, err := store.ReadSettings(t.Context(), "mysql://x", store.Options{}); err == nil || !strings.Contains(err.Error(), "unknown kind of store") {
		t.Errorf("another engine: %v", err)
	}
}

func TestHintIsDismissedForGood(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		for _, want := range []bool{false, true, true} {
			if got, err := s.HintDismissed(ctx, "checklist"); got != want || err != nil {
				t.Errorf("dismissed: %t, %v; want %t", got, err, want)
			}
			must(t, s.DismissHint(ctx, "checklist"))
		}
		if got, err := s.HintDismissed(ctx, "other"); got || err != nil {
			t.Errorf("another hint: %t, %v", got, err)
		}
	})
}

// TestDayOfAConsentIsOneOfItsTimezone: an editor enters a day. In a timezone east of UTC it begins on the day before
// in UTC, and the person may return on the day on which they left.
func TestDayOfAConsentIsOneOfItsTimezone(t *testing.T) {
	t.Parallel()
	for zone, offset := range map[string]int{"Pacific/Kiritimati": 14, "Europe/Paris": 1, "UTC": 0, "Pacific/Honolulu": -10} {
		t.Run(strings.ReplaceAll(zone, "/", " "), func(t *testing.T) {
			t.Parallel()
			c := newClock()
			c.advance(22 * time.Hour)
			s := storetest.Open(t, store.SQLite, store.Options{Clock: c.now})
			at := time.FixedZone(zone, offset*3600)
			sub := addSubscriber(t, s, "ann@example.org", subscriber.Active)
			must(t, s.Subscribe(t.Context(), sub.ID, "weekly", nil), s.UnsubscribeAll(t.Context(), sub.ID))
			left := s.Now().In(at)
			day := func(d int) subscriber.Consent {
				return subscriber.Consent{Source: "editor", Text: "yes", At: time.Date(left.Year(), left.Month(), left.Day()+d, 0, 0, 0, 0, at)}
			}
			err := s.Reinstate(t.Context(), sub.ID, day(-1), []string{"weekly"})
			var input *store.InputError
			if !errors.As(err, &input) || !strings.Contains(err.Error(), "unsubscribed on "+left.Format(time.DateOnly)) {
				t.Errorf("a consent of the day before: %v", err)
			}
			if err := s.Reinstate(t.Context(), sub.ID, day(1), []string{"weekly"}); !errors.As(err, &input) || !strings.Contains(err.Error(), "in the future") {
				t.Errorf("a consent of the next day: %v", err)
			}
			if err := s.Reinstate(t.Context(), sub.ID, day(0), []string{"weekly"}); err != nil {
				t.Errorf("a consent of the same day: %v", err)
			}
		})
	}
}

func TestReinstatementNeedsConsentStateAndDigest(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		good := subscriber.Consent{Source: "editor", Text: "yes", At: s.Now()}
		pending, bounced, active := addSubscriber(t, s, "p@example.org", subscriber.Pending), addSubscriber(t, s, "b@example.org", subscriber.Active), addSubscriber(t, s, "a@example.org", subscriber.Active)
		must(t, s.SetState(ctx, bounced.ID, subscriber.Bounced, "550"))
		var input *store.InputError
		for name, test := range map[string]struct {
			consent subscriber.Consent
			digests []string
			want    string
		}{
			"no words":   {subscriber.Consent{At: s.Now()}, []string{"weekly"}, "a consent needs the words"},
			"no date":    {subscriber.Consent{Text: "yes"}, []string{"weekly"}, "the date when they agreed"},
			"the future": {subscriber.Consent{Text: "yes", At: s.Now().Add(time.Hour)}, []string{"weekly"}, "dated in the future"},
			"no digest":  {good, nil, "choose at least one digest"},
		} {
			if err := s.Reinstate(ctx, pending.ID, test.consent, test.digests); !errors.As(err, &input) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s: %v", name, err)
			}
		}
		var state *store.SubscriberStateError
		for _, id := range []int64{bounced.ID, active.ID} {
			if err := s.Reinstate(ctx, id, good, []string{"weekly"}); !errors.As(err, &state) || state.To != subscriber.Active {
				t.Errorf("subscriber %d: %v", id, err)
			}
		}
		if err := s.Reinstate(ctx, 999, good, []string{"weekly"}); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("an unknown ID: %v", err)
		}
		must(t, s.Reinstate(ctx, pending.ID, good, []string{"weekly", "daily"}))
		got := byAddress(t, s, "p@example.org")
		if got.State != subscriber.Active || got.Consent.Text != "yes" || got.Consent.Source != "editor" {
			t.Errorf("%+v", got)
		}
		if places, err := s.Subscriptions(ctx, pending.ID); err != nil || len(places) != 2 {
			t.Errorf("%+v, %v", places, err)
		}
	})
}

// TestEditOfAChangedSubscriberIsRefused: an editor's page is older than what another one stored.
func TestEditOfAChangedSubscriberIsRefused(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		sub := addSubscriber(t, s, "ann@example.org", subscriber.Active)
		must(t, s.Subscribe(ctx, sub.ID, "weekly", nil))
		look := func() store.ListedSubscriber {
			t.Helper()
			listed, err := s.ListedSubscriber(ctx, sub.ID)
			must(t, err)
			return listed
		}
		first := look()
		edit := store.SubscriberEdit{Name: " Ann\r\nBcc: x ", Language: "fr", MailLanguage: "de", Timezone: "Europe/Paris", Labels: []string{"donor"}, Digests: map[string][]string{"daily": {"harbour"}, "weekly": nil}}
		must(t, s.EditSubscriber(ctx, sub.ID, first.Version(), edit))
		second := look()
		if strings.ContainsAny(second.Name, "\r\n") || second.Language != "fr" || second.MailLanguage != "de" || second.Timezone != "Europe/Paris" || len(second.Labels) != 1 || len(second.Subscriptions) != 2 {
			t.Errorf("%+v", second)
		}
		if second.Version() == first.Version() {
			t.Error("an edit leaves the version as it was")
		}
		if err := s.EditSubscriber(ctx, sub.ID, first.Version(), store.SubscriberEdit{}); !errors.Is(err, store.ErrEdited) {
			t.Errorf("from the first page: %v", err)
		}
		changes, err := s.SubscriberChanges(ctx, sub.ID, 20)
		must(t, err)
		before := len(changes)
		edit.Name = second.Name
		must(t, s.EditSubscriber(ctx, sub.ID, second.Version(), edit)) // the same once more
		if changes, err := s.SubscriberChanges(ctx, sub.ID, 20); err != nil || len(changes) != before || look().Version() != second.Version() {
			t.Errorf("an edit that changes nothing was recorded: %+v, %v", changes, err)
		}
		var input *store.InputError
		if err := s.EditSubscriber(ctx, sub.ID, second.Version(), store.SubscriberEdit{Name: "x", Digests: map[string][]string{}}); !errors.As(err, &input) || !strings.Contains(err.Error(), "keeps at least one digest") {
			t.Errorf("without a digest: %v", err)
		}
		if got := look(); got.Name != second.Name {
			t.Error("half of an edit that was refused is stored")
		}
		must(t, s.UnsubscribeAll(ctx, sub.ID))
		if err := s.EditSubscriber(ctx, sub.ID, look().Version(), store.SubscriberEdit{Digests: map[string][]string{"weekly": nil}}); !errors.As(err, &input) || !strings.Contains(err.Error(), "must subscribe again first") {
			t.Errorf("of someone who left: %v", err)
		}
		must(t, s.EditSubscriber(ctx, sub.ID, look().Version(), store.SubscriberEdit{Name: "Ann"}))
		must(t, s.Erase(ctx, sub.ID))
		for _, version := range []string{first.Version(), look().Version()} {
			if err := s.EditSubscriber(ctx, sub.ID, version, edit); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("of an erased person: %v", err)
			}
		}
		if err := s.EditSubscriber(ctx, 999, "", edit); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("of an unknown ID: %v", err)
		}
	})
}
