package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Role is what an editor may do. An editor may also do what the roles before theirs in Roles
// permit.
type Role string

// The roles of editors. Package web/admin has the table of what each may do.
const (
	ViewerRole Role = "viewer" // reads everything except the data of subscribers
	WriterRole Role = "writer" // writes articles, and drafts of editions
	EditorRole Role = "editor" // approves and sends editions, and manages subscribers
	OwnerRole  Role = "owner"  // manages people and settings, erases subscribers and ends a quarantine
)

// Roles are all roles, the one with the fewest rights first.
var Roles = []Role{ViewerRole, WriterRole, EditorRole, OwnerRole}

// Includes reports whether the role permits what least permits. An unknown role, which a later
// version may have stored, permits nothing.
func (r Role) Includes(least Role) bool {
	place := slices.Index(Roles, least)
	return place >= 0 && slices.Index(Roles, r) >= place
}

// MayApprove reports whether editors with the role may approve, send and hold editions.
func (r Role) MayApprove() bool { return r.Includes(EditorRole) }

// ParseRole returns the role with a name.
func ParseRole(name string) (Role, error) {
	if slices.Contains(Roles, Role(name)) {
		return Role(name), nil
	}
	names := make([]string, len(Roles))
	for i, r := range Roles {
		names[i] = string(r)
	}
	return "", fmt.Errorf("unknown role %q; use one of: %s", name, strings.Join(names, ", "))
}

// ErrLastOwner refuses a change after which no owner could sign in.
var ErrLastOwner = errors.New("this is the only owner who can sign in; make another editor an owner first")

// SetRole changes an editor's role, ends all their sessions, and voids the links that they made.
// It returns ErrLastOwner if no owner would be left.
func (s *Store) SetRole(ctx context.Context, id int64, role Role) (Editor, error) {
	return s.ChangeEditor(ctx, id, "", func(e *Editor) error {
		e.Role = role
		return nil
	})
}
