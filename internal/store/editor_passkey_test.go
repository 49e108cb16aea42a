package store_test

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

func TestPasskeysBelongToOneEditor(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx, ada, bob := t.Context(), addOwner(t, s, "ada@example.org"), addOwner(t, s, "bob@example.org")
		key := store.Passkey{ID: store.PasskeyID([]byte("key")), Editor: ada.ID, Name: "Laptop", Record: "1"}
		must(t, s.AddPasskey(ctx, key))
		if err := s.AddPasskey(ctx, store.Passkey{ID: key.ID, Editor: bob.ID}); !errors.Is(err, store.ErrExists) {
			t.Errorf("another editor registers it: %v", err)
		}
		found, err := s.Passkey(ctx, key.ID)
		if err != nil || found.Editor != ada.ID || found.Name != "Laptop" || found.Created.IsZero() || !found.Used.IsZero() {
			t.Errorf("%+v, %v", found, err)
		}
		if used, err := s.UsePasskey(ctx, found, "2"); !used || err != nil {
			t.Errorf("it is used: %v, %v", used, err)
		}
		if used, err := s.UsePasskey(ctx, found, "3"); used || err != nil {
			t.Errorf("a second use of the same record: %v, %v", used, err)
		}
		if list, err := s.Passkeys(ctx, ada.ID); err != nil || len(list) != 1 || list[0].Record != "2" || list[0].Used.IsZero() {
			t.Errorf("%+v, %v", list, err)
		}
		if err := s.RenamePasskey(ctx, bob.ID, key.ID, "Mine"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("another editor renames it: %v", err)
		}
		must(t, s.RenamePasskey(ctx, ada.ID, key.ID, "Old laptop"))
		if found, err := s.Passkey(ctx, key.ID); err != nil || found.Name != "Old laptop" {
			t.Errorf("after it was renamed: %+v, %v", found, err)
		}
		if err := s.RemovePasskey(ctx, bob.ID, key.ID, ""); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("another editor removes it: %v", err)
		}
		must(t, s.RemovePasskey(ctx, ada.ID, key.ID, ""))
		if _, err := s.Passkey(ctx, key.ID); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("after it was removed: %v", err)
		}
		for i := range store.MaxPasskeys {
			must(t, s.AddPasskey(ctx, store.Passkey{ID: fmt.Sprint(i), Editor: ada.ID}))
		}
		if err := s.AddPasskey(ctx, store.Passkey{ID: "more", Editor: ada.ID}); !errors.Is(err, store.ErrTooMany) {
			t.Errorf("more than %d: %v", store.MaxPasskeys, err)
		}
	})
}

func TestChallengeIsTakenOnceAndInTime(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		token, err := s.AddChallenge(ctx, store.PasskeySignIn, 7, "data")
		must(t, err)
		if _, _, err := s.TakeChallenge(ctx, store.PasskeyProof, token); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("for another purpose: %v", err)
		}
		if editor, data, err := s.TakeChallenge(ctx, store.PasskeySignIn, token); editor != 7 || data != "data" || err != nil {
			t.Errorf("%d, %q, %v", editor, data, err)
		}
		if _, _, err := s.TakeChallenge(ctx, store.PasskeySignIn, token); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a second time: %v", err)
		}
	})
}

func TestChallengesExpireAndAreBounded(t *testing.T) {
	t.Parallel()
	var later atomic.Int64
	s, err := store.Open(t.Context(), storetest.DSN(t, store.SQLite), store.Options{Clock: func() time.Time { return time.Now().Add(time.Duration(later.Load())) }})
	must(t, err)
	t.Cleanup(func() { _ = s.Close() })
	ctx := t.Context()
	token, err := s.AddChallenge(ctx, store.PasskeySignIn, 0, "")
	must(t, err)
	later.Store(int64(11 * time.Minute))
	if _, _, err := s.TakeChallenge(ctx, store.PasskeySignIn, token); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("after eleven minutes: %v", err)
	}
	_, err = s.DB().ExecContext(ctx, `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
		INSERT INTO sign_in_challenges (hash, purpose, editor, data, expires) SELECT 'x' || i, 'x', 0, '', $1 FROM n`, time.Now().Add(20*time.Minute).UnixMilli())
	must(t, err)
	if _, err := s.AddChallenge(ctx, store.PasskeySignIn, 0, ""); !errors.Is(err, store.ErrTooMany) {
		t.Errorf("beyond the bound: %v", err)
	}
	later.Store(int64(21 * time.Minute))
	if _, err := s.AddChallenge(ctx, store.PasskeySignIn, 0, ""); err != nil {
		t.Errorf("after the others expired: %v", err)
	}
}

