package store_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// addOwner adds an addOwner who may sign in.
func addOwner(t *testing.T, s *store.Store, email string) store.Editor {
	t.Helper()
	return storetest.Editor(t, s, store.Editor{Email: email, Role: "owner", Password: "a hash"})
}

// createLink creates a one-time createLink and returns its token.
func createLink(t *testing.T, s *store.Store, l store.Link, ttl time.Duration) string {
	t.Helper()
	token, err := s.CreateLink(t.Context(), l, ttl)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// mustBeVoid checks that a link cannot be used and is not listed.
func mustBeVoid(t *testing.T, s *store.Store, what, token string) {
	t.Helper()
	if l, err := s.Link(t.Context(), token); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("%s opens %+v, %v", what, l, err)
	}
	if _, err := s.CreateEditorFromLink(t.Context(), token, store.Editor{Email: "thief@example.org"}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("%s admits: %v", what, err)
	}
	if _, err := s.ResetPassword(t.Context(), token, "theirs"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("%s changes a password: %v", what, err)
	}
	if _, _, err := s.ChangeAddress(t.Context(), token, ""); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("%s changes an address: %v", what, err)
	}
}

// mustOpen checks that a link can still be used.
func mustOpen(t *testing.T, s *store.Store, what, token string) {
	t.Helper()
	if _, err := s.Link(t.Context(), token); err != nil {
		t.Errorf("%s: %v", what, err)
	}
}

func TestLinkIsUsedOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		token := createLink(t, s, store.Link{Purpose: store.InviteLink, Role: "editor"}, time.Hour)
		for range 2 { // reading a link does not use it
			mustOpen(t, s, "an invitation", token)
		}
		var admitted atomic.Int32
		var work sync.WaitGroup
		for range 8 {
			work.Go(func() {
				if e, err := s.CreateEditorFromLink(t.Context(), token, store.Editor{Email: "bob@example.org", Role: "owner"}); err == nil && e.Role == "editor" {
					admitted.Add(1)
				}
			})
		}
		work.Wait()
		if admitted.Load() != 1 {
			t.Errorf("%d editors were created by one link", admitted.Load())
		}
		mustBeVoid(t, s, "a used link", token)
		mustBeVoid(t, s, "an expired link", createLink(t, s, store.Link{Purpose: store.InviteLink, Role: "editor"}, -time.Second))
		mustBeVoid(t, s, "an invalid token", "no token")
	})
}

func TestLinkIsNotLostWhenTheAddressIsTaken(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ada := addOwner(t, s, "ada@example.org")
		token := createLink(t, s, store.Link{Purpose: store.InviteLink, Role: "editor", Maker: ada.ID}, time.Hour)
		if _, err := s.CreateEditorFromLink(t.Context(), token, store.Editor{Email: " ADA@example.org"}); !errors.Is(err, store.ErrExists) {
			t.Errorf("a taken address: %v", err)
		}
		mustOpen(t, s, "the link after the failed use", token)
	})
}

func TestNewerLinkVoidsOlderOnesForTheSamePerson(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ada, bob := addOwner(t, s, "ada@example.org"), addOwner(t, s, "bob@example.org")
		invite := func(email string) string {
			return createLink(t, s, store.Link{Purpose: store.InviteLink, Role: "owner", Email: email, Maker: ada.ID}, time.Hour)
		}
		reset := func(of store.Editor) string {
			return createLink(t, s, store.Link{Purpose: store.ResetLink, Editor: of.ID, Maker: ada.ID}, time.Hour)
		}
		eve, anyone, resetBob, resetAda := invite("eve@example.org"), invite(""), reset(bob), reset(ada)
		later, another := invite("EVE@example.org"), reset(bob)
		mustBeVoid(t, s, "the older invitation", eve)
		mustBeVoid(t, s, "the older reset link", resetBob)
		for what, token := range map[string]string{"the newer invitation": later, "one for anyone": anyone, "the newer reset link": another, "another editor's": resetAda} {
			mustOpen(t, s, what, token)
		}
		if all, err := s.Links(t.Context()); err != nil || len(all) != 4 {
			t.Errorf("%d links are listed, %v: %+v", len(all), err, all)
		}
		if e, err := s.CreateEditorFromLink(t.Context(), later, store.Editor{Email: "thief@example.org"}); err != nil || e.Email != "EVE@example.org" || e.Role != "owner" {
			t.Errorf("an invitation to eve creates %+v, %v", e, err)
		}
	})
}

