package store_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// TestChangesOfAnEditorAtOnceAreAllKept changes role, password and address of one editor at the same
// time, as an owner and the editor do. None may bring back what another replaced.
func TestChangesOfAnEditorAtOnceAreAllKept(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		storetest.Editor(t, s, store.Editor{Email: "ada@example.org", Role: store.OwnerRole})
		eve := storetest.Editor(t, s, store.Editor{Email: "eve@example.org", Password: "old"})
		changes := []func(*store.Editor){
			func(e *store.Editor) { e.Role = store.ViewerRole },
			func(e *store.Editor) { e.Password = "new" },
			func(e *store.Editor) { e.Email = "eve@elsewhere.example" },
			func(e *store.Editor) { e.Disabled = s.Now() },
		}
		var work sync.WaitGroup
		errs := make([]error, len(changes))
		for i, change := range changes {
			work.Go(func() {
				_, errs[i] = s.ChangeEditor(t.Context(), eve.ID, "", func(e *store.Editor) error {
					change(e)
					return nil
				})
			})
		}
		work.Wait()
		is, err := s.EditorByID(t.Context(), eve.ID)
		if err = errors.Join(append(errs, err)...); err != nil || is.Role != store.ViewerRole || is.Password != "new" || is.Email != "eve@elsewhere.example" || is.Disabled.IsZero() {
			t.Errorf("%+v, %v", is, err)
		}
	})
}

// TestOwnersCannotDisableEachOtherAtOnce includes an owner who is the only one left.
func TestOwnersCannotDisableEachOtherAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ada := storetest.Editor(t, s, store.Editor{Email: "ada@example.org", Role: store.OwnerRole})
		bob := storetest.Editor(t, s, store.Editor{Email: "bob@example.org", Role: store.OwnerRole})
		var work sync.WaitGroup
		errs := make([]error, 2)
		for i, id := range []int64{ada.ID, bob.ID} {
			work.Go(func() {
				_, errs[i] = s.ChangeEditor(t.Context(), id, "", func(e *store.Editor) error {
					e.Disabled = time.Now()
					return nil
				})
			})
		}
		work.Wait()
		if (errs[0] == nil) == (errs[1] == nil) || !errors.Is(errors.Join(errs...), store.ErrLastOwner) {
			t.Errorf("both owners are disabled at once: %v", errs)
		}
	})
}
