package store

import "context"

// DismissHint records that a hint of the admin is not shown again.
func (s *Store) DismissHint(ctx context.Context, name string) error {
	return s.write(ctx, func(tx *conn) error {
		_, err := tx.Exec(ctx, "hint.dismiss", name, millis(s.Now()))
		return err
	})
}

// HintDismissed reports whether a hint is not shown any more.
func (s *Store) HintDismissed(ctx context.Context, name string) (bool, error) {
	var at int64
	return s.readers.One(ctx, "hint.dismissed", []any{name}, &at)
}
