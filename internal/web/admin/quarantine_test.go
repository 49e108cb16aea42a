package admin_test

import (
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/archive"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// TestQuarantineIsReviewedAndReleased restores a backup after an edition was sent, decides
// on each edition and ends the quarantine.
func TestQuarantineIsReviewedAndReleased(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			s := startSite(t, on(engine))
			s.addSubscribers(3)
			owner, bob := s.owner(), s.visitor()
			bob.post(strings.TrimPrefix(s.invite("bob@gazette.example"), s.url), "password", adaPassword)
			draft, err := s.newEngine().Draft(t.Context(), "weekly", delivery.SendOptions{By: "the schedule"})
			if err != nil {
				t.Fatal(err)
			}
			file := s.backUp()
			s.put("Known only to the journal")
			owner.sendWeekly()
			s.eventually("three mails", func() bool { return len(s.inbox.Mails()) == 3 })
			lost := strings.TrimPrefix(owner.at, "/admin/editions/")
			s.eventually("the edition to be sent", func() bool { return s.state(lost) == digest.Sent })
			s.restore(file)

			bob.post("/admin/sign-in", "email", "bob@gazette.example", "password", adaPassword)
			bob.want(bob.get("/admin/"), "the store is quarantined", "An owner must review")
			for _, code := range []int{
				bob.status(bob.get, "/admin/quarantine"), bob.status(func(p string) string { return bob.post(p, "decision", "sent") }, "/admin/quarantine/editions/"+lost),
				bob.status(func(p string) string { return bob.post(p, "sure", "yes") }, "/admin/quarantine/release"),
			} {
				if code != http.StatusForbidden {
					t.Errorf("an editor who is no owner is answered %d", code)
				}
			}
			owner.post("/admin/sign-in", "email", adaEmail, "password", adaPassword)
			owner.want(owner.get("/admin/"), "No emails are sent: the store is quarantined.", `href="/admin/quarantine"`)
			owner.want(owner.get("/admin/quarantine"), "was restored from a backup", "sent to 3 subscribers", "no record", "awaiting approval", draft.ID, lost)
			owner.want(owner.post("/admin/quarantine/editions/"+lost, "decision", "hold"), "Nothing was decided", "choose sent or cancel")
			owner.want(owner.post("/admin/quarantine/editions/"+lost, "decision", "everything"), "Choose one of the decisions")
			owner.want(owner.post("/admin/quarantine/editions/"+draft.ID, "decision", "cancel"), "The decision was saved", "<dd>cancel</dd>")
			owner.want(owner.post("/admin/quarantine/release"), "The store was not released")
			if q, err := s.Store.Quarantine(t.Context()); err != nil || q == nil {
				t.Fatalf("quarantine %+v, %v", q, err)
			}
			owner.want(owner.post("/admin/quarantine/release", "sure", "yes"), "The store was released")
			if q, err := s.Store.Quarantine(t.Context()); err != nil || q != nil {
				t.Errorf("quarantine %+v, %v", q, err)
			}
			if state := s.state(draft.ID); state != digest.Cancelled {
				t.Errorf("the draft is %s", state)
			}
			// Editors may get mails about the quarantine and about sign-ins.
			for address, n := range s.inbox.Received() {
				if strings.HasPrefix(address, "reader") && n != 1 {
					t.Errorf("%s got %d mails, want the one before the restore", address, n)
				}
			}
			if owner.get("/admin/quarantine"); owner.code != http.StatusNotFound {
				t.Errorf("without a quarantine its page answers %d", owner.code)
			}
		})
	}
}

func TestFormerPasswordIsRefusedAfterRestore(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s := startSite(t, on(store.SQLite))
	owner, bob := s.owner(), s.visitor()
	bob.post(strings.TrimPrefix(s.invite("bob@gazette.example"), s.url), "password", adaPassword)
	file := s.backUp()
	changed, err := s.Store.EditorByEmail(t.Context(), "bob@gazette.example")
	if err != nil {
		t.Fatal(err)
	}
	changed.Password = "a hash of another password"
	if err := s.Store.UpdateEditor(t.Context(), changed, ""); err != nil {
		t.Fatal(err)
	}
	s.restore(file)
	if bob.post("/admin/sign-in", "email", "bob@gazette.example", "password", adaPassword); bob.code == http.StatusOK {
		t.Errorf("the former password leads to %s", bob.at)
	}
	owner.post("/admin/sign-in", "email", adaEmail, "password", adaPassword)
	owner.want(owner.get("/admin/quarantine"), "Access revoked since the backup", "<strong>bob@gazette.example</strong>: the password was changed after the backup")
}

// backUp writes a backup of the site's store to a file.
func (s *site) backUp() string {
	s.t.Helper()
	file := filepath.Join(s.t.TempDir(), "backup.tidings")
	_, err := archive.Create(file, func(w io.Writer) error {
		return store.Backup(s.t.Context(), string(s.Config.Store.DSN), store.Options{}, w)
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return file
}

// restore stops the site, replaces its store by a backup and starts it again.
func (s *site) restore(file string) {
	s.t.Helper()
	s.stop()
	options := store.RestoreOptions{Options: app.StoreOptions(s.Config), Replace: true}
	if _, err := store.Restore(s.t.Context(), string(s.Config.Store.DSN), file, options); err != nil {
		s.t.Fatal(err)
	}
	s.start(s.Config)
}

// status returns the status of a response.
func (e *editor) status(ask func(path string) string, path string) int {
	ask(path)
	return e.code
}
