package store_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/journal"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// must fails the test for the first of some errors.
func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// newEditor stores an editor with a password.
func newEditor(t *testing.T, s *store.Store, name string, role store.Role) store.Editor {
	t.Helper()
	return storetest.Editor(t, s, store.Editor{Email: name + "@gazette.example", Name: name, Role: role, Password: "$argon2id$old-" + name})
}

// TestRestoreKeepsAccessRevoked changes the access of editors and of a private feed after a backup,
// and restores the backup with the journal and without it.
func TestRestoreKeepsAccessRevoked(t *testing.T) {
	t.Parallel()
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			ctx, folder, dsn := t.Context(), filepath.Join(t.TempDir(), "journal"), storetest.DSN(t, engine)
			s, err := store.Open(ctx, dsn, store.Options{Journal: folder})
			if err != nil {
				t.Fatal(err)
			}
			changed, early := newEditor(t, s, "changed", store.OwnerRole), newEditor(t, s, "early", store.OwnerRole)
			demoted, disabled := newEditor(t, s, "demoted", store.OwnerRole), newEditor(t, s, "disabled", "editor")
			removed, back := newEditor(t, s, "removed", "editor"), newEditor(t, s, "back", "editor")
			careful, modern := newEditor(t, s, "careful", "editor"), newEditor(t, s, "modern", "editor")
			must(t, s.AddPasskey(ctx, store.Passkey{ID: "stolen", Editor: modern.ID}), s.AddPasskey(ctx, store.Passkey{ID: "kept", Editor: modern.ID}))
			must(t, s.LinkIdentity(ctx, store.Identity{Issuer: "https://id.example", Subject: "left", Editor: modern.ID}))
			writing, raised := newEditor(t, s, "writing", store.EditorRole), newEditor(t, s, "raised", store.ViewerRole)
			reader := addSubscriber(t, s, "reader@example.org", subscriber.Active)
			early.Password = "$argon2id$before-the-backup"
			must(t, s.Subscribe(ctx, reader.ID, "weekly", nil), s.Subscribe(ctx, reader.ID, "daily", nil), s.UpdateEditor(ctx, early, ""))
			closed, err1 := s.CreateFeedToken(ctx, reader.ID, "weekly")
			open, err2 := s.CreateFeedToken(ctx, reader.ID, "daily")
			browsers, err3 := s.Secret(ctx, store.BrowserSecret)
			must(t, err1, err2, err3)

			file, _ := backUp(t, dsn)

			must(t, setRole(ctx, s, writing, store.WriterRole), setRole(ctx, s, raised, store.OwnerRole))
			changed.Password, demoted.Role, disabled.Disabled, back.Disabled = "$argon2id$new", "editor", s.Now(), s.Now()
			must(t, s.UpdateEditor(ctx, changed, ""), s.UpdateEditor(ctx, demoted, ""), s.UpdateEditor(ctx, disabled, ""), s.UpdateEditor(ctx, back, ""))
			back.Disabled = time.Time{}
			must(t, s.StartSecondFactor(ctx, careful.ID, "SECRET"), s.ConfirmSecondFactor(ctx, careful.ID, 1, []string{"CODE"}, ""))
			left, err := s.Identity(ctx, "https://id.example", "left")
			must(t, err, s.RemovePasskey(ctx, modern.ID, "stolen", ""), s.RemoveIdentity(ctx, modern.ID, left.ID, ""))
			must(t, s.UpdateEditor(ctx, back, ""), s.DeleteEditor(ctx, removed.ID), s.RevokeFeedToken(ctx, reader.ID, "weekly"), s.JournalProblem(), s.Close())
			for _, secret := range []string{"argon2id", "gazette", "changed"} {
				if grepFolder(t, folder, secret) {
					t.Errorf("the journal has %q in it", secret)
				}
			}

			restore := func(dsn string, options store.Options) *store.Store {
				_, err := store.Restore(ctx, dsn, file, store.RestoreOptions{Options: options, Replace: true})
				must(t, err)
				return storetest.Reopen(t, dsn, options)
			}
			without := restore(emptyDSN(t, engine), store.Options{})
			if got, feeds := access(ctx, without), countFeeds(ctx, without); got != "back careful changed(owner) demoted(owner) disabled early(owner) modern raised(viewer) removed writing" || feeds != 2 {
				t.Errorf("without a journal: %s, %d feeds", got, feeds)
			}
			q, err := without.Quarantine(ctx)
			if err != nil || q.Journal || q.Access != nil {
				t.Errorf("without a journal: %+v, %v", q, err)
			}

			s = restore(dsn, store.Options{Journal: folder})
			if got, want := access(ctx, s), "back careful(, no password) changed(owner, no password) demoted early(owner) modern raised(viewer) writing(writer)"; got != want {
				t.Errorf("editors who may sign in: %s\nwant: %s", got, want)
			}
			keys, err := s.Passkeys(ctx, modern.ID)
			if err != nil || len(keys) != 1 || keys[0].ID != "kept" {
				t.Errorf("passkeys after the restore: %+v, %v", keys, err)
			}
			if _, err := s.Identity(ctx, "https://id.example", "left"); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("an account at a provider that was removed: %v", err)
			}
			_, err1 = s.FeedToken(ctx, closed)
			if _, err2 = s.FeedToken(ctx, open); !errors.Is(err1, store.ErrNotFound) || err2 != nil {
				t.Errorf("the closed feed: %v, the open one: %v", err1, err2)
			}
			if fresh, err := s.Secret(ctx, store.BrowserSecret); err != nil || string(fresh) == string(browsers) {
				t.Errorf("the secret of known browsers is the old one, %v", err)
			}
			q, err = s.Quarantine(ctx)
			must(t, err)
			lost := map[string]journal.AccessChange{}
			for _, one := range q.Access {
				if one.Editor == "modern@gazette.example" {
					lost[string(one.Change)] = one.Change
					continue
				}
				lost[one.Editor] = one.Change
			}
			want := map[string]journal.AccessChange{
				"changed@gazette.example": journal.AccessPassword, "demoted@gazette.example": journal.AccessRole, "writing@gazette.example": journal.AccessRole,
				"careful@gazette.example": journal.AccessFactor, "disabled@gazette.example": journal.AccessDisabled, "removed@gazette.example": journal.AccessRemoved,
				"passkey": journal.AccessPasskey, "provider": journal.AccessProvider,
			}
			if fmt.Sprint(lost) != fmt.Sprint(want) || q.ClosedFeeds != 1 || !q.Journal {
				t.Errorf("the review lists %v and %d feeds, want %v", lost, q.ClosedFeeds, want)
			}
		})
	}
}

func setRole(ctx context.Context, s *store.Store, e store.Editor, role store.Role) error {
	_, err := s.SetRole(ctx, e.ID, role)
	return err
}

// access describes the editors who may sign in.
func access(ctx context.Context, s *store.Store) string {
	all, err := s.Editors(ctx)
	if err != nil {
		return err.Error()
	}
	out := ""
	for _, e := range all {
		if !e.Disabled.IsZero() {
			continue
		}
		note := ""
		if e.Role != store.EditorRole {
			note = string(e.Role)
		}
		if e.Password == "" {
			note += ", no password"
		}
		if out += " " + e.Name; note != "" {
			out += "(" + note + ")"
		}
	}
	return out[min(1, len(out)):]
}

func countFeeds(ctx context.Context, s *store.Store) int64 {
	n, err := s.CountPrivateFeeds(ctx)
	if err != nil {
		return -1
	}
	return n
}
