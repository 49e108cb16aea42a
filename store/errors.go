package store

import (
	"errors"
	"fmt"
)

// ErrNotFound says that there is no such row. Methods wrap it with what was
// looked for.
var ErrNotFound = errors.New("not found")

// ErrNewerSchema says that the store was written by a newer version of Tidings;
// errors.As with *NewerSchemaError tells the versions.
var ErrNewerSchema = errors.New("the store has a newer schema")

// NewerSchemaError tells how far the store's schema is ahead of ours.
type NewerSchemaError struct {
	Have  int64 // version of the store's schema
	Known int64 // newest version that this program knows
}

func (e *NewerSchemaError) Error() string {
	return fmt.Sprintf("the store has schema version %d, this program knows versions up to %d; right would be the newer tidings that last ran on it, or a backup from before", e.Have, e.Known)
}

// Is makes errors.Is(err, ErrNewerSchema) work.
func (e *NewerSchemaError) Is(target error) bool { return target == ErrNewerSchema }

// OpenError says why a store cannot be opened and what would be right. It never
// holds a password.
type OpenError struct {
	Store string // the DSN without its password
	What  string
	Right string
	Err   error // as the driver said it; may be nil
}

func (e *OpenError) Error() string {
	return fmt.Sprintf("store %s: %s; right would be: %s", e.Store, e.What, e.Right)
}

func (e *OpenError) Unwrap() error { return e.Err }

// notFound wraps ErrNotFound with what was looked for.
func notFound(what string, key any) error {
	return fmt.Errorf("%s %v: %w", what, key, ErrNotFound)
}