func TestLinkIsVoidWithItsMaker(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		ada, eve := addOwner(t, s, "ada@example.org"), addOwner(t, s, "eve@example.org")
		made := func() map[string]string {
			return map[string]string{
				"an invitation":                   createLink(t, s, store.Link{Purpose: store.InviteLink, Role: "owner", Maker: eve.ID}, time.Hour),
				"an invitation to another person": createLink(t, s, store.Link{Purpose: store.InviteLink, Role: "owner", Email: "x@example.org", Maker: eve.ID}, time.Hour),
				"a reset link for ada":            createLink(t, s, store.Link{Purpose: store.ResetLink, Editor: ada.ID, Maker: eve.ID}, time.Hour),
				"a reset link for eve":            createLink(t, s, store.Link{Purpose: store.ResetLink, Editor: eve.ID, Maker: ada.ID}, time.Hour),
			}
		}
		ours := createLink(t, s, store.Link{Purpose: store.InviteLink, Role: "editor", Maker: ada.ID}, time.Hour)
		before := made()
		eve.Disabled = s.Now()
		if err := s.UpdateEditor(ctx, eve, ""); err != nil {
			t.Fatal(err)
		}
		for what, token := range before {
			mustBeVoid(t, s, what+" of a disabled editor", token)
		}
		eve.Disabled = time.Time{}
		if err := s.UpdateEditor(ctx, eve, ""); err != nil {
			t.Fatal(err)
		}
		for what, token := range before {
			mustBeVoid(t, s, what+" of an editor who was disabled once", token)
		}
		before = made()
		eve.Role = "editor"
		if err := s.UpdateEditor(ctx, eve, ""); err != nil {
			t.Fatal(err)
		}
		mustBeVoid(t, s, "an invitation by a former owner", before["an invitation"])
		before = made()
		if err := s.DeleteEditor(ctx, eve.ID); err != nil {
			t.Fatal(err)
		}
		for what, token := range before {
			mustBeVoid(t, s, what+" of a removed editor", token)
		}
		mustOpen(t, s, "another owner's invitation", ours)
		all, err := s.Links(ctx)
		if err != nil || len(all) != 1 || all[0].Maker != ada.ID {
			t.Fatalf("listed: %+v, %v", all, err)
		}
		if err := s.RevokeLink(ctx, all[0].ID); err != nil {
			t.Fatal(err)
		}
		mustBeVoid(t, s, "a revoked link", ours)
		if err := s.RevokeLink(ctx, all[0].ID); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("revoked twice: %v", err)
		}
	})
}

func TestNewAddressTakesEffectByItsLink(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		ada, bob := addOwner(t, s, "ada@example.org"), addOwner(t, s, "bob@example.org")
		confirm := func(of store.Editor, email string) string {
			return createLink(t, s, store.Link{Purpose: store.AddressLink, Editor: of.ID, Email: email}, time.Hour)
		}
		first, others := confirm(ada, "brook@example.org"), confirm(bob, "bobby@example.org")
		taken := confirm(ada, "BOB@example.org")
		mustBeVoid(t, s, "the link of an earlier request", first)
		mustOpen(t, s, "another editor's", others)
		if _, _, err := s.ChangeAddress(ctx, taken, ""); !errors.Is(err, store.ErrExists) {
			t.Errorf("an address that is taken: %v", err)
		}
		mustOpen(t, s, "the link after the failed use", taken)
		for what, err := range map[string]error{
			"makes an editor":    errorOf(s.CreateEditorFromLink(ctx, taken, store.Editor{Email: "thief@example.org"})),
			"changes a password": errorOf(s.ResetPassword(ctx, taken, "theirs")),
			"replaces a code":    errorOf(s.UseCodeLink(ctx, taken)),
		} {
			if !errors.Is(err, store.ErrNotFound) {
				t.Errorf("a link for an address %s: %v", what, err)
			}
		}
		link := confirm(ada, "Brook@example.org")
		here, err1 := s.CreateSession(ctx, ada, "", time.Hour)
		there, err2 := s.CreateSession(ctx, ada, "", time.Hour)
		old, now, err := s.ChangeAddress(ctx, link, here)
		if err := errors.Join(err, err1, err2); err != nil || old.Email != "ada@example.org" || now.Email != "Brook@example.org" || now.ID != ada.ID || now.Password != ada.Password {
			t.Fatalf("%+v became %+v, %v", old, now, err)
		}
		if found, err := s.EditorByEmail(ctx, "brook@example.org"); err != nil || found.ID != ada.ID {
			t.Errorf("by the new address: %+v, %v", found, err)
		}
		if _, err := s.Session(ctx, here); err != nil {
			t.Errorf("the session that used the link has ended: %v", err)
		}
		mustEnd(t, s, there)
		mustBeVoid(t, s, "a used link", link)
		mustBeVoid(t, s, "an expired link", createLink(t, s, store.Link{Purpose: store.AddressLink, Editor: ada.ID, Email: "x@example.org"}, -time.Second))
		for what, end := range map[string]func() error{
			"a new password":                  func() error { bob.Password = "another hash"; return s.UpdateEditor(ctx, bob, "") },
			"the removal of the sign-in ways": func() error { return s.RemoveSignInMethods(ctx, bob.ID) },
		} {
			link := confirm(bob, "bobby@example.org")
			if err := end(); err != nil {
				t.Fatal(err)
			}
			mustBeVoid(t, s, "the link after "+what, link)
		}
		link = confirm(bob, "bobby@example.org")
		if err := s.DeleteEditor(ctx, bob.ID); err != nil {
			t.Fatal(err)
		}
		mustBeVoid(t, s, "the link of a removed editor", link)
	})
}

