package store_test

import (
	"bufio"
	"errors"
	"fmt"
	"strconv"
	"testing"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// TestChangeWithoutAuditEntryIsNotMade hides the table of the audit log, so that no entry can be
// written.
func TestChangeWithoutAuditEntryIsNotMade(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		editor := storetest.Editor(t, s, store.Editor{Email: "ada@example.org"})
		rename := func(from, to string) {
			if _, err := s.DB().ExecContext(t.Context(), "ALTER TABLE "+from+" RENAME TO "+to); err != nil {
				t.Fatal(err)
			}
		}
		rename("audit_log", "hidden")
		ctx, pending := store.WithAudit(t.Context(), store.AuditEntry{Who: "ada@example.org", Action: "account.language"})
		if err := s.SetEditorLanguage(ctx, editor.ID, "fr"); err == nil || pending.Added() {
			t.Errorf("the change without its entry ended with %v", err)
		}
		rename("hidden", "audit_log")
		if is, err := s.EditorByID(t.Context(), editor.ID); err != nil || is.Language != "" {
			t.Errorf("the language is %q, %v", is.Language, err)
		}
		if err := s.SetEditorLanguage(ctx, editor.ID, "fr"); err != nil || !pending.Added() {
			t.Fatalf("the change with its entry ended with %v", err)
		}
		if all := auditLog(t, s, store.AuditFilter{}); len(all) != 1 || all[0].Action != "account.language" || all[0].At.IsZero() {
			t.Errorf("%+v", all)
		}
	})
}

func TestRefusedChangeLeavesNoAuditEntry(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx, pending := store.WithAudit(t.Context(), store.AuditEntry{Action: "account.language"})
		if err := s.SetEditorLanguage(ctx, 404, "fr"); !errors.Is(err, store.ErrNotFound) || pending.Added() {
			t.Errorf("a change of an editor who does not exist ended with %v", err)
		}
		if n, err := s.MarkUnseen(ctx, "weekly", s.Now()); n != 0 || err != nil || !pending.Added() {
			t.Errorf("putting back no article ended with %d, %v", n, err)
		}
		if all := auditLog(t, s, store.AuditFilter{}); len(all) != 0 {
			t.Errorf("%+v", all)
		}
	})
}

// TestAuditEntryNamesNewObjects makes objects whose ids are known only afterwards, and checks that
// only the first write adds the entry.
func TestAuditEntryNamesNewObjects(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx, _ := store.WithAudit(t.Context(), store.AuditEntry{Action: "subscriber.add", Kind: "subscriber"})
		sub, err := s.AddSubscriber(ctx, subscriber.Subscriber{Address: subscriber.MustParseAddress("one@example.org"), State: subscriber.Active})
		if err == nil {
			err = s.Subscribe(ctx, sub.ID, "weekly", nil)
		}
		if err != nil {
			t.Fatal(err)
		}
		ctx, _ = store.WithAudit(t.Context(), store.AuditEntry{Action: "settings.change", Kind: "setting"})
		if _, err := s.ChangeSettings(ctx, 0, "ada@example.org", []store.Setting{{Key: "site.title", Value: `"A"`}, {Key: "site.language", Value: `"fr"`}}); err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, e := range auditLog(t, s, store.AuditFilter{}) {
			got += e.Action + " " + e.Object + ", "
		}
		if want := fmt.Sprintf("settings.change site.language, settings.change site.title, subscriber.add %d, ", sub.ID); got != want {
			t.Errorf("the log has %s want %s", got, want)
		}
	})
}

// TestKilledProcessLosesNeitherChangeNorAuditEntry kills a process that adds subscribers with entries in
// the audit log.
func TestKilledProcessLosesNeitherChangeNorAuditEntry(t *testing.T) {
	t.Parallel()
	testkit.Slow(t)
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			dsn := storetest.DSN(t, engine)
			cmd := helperProcess(dsn, "audited")
			out, err := cmd.StdoutPipe()
			if err == nil {
				err = cmd.Start()
			}
			if err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewScanner(out)
			for range 50 {
				if !lines.Scan() {
					break
				}
			}
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			s := storetest.Reopen(t, dsn, store.Options{})
			entries := map[string]bool{}
			for _, e := range auditLog(t, s, store.AuditFilter{Limit: 100_000}) {
				entries[e.Object] = true
			}
			subscribers := 0
			for sub, err := range s.Subscribers(t.Context(), store.SubscriberQuery{}) {
				if err != nil {
					t.Fatal(err)
				}
				if subscribers++; !entries[strconv.FormatInt(sub.ID, 10)] {
					t.Errorf("subscriber %d has no entry", sub.ID)
				}
			}
			if subscribers < 50 || subscribers != len(entries) {
				t.Errorf("%d subscribers, %d entries", subscribers, len(entries))
			}
		})
	}
}

// addAudited adds subscribers with entries in the audit log until the process ends.
func addAudited(t *testing.T, s *store.Store) {
	for i := 0; ; i++ {
		ctx, _ := store.WithAudit(t.Context(), store.AuditEntry{Action: "subscriber.add", Kind: "subscriber"})
		if _, err := s.AddSubscriber(ctx, subscriber.Subscriber{Address: subscriber.MustParseAddress(fmt.Sprintf("reader%d@example.org", i)), State: subscriber.Active}); err != nil {
			t.Fatal(err)
		}
		fmt.Println(i)
	}
}
