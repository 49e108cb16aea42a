package store_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

func TestRoleIncludesThoseWithFewerRights(t *testing.T) {
	t.Parallel()
	for i, role := range store.Roles {
		for j, least := range store.Roles {
			if role.Includes(least) != (i >= j) {
				t.Errorf("%s includes %s: %v", role, least, i < j)
			}
		}
	}
	for _, unknown := range []store.Role{"", "intern", "Owner"} {
		if unknown.Includes(store.ViewerRole) || store.OwnerRole.Includes(unknown) || unknown.Includes(unknown) || unknown.MayApprove() {
			t.Errorf("the unknown role %q permits something", unknown)
		}
	}
	if store.WriterRole.MayApprove() || !store.EditorRole.MayApprove() {
		t.Error("writers may approve, or editors may not")
	}
}

func TestRoleChangeEndsSessionsAndVoidsLinks(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		ada, bob := newEditor(t, s, "ada", store.OwnerRole), newEditor(t, s, "bob", store.OwnerRole)
		session, err1 := s.CreateSession(ctx, bob, "", time.Hour)
		link, err2 := s.CreateLink(ctx, store.Link{Purpose: store.InviteLink, Role: store.OwnerRole, Maker: bob.ID}, time.Hour)
		must(t, err1, err2)
		if changed, err := s.SetRole(ctx, bob.ID, store.ViewerRole); err != nil || changed.Role != store.ViewerRole {
			t.Fatalf("%+v, %v", changed, err)
		}
		mustEnd(t, s, session)
		if _, err := s.Link(ctx, link); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a link that a former owner made: %v", err)
		}
		if _, err := s.SetRole(ctx, ada.ID, store.EditorRole); !errors.Is(err, store.ErrLastOwner) {
			t.Errorf("the last owner's role is changed: %v", err)
		}
		if _, err := s.SetRole(ctx, 4711, store.EditorRole); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("an unknown editor: %v", err)
		}
	})
}

// TestTwoOwnersCannotBothGiveUpTheRole lets both give it up at the same time.
func TestTwoOwnersCannotBothGiveUpTheRole(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		owners := []store.Editor{newEditor(t, s, "ada", store.OwnerRole), newEditor(t, s, "bob", store.OwnerRole)}
		var both sync.WaitGroup
		errs := make([]error, len(owners))
		for i, e := range owners {
			both.Go(func() { _, errs[i] = s.SetRole(t.Context(), e.ID, store.EditorRole) })
		}
		both.Wait()
		if errors.Is(errs[0], store.ErrLastOwner) == errors.Is(errs[1], store.ErrLastOwner) {
			t.Errorf("want one refusal: %v", errs)
		}
	})
}
