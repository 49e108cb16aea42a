package store

import (
	"errors"
	"fmt"
	"strings"
)

// ErrNotFound says that there is no such row. Methods wrap it with what was
// looked for.
var ErrNotFound = errors.New("not found")

// ErrNewerSchema is the kind of *NewerSchemaError, for errors.Is.
var ErrNewerSchema = errors.New("the store has migrations that this program does not know")

// NewerSchemaError reports migrations of a store that this program does not have: a
// newer or another Tidings applied them.
type NewerSchemaError struct {
	Unknown []int64 // versions, in order
	Newest  string  // name of the newest migration that this program has
}

// Error names the unknown migrations and what to do.
func (e *NewerSchemaError) Error() string {
	names := make([]string, len(e.Unknown))
	for i, version := range e.Unknown {
		names[i] = fmt.Sprintf("%05d", version)
	}
	return fmt.Sprintf("the store has migrations that this program does not know: %s (its own end with %s); use the newer tidings that last ran on this store, or restore a backup from before the upgrade",
		strings.Join(names, ", "), e.Newest)
}

// Is makes errors.Is(err, ErrNewerSchema) work.
func (e *NewerSchemaError) Is(target error) bool { return target == ErrNewerSchema }

// MigrationDueError reports that a store lacks migrations of this program. Migrate
// applies them.
type MigrationDueError struct {
	Missing []string // names, in order
}

// Error names the missing migrations and the command that applies them.
func (e *MigrationDueError) Error() string {
	return fmt.Sprintf("the store's schema is out of date: it lacks %s; stop all tidings processes, make a backup, and run \"tidings migrate\"", strings.Join(e.Missing, ", "))
}

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
