package store

import (
	"context"
	"fmt"

	"github.com/tidings-press/tidings/internal/digest"
)

// UndoError reports that the approval of an edition cannot be undone.
type UndoError struct {
	Edition string
	Have    digest.State
}

// Error says why.
func (e *UndoError) Error() string {
	switch e.Have {
	case digest.Draft:
		return fmt.Sprintf("edition %s is a draft; there is no approval to undo", e.Edition)
	case digest.Sending, digest.Sent:
		return fmt.Sprintf("it is too late to undo the approval of edition %s: sending has started", e.Edition)
	}
	return fmt.Sprintf("the approval of edition %s cannot be undone: it is %s", e.Edition, e.Have)
}

// UndoApproval makes an approved edition a draft again: its frozen mails, its deliveries and all
// approvals are removed, and no tick sends it. The reason is stored with it. It returns an
// *UndoError if a node has claimed the first chunk, or the edition is not approved.
func (s *Store) UndoApproval(ctx context.Context, id, reason string) error {
	return s.write(ctx, func(tx *conn) error {
		found, err := tx.editions(ctx, "edition.get", id)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return notFound("edition", id)
		}
		e := found[0]
		if e.State != digest.Approved {
			return &UndoError{Edition: id, Have: e.State}
		}
		if _, err := tx.Exec(ctx, "undo.chunks", e.Seq); err != nil {
			return err
		}
		n, err := tx.Exec(ctx, "undo.edition", id, reason)
		if err == nil && n == 0 { // a node was faster
			err = &UndoError{Edition: id, Have: digest.Sending}
		}
		for _, query := range []string{"undo.deliveries", "undo.variants", "undo.approvals"} {
			if err == nil {
				_, err = tx.Exec(ctx, query, e.Seq)
			}
		}
		return err
	})
}