// errorOf returns the error of two results.
func errorOf(_ store.Editor, err error) error { return err }

func TestSetupLinksMakeOneOwner(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		setup := store.Link{Purpose: store.SetupLink, Role: "owner"}
		first, second, third := createLink(t, s, setup, time.Hour), createLink(t, s, setup, time.Hour), createLink(t, s, setup, time.Hour)
		mustBeVoid(t, s, "the first start's link", first)
		mustBeVoid(t, s, "the second start's link", second)
		if _, err := s.CreateEditorFromLink(t.Context(), third, store.Editor{Email: "ada@example.org"}); err != nil {
			t.Fatal(err)
		}
		mustBeVoid(t, s, "the newest link, used", third)
		mustBeVoid(t, s, "a setup link that is created when there is an owner", createLink(t, s, setup, time.Hour))
	})
}

func TestChangeOfPasswordOrAddressEndsSessionsAndLinks(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		ada := addOwner(t, s, "ada@example.org")
		for what, change := range map[string]func(e *store.Editor){
			"password": func(e *store.Editor) { e.Password = "hash of " + time.Now().String() },
			"address":  func(e *store.Editor) { e.Email = "ada.brook@example.org" },
			"role":     func(e *store.Editor) { e.Role = "editor" },
		} {
			here, err1 := s.CreateSession(ctx, ada, "", time.Hour)
			there, err2 := s.CreateSession(ctx, ada, "", time.Hour)
			if err := errors.Join(err1, err2); err != nil {
				t.Fatal(err)
			}
			reset := createLink(t, s, store.Link{Purpose: store.ResetLink, Editor: ada.ID}, time.Hour)
			old := ada
			change(&ada)
			if err := s.UpdateEditor(ctx, ada, here); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Session(ctx, here); err != nil {
				t.Errorf("after a change of the %s this session has ended: %v", what, err)
			}
			mustEnd(t, s, there)
			mustBeVoid(t, s, "a reset link after a change of the "+what, reset)
			if _, err := s.CreateSession(ctx, old, "", time.Hour); what == "password" && !errors.Is(err, store.ErrNotFound) {
				t.Errorf("a sign-in with the old password gets a session after the change: %v", err)
			}
		}
		addOwner(t, s, "bob@example.org")
		ada.Email = "BOB@example.org"
		if err := s.UpdateEditor(ctx, ada, ""); !errors.Is(err, store.ErrExists) {
			t.Errorf("an address that is taken: %v", err)
		}
	})
}

func TestAttemptsAreCountedForAllNodes(t *testing.T) {
	t.Parallel()
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			now := time.Now()
			var mu sync.Mutex
			clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
			dsn := storetest.DSN(t, engine)
			one := storetest.Reopen(t, dsn, store.Options{Clock: clock})
			two := storetest.Reopen(t, dsn, store.Options{Clock: clock})
			account, network := store.AttemptLimit{Key: "ada", Burst: 5, Every: time.Minute}, store.AttemptLimit{Key: "192.0.2.0", Burst: 8, Every: time.Minute}
			var taken atomic.Int32
			var work sync.WaitGroup
			for i := range 24 { // all at once: each must count before the next one reads
				s := []*store.Store{one, two}[i%2]
				work.Go(func() {
					if wait, err := s.TakeAttempt(t.Context(), account, network); err != nil {
						t.Error(err)
					} else if wait == 0 {
						taken.Add(1)
					}
				})
			}
			work.Wait()
			if taken.Load() != 5 {
				t.Errorf("%d attempts were allowed, want 5", taken.Load())
			}
			for what, limits := range map[string][]store.AttemptLimit{"the account": {account}, "both": {network, account}} {
				if wait, err := two.TakeAttempt(t.Context(), limits...); wait <= 0 || wait > time.Minute || err != nil {
					t.Errorf("%s: wait %v, %v", what, wait, err)
				}
			}
			if wait, err := one.TakeAttempt(t.Context(), network); wait != 0 || err != nil {
				t.Errorf("the network has attempts left: wait %v, %v", wait, err)
			}
			if err := one.ReturnAttempt(t.Context(), account, network); err != nil {
				t.Fatal(err)
			}
			if wait, err := two.TakeAttempt(t.Context(), account); wait != 0 || err != nil {
				t.Errorf("a returned attempt is missing: wait %v, %v", wait, err)
			}
			mu.Lock()
			now = now.Add(time.Minute)
			mu.Unlock()
			if wait, err := one.TakeAttempt(t.Context(), account); wait != 0 || err != nil {
				t.Errorf("after a minute: wait %v, %v", wait, err)
			}
			if wait, _ := one.TakeAttempt(t.Context(), account); wait <= 0 {
				t.Error("after a minute two attempts are allowed")
			}
		})
	}
}