func TestProviderAccountsBelongToOneEditor(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx, ada, bob := t.Context(), addOwner(t, s, "ada@example.org"), addOwner(t, s, "bob@example.org")
		if yes, err := s.OwnerSignsInWithoutPassword(ctx, "https://id.example"); yes || err != nil {
			t.Errorf("an owner without a passkey: %v, %v", yes, err)
		}
		one := store.Identity{Issuer: "https://id.example", Subject: "1", Editor: ada.ID, Email: "ada@example.org"}
		must(t, s.LinkIdentity(ctx, one))
		one.Editor = bob.ID
		if err := s.LinkIdentity(ctx, one); !errors.Is(err, store.ErrExists) {
			t.Errorf("a second editor: %v", err)
		}
		found, err := s.Identity(ctx, one.Issuer, "1")
		if err != nil || found.Editor != ada.ID || found.ID == "" {
			t.Fatalf("%+v, %v", found, err)
		}
		if _, err := s.Identity(ctx, "https://other.example", "1"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the same subject at another issuer: %v", err)
		}
		must(t, s.UseIdentity(ctx, found.ID, "new@example.org"))
		if list, err := s.Identities(ctx, ada.ID); err != nil || len(list) != 1 || list[0].Email != "new@example.org" {
			t.Errorf("%+v, %v", list, err)
		}
		for issuer, want := range map[string]bool{"https://id.example": true, "https://other.example": false} {
			if yes, err := s.OwnerSignsInWithoutPassword(ctx, issuer); yes != want || err != nil {
				t.Errorf("%s: %v, %v", issuer, yes, err)
			}
		}
		if err := s.RemoveIdentity(ctx, bob.ID, found.ID, ""); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("another editor removes it: %v", err)
		}
		must(t, s.AddPasskey(ctx, store.Passkey{ID: "key", Editor: ada.ID}), s.RemoveSignInMethods(ctx, ada.ID))
		keys, err1 := s.Passkeys(ctx, ada.ID)
		identities, err2 := s.Identities(ctx, ada.ID)
		if len(keys)+len(identities) > 0 || err1 != nil || err2 != nil {
			t.Errorf("left: %v, %v; %v, %v", keys, identities, err1, err2)
		}
	})
}

func TestInvitationIsAcceptedThroughProvider(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		account := store.Identity{Issuer: "https://id.example", Subject: "1", Email: "bob@example.org"}
		if _, err := s.CreateInvitedEditor(ctx, store.Editor{Email: "bob@example.org"}, account); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("without an invitation: %v", err)
		}
		createLink(t, s, store.Link{Purpose: store.InviteLink, Role: "editor"}, time.Hour) // for anyone who has the link
		if _, err := s.CreateInvitedEditor(ctx, store.Editor{Email: ""}, account); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("with an invitation to no address: %v", err)
		}
		token := createLink(t, s, store.Link{Purpose: store.InviteLink, Role: "editor", Email: "Bob@example.org"}, time.Hour)
		e, err := s.CreateInvitedEditor(ctx, store.Editor{Email: "bob@example.org", Name: "Bob"}, account)
		if err != nil || e.Role != "editor" || e.Password != "" {
			t.Fatalf("%+v, %v", e, err)
		}
		mustBeVoid(t, s, "an invitation that was accepted", token)
		if found, err := s.Identity(ctx, account.Issuer, "1"); err != nil || found.Editor != e.ID {
			t.Errorf("%+v, %v", found, err)
		}
	})
}
