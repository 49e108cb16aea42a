package store

import (
	"context"

	"github.com/tidings-press/tidings/internal/digest"
)

// RequireApproval leaves a draft that no editor had to approve to an editor, and enqueues jobs.
// reason is why. It returns a *StateError if the draft changed its state meanwhile.
func (s *Store) RequireApproval(ctx context.Context, id, reason string, jobs ...Job) error {
	return s.write(ctx, func(tx *conn) error {
		n, err := tx.Exec(ctx, "check.require", id, reason)
		if err == nil && n == 0 {
			err = s.changedState(ctx, tx, id, digest.Draft)
		}
		if err != nil {
			return err
		}
		return s.enqueueAll(ctx, tx, jobs)
	})
}
